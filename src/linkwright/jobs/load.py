"""Load: one data file of the Envelope becomes a batch of standardised records."""

from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from linkwright.engine.import_format import parse_import_format
from linkwright.engine.progress import Progress
from linkwright.engine.standardisation import DEFAULT_SEX_MAP, DEFAULT_STATE_MAP, StandardisationMaps
from linkwright.engine.update_mode import UpdateMode
from linkwright.envelopes.manifest import DataFile, FileFormat
from linkwright.envelopes.package import examine_package
from linkwright.envelopes.reader import spool_data_file
from linkwright.jobs.context import JobContext, JobError, JobResult, is_estimation, package_limits
from linkwright.jobs.project_form import current_match_configuration, current_version, linkage_fields
from linkwright.jobs.written_batch import written_batch
from linkwright.store import batch_catalog
from linkwright.store.batch_catalog import NewBatch
from linkwright.store.models import (
    AttachedEventType,
    BatchKind,
    Envelope,
    EventType,
    LinkageProject,
    Severity,
)
from linkwright.store.settings import read_setting
from linkwright.warehouse.connection import open_engine
from linkwright.warehouse.limits import EngineLimits, WrittenFile
from linkwright.warehouse.load import LoadRequest, LoadResult, load_data_file
from linkwright.warehouse.match_index import write_index
from linkwright.warehouse.record_sources import index_content


def run_load(context: JobContext) -> JobResult:
    """Read, standardise and store one data file.

    Raises:
        JobError: if the file or its Event Type is not what Validate saw.
        LinkwrightError: as `load_data_file`: the file cannot be read, or too many of its rows are rejected.
    """
    envelope = context.envelope
    data_file = _data_file(context)
    result = load_data_file(_request(context, data_file), context.report)
    index = _make_index(context, result)
    for warning in result.warnings:
        context.notify(Severity.WARNING, warning)
    for text in _update_texts(data_file, result):
        context.notify(Severity.INFO, text)
    context.report(Progress("Committing", result.rows_loaded_count, result.rows_loaded_count, "records"))

    def commit() -> None:
        batch_catalog.remove_staged_of_others(envelope)
        records = batch_catalog.add_batches(context.job, _batches(result))[0]
        if index is not None:
            batch_catalog.add_index(context.job, records, index.path.name, index.bytes_count)
        loaded = batch_catalog.own_batches(envelope, BatchKind.RECORDS)
        records_count = sum(loaded.values_list("rows_count", flat=True))
        Envelope.objects.filter(pk=envelope.pk).update(records_count=records_count)

    return JobResult(statistics=_statistics(data_file, result), commit=commit)


def _update_texts(data_file: DataFile, result: LoadResult) -> list[str]:
    """Say what became of records that came again, if any did."""
    name, code = data_file.file_name, data_file.event_type_code
    texts = []
    if result.rows_skipped_count:
        texts.append(
            f"{name}: rows passed over: {result.rows_skipped_count:,}. Their Source Unique IDs are loaded "
            f"already, and the project skips records of {code} that come again."
        )
    if result.rows_replaced_count:
        texts.append(
            f"{name}: rows that replace a record: {result.rows_replaced_count:,}. Their Source Unique IDs are "
            f"those of loaded records of {code}. The old versions end when this Envelope is grouped; rolling it "
            "back brings them back."
        )
    return texts


def _make_index(context: JobContext, result: LoadResult) -> WrittenFile | None:
    """Lay the records out for matching by the configuration in force; Match does it if there is none yet."""
    if is_estimation(context.envelope) or not current_version(context.project):
        return None
    _version, configuration = current_match_configuration(context.project)
    context.report(Progress("Indexing", 0, result.rows_loaded_count, "records"))
    with open_engine(context.limits) as con:
        target = context.project_folder / f"{context.stem}.index"
        return write_index(con, result.records.path, index_content(configuration), target)


def _data_file(context: JobContext) -> DataFile:
    name = context.job.parameters["file_name"]
    manifest = examine_package(context.envelope_path, package_limits()).manifest
    for data_file in manifest.data_files:
        if data_file.file_name == name:
            return data_file
    raise JobError(f"{name!r} is not in the Envelope's manifest any more. Submit the Envelope again.")


def _request(context: JobContext, data_file: DataFile) -> LoadRequest:
    envelope, project = context.envelope, context.project
    source = spool_data_file(
        context.envelope_path, data_file, context.scratch_folder, package_limits(), context.report
    )
    event_type = EventType.objects.select_related("import_format").get(code=data_file.event_type_code)
    # what is held may come again for an estimation: nothing of that is kept, so it ends nothing
    estimates = is_estimation(envelope)
    request = load_request(
        project,
        event_type,
        LoadSource(source, data_file.file_name, parquet=data_file.file_format is FileFormat.PARQUET),
        LoadTarget(
            folder=context.project_folder,
            stem=context.stem,
            first_record_id=batch_catalog.next_id(
                batch_catalog.visible_batches(envelope, BatchKind.RECORDS)
                # an id that has ended is never given again
                | batch_catalog.visible_batches(envelope, BatchKind.ENDS)
            ),
            held_records=()
            if estimates
            else context.paths(batch_catalog.held_batches(envelope, BatchKind.RECORDS)),
            ended=() if estimates else context.paths(batch_catalog.visible_batches(envelope, BatchKind.ENDS)),
            own_records=context.paths(batch_catalog.own_batches(envelope, BatchKind.RECORDS)),
            updates=update_mode(project, event_type),
        ),
        context.limits,
    )
    return replace(request, keep_aux=False, shows_values=False) if estimates else request


def update_mode(project: LinkageProject, event_type: EventType) -> UpdateMode:
    """Return what is done with records of an Event Type that come again.

    Raises:
        JobError: if it was never attached to the project.
    """
    attached = AttachedEventType.objects.filter(project=project, event_type=event_type).first()
    if attached is None:
        raise JobError(
            f"Event Type {event_type.code} is not attached to project {project.code}. Attach it, then retry."
        )
    return UpdateMode(attached.updates)


@dataclass(frozen=True)
class LoadSource:
    """A data file on disk, and its name in messages."""

    path: Path
    name: str
    parquet: bool


@dataclass(frozen=True)
class LoadTarget:
    """Where records go, and what they follow on (see `LoadRequest`)."""

    folder: Path
    stem: str
    first_record_id: int
    held_records: tuple[Path, ...]
    ended: tuple[Path, ...] = ()
    own_records: tuple[Path, ...] = ()
    updates: UpdateMode = UpdateMode.REJECT


def load_request(
    project: LinkageProject, event_type: EventType, source: LoadSource, target: LoadTarget, limits: EngineLimits
) -> LoadRequest:
    """Say how a data file of an Event Type is loaded into a project, by its Import Format and the Settings."""
    fields = linkage_fields(project)
    return LoadRequest(
        source=source.path,
        source_name=source.name,
        parquet=source.parquet,
        import_format=parse_import_format(event_type.import_format.definition, fields),
        fields=fields,
        event_type_code=event_type.code,
        first_record_id=target.first_record_id,
        held_records=target.held_records,
        ended=target.ended,
        own_records=target.own_records,
        updates=target.updates,
        keep_aux=project.keep_unused_columns,
        target_folder=target.folder,
        stem=target.stem,
        max_rejected_rows=int(read_setting("Worker.Load.MaxRejectedRows")),
        maps=standardisation_maps(),
        limits=limits,
    )


def standardisation_maps() -> StandardisationMaps:
    """Return the maps of sex and state: the built-in spellings, and those of the Settings."""
    return StandardisationMaps(
        sex={**DEFAULT_SEX_MAP, **read_setting("Standardise.Sex.Map")},
        state={**DEFAULT_STATE_MAP, **read_setting("Standardise.State.Map")},
    )


def _batches(result: LoadResult) -> list[NewBatch]:
    batches = [
        written_batch(
            BatchKind.RECORDS, result.records, first_id=result.first_record_id, last_id=result.last_record_id
        )
    ]
    if result.aux is not None:
        batches.append(written_batch(BatchKind.AUX, result.aux))
    if result.ends is not None:
        # its ids are those of records that are there: the next free id does not depend on it
        batches.append(written_batch(BatchKind.ENDS, result.ends))
    if result.rejects is not None:
        batches.append(
            NewBatch(
                kind=BatchKind.REJECTS,
                file_name=result.rejects.name,
                rows_count=result.rows_rejected_count,
                bytes_count=result.rejects.stat().st_size,
            )
        )
    return batches


def _statistics(data_file: DataFile, result: LoadResult) -> dict[str, Any]:
    return {
        "file": data_file.file_name,
        "event_type": data_file.event_type_code,
        "rows_read_count": result.rows_read_count,
        "rows_loaded_count": result.rows_loaded_count,
        "rows_replaced_count": result.rows_replaced_count,
        "rows_skipped_count": result.rows_skipped_count,
        "rows_rejected_count": result.rows_rejected_count,
        "rejected_by_reason": dict(result.rejected_by_reason),
        "bytes_read_count": result.bytes_read_count,
        "fields": [{"field": name, **asdict(statistics)} for name, statistics in result.fields.items()],
    }
