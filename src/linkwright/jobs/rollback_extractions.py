"""What a Rollback does to extractions: nothing of the data may be left in snapshots, ledgers and results.

Of snapshots and ledgers, parts that hold nothing else go; those that also hold other records are written anew without
them; no other part is looked at. Results made since are withdrawn. What a snapshot says of other records stays.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from linkwright.jobs.context import JobContext
from linkwright.jobs.written_batch import written_part
from linkwright.store.extraction_catalog import (
    ExtractedSince,
    add_parts,
    drop_parts,
    drop_records,
    extracted_since,
    parts_between,
    record_floor,
    withdraw,
)
from linkwright.store.models import Batch, BatchKind, BatchState, ExtractionProject, KeptPart
from linkwright.warehouse.kept_parts import BorderPart, Part, RecordRange, forget_records, joined_ranges


@dataclass(frozen=True)
class _Mended:
    """What happens to one Extraction Project: parts go, and others come in the place of those at the borders."""

    extraction_project: ExtractionProject
    whole: Sequence[KeptPart]
    borders: Sequence[KeptPart]
    new: Sequence[Part]

    def commit(self, context: JobContext) -> None:
        kind = BatchKind.SNAPSHOT if self.extraction_project.is_snapshot else BatchKind.LEDGER
        drop_parts(self.borders)
        drop_records(self.whole)
        add_parts(self.extraction_project, context.job, [written_part(part, kind) for part in self.new])


@dataclass(frozen=True)
class MendedExtractions:
    """What becomes of snapshots and ledgers, and what was made since."""

    mended: Sequence[_Mended]
    since: ExtractedSince

    def commit(self, context: JobContext) -> None:
        """Let the new files count and withdraw the results; call it when the Envelopes' files have gone."""
        for one in self.mended:
            one.commit(context)
        withdraw(self.since.results, context.job)
        record_floor(context.job)

    def statistics(self) -> Mapping[str, int]:
        """Return what happened in numbers; nothing if nothing was ever extracted from the data."""
        counts = {
            "withdrawn_results_count": self.since.results.count(),
            "mended_snapshots_count": sum(one.extraction_project.is_snapshot for one in self.mended),
        }
        return {name: count for name, count in counts.items() if count}


def mend_extractions(context: JobContext, envelope_ids: Collection[int]) -> MendedExtractions:
    """Write parts of snapshots and ledgers without the records of some Envelopes, as far as they hold any.

    Raises:
        StorageError: if a file cannot be read or written.
    """
    since = extracted_since(context.project, envelope_ids)
    gone = _record_ranges(envelope_ids)
    if not gone:
        return MendedExtractions((), since)
    found = []
    for one in (*since.snapshots, *since.ledgers):
        parts = _parts_with(one, gone)
        whole = [part for part in parts if _is_inside(part, gone)]
        if parts:
            found.append((one, whole, [part for part in parts if part not in whole]))
    borders = [part for _one, _whole, own in found for part in own]
    stem = context.project_folder / context.stem
    asked = [
        BorderPart(
            path=context.project_folder / part.records.file_name,
            sha256=part.sha256,
            has_groups=part.records.kind == BatchKind.LEDGER,
            stem=stem.with_name(f"{stem.name}-kept{number}"),
        )
        for number, part in enumerate(borders)
        if part.records is not None
    ]
    written = iter(forget_records(context.limits, asked, gone))
    mended = [
        _Mended(one, whole, own, [new for _part in own for new in next(written)]) for one, whole, own in found
    ]
    return MendedExtractions(mended, since)


def _parts_with(extraction_project: ExtractionProject, gone: Sequence[RecordRange]) -> list[KeptPart]:
    """Return the parts that hold, or may hold, records that are rolled back."""
    parts = parts_between(extraction_project, gone[0].first, gone[-1].last)
    return [part for part in parts if _may_hold(part, gone)]


def _may_hold(part: KeptPart, gone: Sequence[RecordRange]) -> bool:
    ids = _ids(part)
    return ids is None or any(one.first <= ids.last and ids.first <= one.last for one in gone)


def _is_inside(part: KeptPart, gone: Sequence[RecordRange]) -> bool:
    ids = _ids(part)
    return ids is not None and any(one.first <= ids.first and ids.last <= one.last for one in gone)


def _ids(part: KeptPart) -> RecordRange | None:
    """Return which record ids a part spans; None if its row does not say so."""
    batch = part.records
    if batch is None or batch.first_id is None or batch.last_id is None:
        return None
    return RecordRange(batch.first_id, batch.last_id)


def _record_ranges(envelope_ids: Collection[int]) -> list[RecordRange]:
    """Return the record ids of Envelopes: Load numbers the records of a file without a gap."""
    batches = Batch.objects.filter(envelope__in=envelope_ids, kind=BatchKind.RECORDS, state=BatchState.LIVE)
    found = batches.exclude(rows_count=0).values_list("first_id", "last_id")
    return joined_ranges(
        RecordRange(first, last) for first, last in found if first is not None and last is not None
    )
