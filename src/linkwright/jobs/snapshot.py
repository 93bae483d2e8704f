"""Snapshot: the map as at the moment an Extraction Project was created, kept in files of its own for ever."""

from linkwright.engine.progress import Progress
from linkwright.jobs.context import JobContext, JobResult
from linkwright.jobs.extraction_project import event_type_codes, extraction_project_of, live_files
from linkwright.jobs.written_batch import written_part
from linkwright.store.extraction_catalog import envelopes_grouped_after, floors_of, set_parts
from linkwright.store.models import BatchKind
from linkwright.warehouse.extraction_map import CurrentMap, write_snapshot


def run_snapshot(context: JobContext) -> JobResult:
    """Write the snapshot of an Extraction Project.

    The job stands first in the queue. Only what was running when it was created can have changed the map since: an
    Envelope that did is left out.

    Raises:
        JobError: if there is no such Extraction Project.
        StorageError: if a file cannot be read or written.
    """
    extraction_project = extraction_project_of(context)
    codes = event_type_codes(extraction_project)
    context.report(Progress("Writing the snapshot"))
    late = envelopes_grouped_after(context.project, extraction_project.created_at)
    if late:
        context.audit("What became live after the Extraction Project was created is left out")
    snapshot = write_snapshot(
        context.limits,
        CurrentMap(live_files(context, late), floors_of(context.project)),
        codes,
        context.project_folder / f"{context.stem}-snapshot",
    )
    files = [part.records for part in snapshot.parts if part.records is not None]

    def commit() -> None:
        new = [written_part(part, BatchKind.SNAPSHOT) for part in snapshot.parts]
        set_parts(extraction_project, context.job, new)

    return JobResult(
        statistics={
            "extraction_project": extraction_project.code,
            "records_count": sum(file.rows_count for file in files),
            "persons_count": snapshot.persons_count,
            "file_bytes": sum(file.bytes_count for file in files),
            "event_types": [
                {"event_type": code, "records_count": count}
                for code, count in sorted(snapshot.records_by_event_type.items())
            ],
        },
        commit=commit,
    )
