"""Extract: the records of an Extraction Project under their Person Keys, one result Envelope per Event Type."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.utils import timezone

from linkwright.engine.extraction import ExtractionColumn, parse_columns
from linkwright.engine.masking import PersonKeys, extraction_key
from linkwright.envelopes.manifest import Manifest
from linkwright.envelopes.package import examine_package
from linkwright.jobs.context import JobContext, JobError, JobResult, package_limits
from linkwright.jobs.extraction_project import (
    event_type_codes,
    extraction_project_of,
    find_extraction_project,
    live_files,
    why_not_extract,
)
from linkwright.jobs.extraction_result import PackedResult, keep_results, pack_result
from linkwright.jobs.keyring import secret_of_version
from linkwright.jobs.listed_rows import read_lines
from linkwright.jobs.written_batch import written_part
from linkwright.store import batch_catalog
from linkwright.store.extraction_catalog import floors_of, parts_of, set_parts
from linkwright.store.models import (
    Batch,
    BatchKind,
    Envelope,
    EnvelopeState,
    EventType,
    ExtractionFormat,
    ExtractionProject,
    ExtractionResult,
    Severity,
)
from linkwright.warehouse.extraction import NAMED_COUNT, Comparison, Extracted, ExtractionRequest, extract
from linkwright.warehouse.extraction_map import CurrentMap, KeptMap
from linkwright.warehouse.live_files import RecordKey

WITH_CHANGES = "with_changes"
"""Parameter of the job: whether the changes of keys since the latest extraction are given out as a list."""


@dataclass(frozen=True)
class _Asked:
    """What is to be extracted; `listed` is None if all records are asked for."""

    extraction_project: ExtractionProject
    event_types: tuple[str, ...]
    listed: Iterator[RecordKey] | None
    with_changes: bool


def run_extract(context: JobContext) -> JobResult:
    """Extract, pack the results, and keep them.

    Raises:
        JobError: if the Extraction Project is closed, its snapshot is not made, or a list is no text.
        KeyringError: if the secret that its keys follow from is gone or another one.
        StorageError: if a file cannot be read or written.
    """
    asked = _asked(context)
    extraction_project = asked.extraction_project
    refusal = why_not_extract(extraction_project)
    if refusal:
        raise JobError(refusal)
    context.audit(
        f"Extraction Project {extraction_project.code} ({extraction_project.get_kind_display()}), Event Types "
        f"{', '.join(asked.event_types)}"
    )
    extracted = extract(_request(context, asked), context.report)
    if extracted.unknown_count:
        context.notify(Severity.WARNING, _unknown_text(extracted))
    packed = [pack_result(context, extraction_project, one) for one in extracted.types]
    keep_results(context.config, packed)
    return JobResult(
        statistics=_statistics(asked, extracted, packed),
        commit=lambda: _commit(context, extraction_project, extracted, packed),
    )


def _asked(context: JobContext) -> _Asked:
    if context.job.envelope is None:
        extraction_project = extraction_project_of(context)
        with_changes = bool(context.job.parameters.get(WITH_CHANGES, True))
        return _Asked(extraction_project, event_type_codes(extraction_project), None, with_changes)
    manifest = examine_package(context.envelope_path, package_limits()).manifest
    code = manifest.extraction_project or ""
    found = find_extraction_project(context.project, code)
    if found is None:
        raise JobError(f"Extraction Project {code!r} is unknown in {context.project.code}. Retry Validate.")
    wanted = {file.event_type_code for file in manifest.data_files}
    codes = tuple(one for one in event_type_codes(found) if one in wanted or not wanted)
    return _Asked(found, codes, _listed(context, manifest), with_changes=True)


def _listed(context: JobContext, manifest: Manifest) -> Iterator[RecordKey] | None:
    if not manifest.data_files:
        return None
    return (
        RecordKey(data_file.event_type_code, line)
        for data_file, lines in read_lines(context, package_limits())
        for _number, line in lines
    )


def _request(context: JobContext, asked: _Asked) -> ExtractionRequest:
    extraction_project, project = asked.extraction_project, context.project
    secret = secret_of_version(
        context.config, extraction_project.secret_version, extraction_project.secret_fingerprint
    )
    folder = context.scratch_folder / "results"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    source: KeptMap | CurrentMap
    if extraction_project.is_snapshot:
        parts = [(part.records, part.sha256) for part in parts_of(extraction_project)]
        source = KeptMap(tuple((_path(context, file), sha256) for file, sha256 in parts if file is not None))
    else:
        source = CurrentMap(live_files(context, []), floors_of(project))
    return ExtractionRequest(
        source=source,
        event_types=event_type_codes(extraction_project),
        extracted=asked.event_types,
        listed=asked.listed,
        columns=parse_columns(extraction_project.columns),
        constants={
            ExtractionColumn.LINKAGE_PROJECT_CODE: project.code,
            ExtractionColumn.EXTRACTION_PROJECT_ID: extraction_project.code,
        },
        is_parquet=extraction_project.file_format == ExtractionFormat.PARQUET,
        keys=PersonKeys(extraction_key(secret.value, extraction_project.uuid)),
        comparison=None if extraction_project.is_snapshot else _comparison(context, asked),
        folder=folder,
        limits=context.limits,
    )


def _comparison(context: JobContext, asked: _Asked) -> Comparison:
    kept_at = asked.extraction_project.kept_at
    ledger, decisions = None, context.paths(())
    if kept_at is not None:
        # of what was rolled back since, the groups are there, and not the records
        files = [part.records or part.groups for part in parts_of(asked.extraction_project)]
        ledger = context.paths(filter(None, files))
        live = batch_catalog.live_batches(context.project, BatchKind.DECISIONS)
        decisions = context.paths(live.filter(created_at__gt=kept_at))
    return Comparison(
        ledger=ledger,
        decisions=decisions,
        stem=context.project_folder / f"{context.stem}-ledger",
        is_listed=asked.with_changes,
    )


def _path(context: JobContext, batch: Batch) -> Path:
    return context.project_folder / batch.file_name


def _commit(
    context: JobContext,
    extraction_project: ExtractionProject,
    extracted: Extracted,
    packed: Sequence[PackedResult],
) -> None:
    envelope = context.job.envelope
    if envelope is not None:
        if Envelope.objects.get(pk=envelope.pk).state == EnvelopeState.CANCELLED:
            # in the very moment of the end: it must have changed nothing, and the files are swept
            return
        Envelope.objects.filter(pk=envelope.pk).update(
            records_count=sum(one.records_count for one in extracted.types)
        )
    now = timezone.now()
    event_types = {one.code: one for one in EventType.objects.filter(extraction_projects=extraction_project)}
    ExtractionResult.objects.bulk_create(
        ExtractionResult(
            extraction_project=extraction_project,
            event_type=event_types[one.event_type],
            job=context.job,
            envelope=envelope,
            file_name=result.file_name,
            records_count=one.records_count,
            persons_count=one.persons_count,
            changes_count=one.changes_count,
            bytes_count=result.bytes_count,
            sha256=result.sha256,
            created_at=now,
            expires_at=now + timedelta(days=extraction_project.keep_results_days),
        )
        for one, result in zip(extracted.types, packed, strict=True)
    )
    if extracted.ledger is not None:
        new = [written_part(part, BatchKind.LEDGER) for part in extracted.ledger]
        set_parts(extraction_project, context.job, new)


def _unknown_text(extracted: Extracted) -> str:
    named = ", ".join(map(str, extracted.unknown))
    left = extracted.unknown_count - len(extracted.unknown)
    more = f" and {left:,} more" if left else ""
    return (
        f"{extracted.unknown_count:,} listed records are not in what the Extraction Project shows, and were "
        f"passed over: {named}{more}. Check the list; what it names right was extracted."
    )


def _statistics(asked: _Asked, extracted: Extracted, packed: Sequence[PackedResult]) -> dict[str, Any]:
    statistics: dict[str, Any] = {
        "extraction_project": asked.extraction_project.code,
        "records_count": sum(one.records_count for one in extracted.types),
        "package_bytes": sum(one.bytes_count for one in packed),
    }
    if extracted.keys is not None:
        statistics |= {
            "new_keys_count": extracted.keys.new_count,
            "kept_keys_count": extracted.keys.kept_count,
            "retired_keys_count": extracted.keys.retired_count,
        }
    if asked.listed is not None:
        statistics["unknown_count"] = extracted.unknown_count
    statistics["event_types"] = [
        {
            "event_type": one.event_type,
            "records_count": one.records_count,
            "persons_count": one.persons_count,
            **({} if one.changes_count is None else {"changes_count": one.changes_count}),
            "package_bytes": result.bytes_count,
            "sha256": result.sha256,
        }
        for one, result in zip(extracted.types, packed, strict=True)
    ]
    if extracted.changes is not None:
        statistics["changed_keys"] = [
            {"reason": reason.value, "keys_count": count} for reason, count in extracted.changes.items()
        ]
    if extracted.unknown:
        statistics["unknown_records"] = [{"record": str(key)} for key in extracted.unknown[:NAMED_COUNT]]
    return statistics
