"""Snapshot: the map as at the moment an Extraction Project was created, kept as a file of its own for ever."""

from linkwright.engine.progress import Progress
from linkwright.jobs.context import JobContext, JobResult
from linkwright.jobs.extraction_project import event_type_codes, extraction_project_of, live_files
from linkwright.jobs.written_batch import written_batch
from linkwright.store.extraction_catalog import envelopes_grouped_after, floors_of, set_snapshot
from linkwright.store.models import BatchKind, ExtractionProject
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
        context.project_folder / f"{context.stem}-snapshot.parquet",
    )
    written = snapshot.written

    def commit() -> None:
        new = written_batch(BatchKind.SNAPSHOT, written)
        current = ExtractionProject.objects.get(pk=extraction_project.pk)
        set_snapshot(current, context.job, new, snapshot.sha256)

    return JobResult(
        statistics={
            "extraction_project": extraction_project.code,
            "records_count": written.rows_count,
            "persons_count": snapshot.persons_count,
            "file_bytes": written.bytes_count,
            "event_types": [
                {"event_type": code, "records_count": count}
                for code, count in sorted(snapshot.records_by_event_type.items())
            ],
        },
        commit=commit,
    )
