"""Compact: many small files of a project become few that are read in their place; nothing visible changes."""

from collections.abc import Sequence
from typing import Any

from linkwright.engine.compaction import Piece
from linkwright.engine.progress import Progress
from linkwright.jobs.context import JobContext, JobResult
from linkwright.jobs.damaged_files import damaged_files
from linkwright.jobs.project_form import current_match_configuration, current_version
from linkwright.store import batch_catalog
from linkwright.store.compacted_batches import (
    CompactedFile,
    add_compacted,
    give_up,
    originals_of,
    plan_project,
)
from linkwright.store.models import BatchKind
from linkwright.warehouse.compaction import Content, write_compacted
from linkwright.warehouse.connection import open_engine
from linkwright.warehouse.limits import WrittenFile
from linkwright.warehouse.match_index import write_index
from linkwright.warehouse.record_sources import index_content

CONTENTS = {
    BatchKind.RECORDS: Content.ROWS,
    BatchKind.PAIRS: Content.ROWS,
    BatchKind.ASSIGNMENTS: Content.MAP,
    BatchKind.ENDS: Content.ENDS,
    BatchKind.DECISIONS: Content.DECISIONS,
}


def run_compact(context: JobContext) -> JobResult:
    """Write the files that stand for many; on commit they are read in their place.

    Always from the originals, never from an earlier compacted file: an error in one cannot live on in the next.

    Raises:
        StorageError: if a file cannot be read or written; nothing is changed then.
    """
    damaged = damaged_files(context.config, context.project)
    if damaged:
        context.audit(
            f"{len(damaged)} compacted files are gone or damaged; they are made again from their originals"
        )
    runs = [(kind, run) for kind, found in plan_project(context.project, damaged).items() for run in found]
    made: list[tuple[CompactedFile, WrittenFile | None]] = []
    for number, (kind, run) in enumerate(runs):
        context.report(Progress("Compacting", number, len(runs), "runs of files"))
        made.append(_compact(context, kind, run, number))
    context.report(Progress("Committing", len(runs), len(runs), "runs of files"))

    def commit() -> None:
        give_up(damaged)
        for one, index in made:
            batch = add_compacted(context.job, context.project, one)
            if index is not None:
                batch_catalog.add_index(context.job, batch, index.path.name, index.bytes_count)

    return JobResult(statistics=_statistics(runs, made), commit=commit)


def _compact(
    context: JobContext, kind: BatchKind, run: Sequence[Piece], number: int
) -> tuple[CompactedFile, WrittenFile | None]:
    originals = list(originals_of(run))
    written = write_compacted(
        context.limits,
        CONTENTS[kind],
        context.paths(originals),
        sum(batch.rows_count for batch in originals),
        context.project_folder / f"{context.stem}-{number}-{kind.value}.parquet",
    )
    compacted = CompactedFile(
        kind=kind,
        originals=tuple(batch.pk for batch in originals),
        file_name=written.path.name,
        rows_count=written.rows_count,
        bytes_count=written.bytes_count,
    )
    return compacted, make_index(context, written, number) if kind is BatchKind.RECORDS else None


def make_index(context: JobContext, records: WrittenFile, number: int) -> WrittenFile | None:
    """Lay a records file out for matching by the configuration in force; Match does it if there is none yet."""
    if current_version(context.project) is None:
        return None
    _version, configuration = current_match_configuration(context.project)
    target = context.project_folder / f"{context.stem}-{number}.index"
    with open_engine(context.limits) as con:
        return write_index(con, records.path, index_content(configuration), target)


def _statistics(
    runs: Sequence[tuple[BatchKind, Sequence[Piece]]], made: Sequence[tuple[CompactedFile, WrittenFile | None]]
) -> dict[str, Any]:
    rows: list[dict[str, Any]] = [
        {
            "kind": kind.value,
            "files_before_count": len(run),
            "files_after_count": 1,
            "original_files_count": len(one.originals),
            "rows_count": one.rows_count,
            "size_bytes": one.bytes_count + (index.bytes_count if index else 0),
        }
        for (kind, run), (one, index) in zip(runs, made, strict=True)
    ]
    return {
        "files_before_count": sum(len(run) for _kind, run in runs),
        "files_after_count": len(runs),
        "size_bytes": sum(row["size_bytes"] for row in rows),
        "compacted": rows,
    }
