"""How a file that was written is named to the catalog."""

from linkwright.store.batch_catalog import NewBatch
from linkwright.store.extraction_catalog import NewPart
from linkwright.store.models import BatchKind
from linkwright.warehouse.kept_parts import Part
from linkwright.warehouse.limits import WrittenFile


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


def written_part(part: Part, kind: BatchKind) -> NewPart:
    """Return what the catalog is to be told of a part; `kind` is that of its records."""
    first_id, last_id = part.ids or (None, None)
    records = groups = None
    if part.records is not None:
        records = written_batch(kind, part.records, first_id=first_id, last_id=last_id)
    if part.groups is not None:
        groups = written_batch(BatchKind.LEDGER_GROUPS, part.groups)
    return NewPart(records, groups, part.sha256)
