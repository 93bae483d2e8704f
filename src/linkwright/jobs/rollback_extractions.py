"""What a Rollback does to extractions: nothing of the data may be left in snapshots, ledgers and results.

Snapshots and ledgers lose the records, in files that take the place of the old ones; results made since are
withdrawn. What a snapshot says of other records stays.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from linkwright.jobs.context import JobContext
from linkwright.jobs.written_batch import written_batch
from linkwright.store.extraction_catalog import (
    ExtractedSince,
    extracted_since,
    record_floor,
    set_ledger,
    set_snapshot,
    withdraw,
)
from linkwright.store.models import Batch, BatchKind, BatchState, ExtractionProject
from linkwright.warehouse.connection import WrittenFile
from linkwright.warehouse.extraction_map import RecordRange, Snapshot, forget_in_snapshot
from linkwright.warehouse.key_changes import forget_in_ledger


@dataclass(frozen=True)
class MendedExtractions:
    """Files that take the place of others, and what was made since."""

    snapshots: Sequence[tuple[ExtractionProject, Snapshot]]
    ledgers: Sequence[tuple[ExtractionProject, WrittenFile]]
    since: ExtractedSince

    def commit(self, context: JobContext) -> None:
        """Let the new files count and withdraw the results; call it when the Envelopes' files have gone."""
        job = context.job
        for extraction_project, snapshot in self.snapshots:
            set_snapshot(
                extraction_project, job, written_batch(BatchKind.SNAPSHOT, snapshot.written), snapshot.sha256
            )
        for extraction_project, ledger in self.ledgers:
            set_ledger(extraction_project, job, written_batch(BatchKind.LEDGER, ledger))
        withdraw(self.since.results, job)
        record_floor(job)

    def statistics(self) -> Mapping[str, int]:
        """Return what happened in numbers; nothing if nothing was ever extracted from the data."""
        counts = {
            "withdrawn_results_count": self.since.results.count(),
            "mended_snapshots_count": len(self.snapshots),
        }
        return {name: count for name, count in counts.items() if count}


def mend_extractions(context: JobContext, envelope_ids: Collection[int]) -> MendedExtractions:
    """Write snapshots and ledgers without the records of some Envelopes, as far as they hold any.

    Raises:
        StorageError: if a file cannot be read or written.
    """
    since = extracted_since(context.project, envelope_ids)
    gone = _record_ranges(envelope_ids)
    snapshots, ledgers = [], []
    for number, one in enumerate(since.snapshots if gone else ()):
        (path,) = context.paths(filter(None, [one.snapshot]))
        target = context.project_folder / f"{context.stem}-snapshot{number}.parquet"
        snapshots.append((one, forget_in_snapshot(context.limits, path, gone, target)))
    for number, one in enumerate(since.ledgers if gone else ()):
        (path,) = context.paths(filter(None, [one.ledger]))
        target = context.project_folder / f"{context.stem}-ledger{number}.parquet"
        ledgers.append((one, forget_in_ledger(context.limits, path, gone, target)))
    return MendedExtractions(snapshots, ledgers, since)


def _record_ranges(envelope_ids: Collection[int]) -> list[RecordRange]:
    """Return the record ids of Envelopes: Load numbers the records of a file without a gap."""
    batches = Batch.objects.filter(envelope__in=envelope_ids, kind=BatchKind.RECORDS, state=BatchState.LIVE)
    found = batches.exclude(rows_count=0).order_by("first_id").values_list("first_id", "last_id")
    return [RecordRange(first, last) for first, last in found if first is not None and last is not None]
