"""How a file that was written is named to the catalog."""

from linkwright.store.batch_catalog import NewBatch
from linkwright.store.models import BatchKind
from linkwright.warehouse.connection import WrittenFile


def written_batch(
    kind: BatchKind, written: WrittenFile, *, first_id: int | None = None, last_id: int | None = None
) -> NewBatch:
    """Return what the catalog is to be told of a file.

    Args:
        kind: what it holds.
        written: the file.
        first_id: the first record id in it, if later ids depend on it.
        last_id: the last record id, or the highest group id so far.
    """
    return NewBatch(
        kind=kind,
        file_name=written.path.name,
        rows_count=written.rows_count,
        bytes_count=written.bytes_count,
        first_id=first_id,
        last_id=last_id,
    )
