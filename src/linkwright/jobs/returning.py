"""Part of Rollback: records that an Envelope had ended come back, though later Envelopes stay.

Those that a later Envelope replaced or deleted under their newer version stay ended, on that Envelope's account:
rolling that back brings them back. The others are matched with what came while they were not there.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from linkwright.engine.id_arrays import Ids
from linkwright.engine.strategy import parse_match_configuration
from linkwright.jobs.context import JobContext
from linkwright.jobs.match import match_limits
from linkwright.jobs.project_form import linkage_fields
from linkwright.jobs.written_batch import written_batch
from linkwright.store import batch_catalog
from linkwright.store.batch_catalog import NewBatch
from linkwright.store.models import Batch, BatchKind, MatchConfigurationVersion
from linkwright.warehouse.ends import End, write_replacements
from linkwright.warehouse.match import MatchRequest, match_records
from linkwright.warehouse.record_sources import RecordSources
from linkwright.warehouse.returning import (
    FoundPairs,
    ReleasedRequest,
    settle_released,
    write_missing_pairs,
    write_returning,
)

Batches = Mapping[BatchKind, Sequence[Batch]]


@dataclass(frozen=True)
class Returned:
    """What was written to bring records back.

    Args:
        ends: ends files, each with the Envelope on whose account its records stay ended.
        pairs: the pairs that the returning records lacked; none if nothing lives again.
        returning_count: records that live again.
    """

    ends: Sequence[tuple[int, NewBatch]] = ()
    pairs: NewBatch | None = None
    returning_count: int = 0
    files: Mapping[BatchKind, tuple[Path, ...]] = field(default_factory=dict)

    def commit(self, context: JobContext) -> None:
        """Have the files counted; call it in the transaction that ends the job."""
        for envelope_id, batch in self.ends:
            batch_catalog.add_on_account(context.job, envelope_id, batch)
        if self.pairs is not None:
            batch_catalog.add_batches(context.job, [self.pairs])


def bring_back(context: JobContext, kept: Batches, dropped: Batches) -> Returned:
    """Settle what becomes of the records that the dropped files had ended.

    Args:
        context: of the Rollback job.
        kept: the project's batches that stay, by kind, the oldest first.
        dropped: those that go.

    Raises:
        LinkwrightError: as Match does.
    """
    released = context.paths(dropped[BatchKind.ENDS])
    if not released:
        return Returned()
    records, ended = kept[BatchKind.RECORDS], kept[BatchKind.ENDS]
    settled = settle_released(
        ReleasedRequest(
            released=released,
            dropped_records=context.paths(dropped[BatchKind.RECORDS]),
            records=context.paths(records),
            ended=context.paths(ended),
            limits=context.limits,
        )
    )
    accounts: dict[int, list[End]] = {}
    for batches, found in ((records, settled.replaced), (ended, settled.deleted)):
        for place, ends in found.items():
            owner = batches[place].envelope_id
            if owner is not None:
                accounts.setdefault(owner, []).extend(ends)
    written = [(owner, _write_ends(context, owner, ends)) for owner, ends in sorted(accounts.items())]
    folder = context.project_folder
    stay_ended = tuple(folder / batch.file_name for _owner, batch in written)
    pairs = None
    if settled.returning.size:
        context.audit(f"{settled.returning.size:,} records come back, and are matched with what came since")
        pairs = _match(context, kept, settled.returning, (*context.paths(ended), *stay_ended))
    return Returned(
        ends=written,
        pairs=pairs,
        returning_count=int(settled.returning.size),
        files={
            BatchKind.ENDS: stay_ended,
            BatchKind.PAIRS: () if pairs is None else (folder / pairs.file_name,),
        },
    )


def _write_ends(context: JobContext, owner: int, ends: Sequence[End]) -> NewBatch:
    target = context.project_folder / f"{context.stem}-ends-{owner}.parquet"
    written = write_replacements(context.limits, ends, target)
    return written_batch(BatchKind.ENDS, written)


def _match(context: JobContext, kept: Batches, returning: Ids, ended: tuple[Path, ...]) -> NewBatch | None:
    """Match the returning records with all others, by each configuration that was in force since they came."""
    batches = kept[BatchKind.RECORDS]
    ranges = _ranges(batches, int(returning.min()))
    if not ranges:
        return None
    scratch = context.scratch_folder
    new = write_returning(context.limits, context.paths(batches), returning, scratch / "returning.parquet")
    folder = context.project_folder
    indexes = batch_catalog.index_names(batches)
    found = []
    for version, id_ranges in ranges.items():
        result = match_records(
            MatchRequest(
                sources=RecordSources(
                    new=(new.path,),
                    held=context.paths(batches),
                    ended=ended,
                    index_folder=scratch,
                    index_stem=f"version{version.version}",
                    indexes={folder / records: folder / index for records, index in indexes.items()},
                ),
                configuration=parse_match_configuration(version.definition, linkage_fields(context.project)),
                term_frequencies=folder / version.term_frequencies if version.term_frequencies else None,
                target=scratch / f"version{version.version}-pairs.parquet",
                parts_folder=scratch / f"version{version.version}-parts",
                limits=context.limits,
                match_limits=match_limits(context.project),
            ),
            context.report,
        )
        found.append(FoundPairs(result.pairs.path, tuple(id_ranges)))
    target = folder / f"{context.stem}-pairs.parquet"
    written = write_missing_pairs(context.limits, found, context.paths(kept[BatchKind.PAIRS]), target)
    return written_batch(BatchKind.PAIRS, written)


def _ranges(batches: Sequence[Batch], after_id: int) -> dict[MatchConfigurationVersion, list[tuple[int, int]]]:
    """Return the ids of the records that came after one, by the version by which they were matched."""
    ranges: dict[MatchConfigurationVersion, list[tuple[int, int]]] = {}
    for batch in batches:
        version = batch.envelope.match_configuration if batch.envelope is not None else None
        first, last = batch.first_id, batch.last_id
        if version is not None and first is not None and last is not None and last > after_id:
            ranges.setdefault(version, []).append((first, last))
    return ranges
