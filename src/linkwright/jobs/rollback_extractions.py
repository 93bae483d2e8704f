"""What a Rollback does to extractions: nothing of the data may be left in snapshots, ledgers and results.

Of snapshots and ledgers, parts that hold nothing else go; those that also hold other records are written anew
without them; no other part is looked at. Results made since are withdrawn. What a snapshot says of other records
stays.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from linkwright.jobs.context import JobContext
from linkwright.jobs.written_batch import written_part
from linkwright.store.extraction_catalog import (
    ExtractedSince,
    drop_records,
    extracted_since,
    parts_at_borders,
    parts_inside,
    record_floor,
    replace_part,
    withdraw,
)
from linkwright.store.models import Batch, BatchKind, BatchState, ExtractionProject, KeptPart
from linkwright.warehouse.kept_parts import BorderPart, Part, RecordRange, forget_records, joined_ranges


@dataclass(frozen=True)
class _Mended:
    """What happens to one Extraction Project: parts go, and others come in the place of each at a border."""

    extraction_project: ExtractionProject
    gone: Sequence[RecordRange]
    borders: Sequence[tuple[KeptPart, Sequence[Part]]]

    def commit(self, context: JobContext) -> None:
        kind = BatchKind.SNAPSHOT if self.extraction_project.is_snapshot else BatchKind.LEDGER
        for ids in self.gone:
            drop_records(parts_inside(self.extraction_project, ids))
        for part, new in self.borders:
            replace_part(part, context.job, [written_part(one, kind) for one in new])


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
    touched = {one: parts_at_borders(one, gone) for one in (*since.snapshots, *since.ledgers)}
    borders = [part for parts in touched.values() for part in parts]
    asked = [border for number, part in enumerate(borders) for border in _border(context, part, number)]
    new = dict(zip((part.pk for part in borders), forget_records(context.limits, asked, gone), strict=True))
    mended = [
        _Mended(one, gone, [(part, new[part.pk]) for part in parts])
        for one, parts in touched.items()
        if parts or any(parts_inside(one, ids).exists() for ids in gone)
    ]
    return MendedExtractions(mended, since)


def _border(context: JobContext, part: KeptPart, number: int) -> list[BorderPart]:
    """Return what to write anew; nothing for a part that has no records any more."""
    if part.records is None:
        return []
    return [
        BorderPart(
            path=context.project_folder / part.records.file_name,
            sha256=part.sha256,
            is_ledger=part.records.kind == BatchKind.LEDGER,
            has_groups=part.groups_id is not None,
            stem=context.project_folder / f"{context.stem}-kept{number}",
        )
    ]


def _record_ranges(envelope_ids: Collection[int]) -> list[RecordRange]:
    """Return the record ids of Envelopes: Load numbers the records of a file without a gap."""
    batches = Batch.objects.filter(envelope__in=envelope_ids, kind=BatchKind.RECORDS, state=BatchState.LIVE)
    found = batches.exclude(rows_count=0).values_list("first_id", "last_id")
    return joined_ranges(
        RecordRange(first, last) for first, last in found if first is not None and last is not None
    )
