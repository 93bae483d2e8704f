"""Validate: every byte of the Envelope is read, and every code that it names is looked up.

A damaged Envelope is Corrupt, for good; unknown codes are Errors that can be mended and retried, and are all
named at once.
"""

from collections.abc import Iterable

from linkwright.envelopes.manifest import Manifest, RequestType
from linkwright.envelopes.package import verify_package
from linkwright.errors import FaultsError
from linkwright.jobs.context import JobContext, JobResult, package_limits
from linkwright.jobs.extraction_project import event_type_codes, find_extraction_project, why_not_extract
from linkwright.jobs.format_fit import why_not_load
from linkwright.store.models import (
    AttachedEventType,
    DataProvider,
    Envelope,
    EventType,
    LinkageProject,
    Severity,
)
from linkwright.store.permissions import project_for_sender
from linkwright.store.queries.attachments import attached_event_types, find_attachment
from linkwright.store.series import settle_project

LISTED_CODES = 20
_LOADS = (RequestType.SUBMIT_LINKAGE, RequestType.ESTIMATE_PROBABILITIES)


class RefusedEnvelopeError(FaultsError):
    """The Envelope is readable, but names what is unknown or not allowed; once mended, it can be retried."""


def run_validate(context: JobContext) -> JobResult:
    """Verify the Envelope and resolve its codes.

    Raises:
        CorruptEnvelopeError: if it can never be used.
        RefusedEnvelopeError: naming every unknown or forbidden code at once.
    """
    envelope = context.envelope
    verification = verify_package(context.envelope_path, package_limits(), context.report)
    manifest = verification.examination.manifest
    project = envelope.project or project_for_sender(manifest.linkage_project, envelope.received_by)
    faults = manifest_code_faults(manifest, project, envelope)
    if faults or project is None:
        raise RefusedEnvelopeError(
            f"{envelope.name} is refused. Mend what is named here, then retry the Validate job.", faults
        )
    if verification.examination.unlisted_files:
        names = ", ".join(verification.examination.unlisted_files[:10])
        context.notify(Severity.INFO, f"Files that the manifest does not list are not used: {names}.")

    def commit() -> None:
        settle_project(envelope, project)

    files = [
        {
            "file": file.data_file.file_name,
            "event_type": file.data_file.event_type_code,
            "format": file.data_file.file_format.value,
            "size_bytes": file.size_bytes,
            "sha256": file.sha256,
        }
        for file in verification.data_files
    ]
    return JobResult(statistics={"files_count": len(files), "files": files}, commit=commit)


def manifest_code_faults(
    manifest: Manifest, project: LinkageProject | None, envelope: Envelope | None = None
) -> list[str]:
    """Name every code of a manifest that is unknown or does not belong; empty if all is well.

    Args:
        manifest: of an Envelope.
        project: None if its code is unknown, or the sender's not to know: both are told in the same words.
        envelope: that has come with it, if it has: what was sent before its Event Type was detached is taken.
    """
    faults = []
    if manifest.request_type is RequestType.ESTIMATE_PROBABILITIES and not manifest.data_files:
        faults.append(
            "Data lists no file: there is nothing to estimate from. List data files and send a new Envelope, or "
            "start an estimation over the held records on the project's page."
        )
    if project is None:
        faults.append(
            f"Linkage Project {manifest.linkage_project!r} is unknown. "
            "Create it, or correct LinkageProject in the manifest and send a new Envelope."
        )
    elif project.why_closed:
        faults.append(f"{project.why_closed} Then retry.")
    provider = DataProvider.objects.filter(code=manifest.sender).first()
    if provider is None:
        faults.append(
            f"Data Provider {manifest.sender!r} is unknown. "
            "Create it, or correct Sender in the manifest and send a new Envelope."
        )
    codes = dict.fromkeys(file.event_type_code for file in manifest.data_files)
    for code in codes:
        faults.extend(_event_type_faults(code, project, provider, envelope))
        if project is not None and manifest.request_type in _LOADS:
            faults.extend(_format_faults(code, project))
    if project is not None and manifest.extraction_project is not None:
        faults.extend(_extraction_faults(manifest.extraction_project, project, codes))
    return faults


def _extraction_faults(code: str, project: LinkageProject, event_types: Iterable[str]) -> list[str]:
    extraction_project = find_extraction_project(project, code)
    if extraction_project is None:
        # one of another project is as unknown: its code is not the sender's to know
        remedy = "Create it, or correct ExtractionProject in the manifest and send a new Envelope."
        return [f"Extraction Project {code!r} is unknown in {project.code}. {remedy}"]
    shown = event_type_codes(extraction_project)
    part_of = f"part of Extraction Project {code!r}, which shows {', '.join(shown)}"
    faults = [
        f"Event Type {one!r} is not {part_of}. Leave its data file out, and send a new Envelope."
        for one in event_types
        if one not in shown
    ]
    refusal = why_not_extract(extraction_project)
    return [*faults, refusal] if refusal else faults


def _event_type_faults(
    code: str, project: LinkageProject | None, provider: DataProvider | None, envelope: Envelope | None
) -> list[str]:
    event_type = EventType.objects.filter(code=code).select_related("provider").first()
    if event_type is None:
        # of this project alone: the codes of others are not the sender's to know
        known = _known(attached_event_types(project).values_list("code", flat=True)) if project else ""
        remedy = "Create it, or correct the datasource in the manifest and send a new Envelope."
        return [" ".join(part for part in (f"Event Type {code!r} is unknown.", known, remedy) if part)]
    faults = []
    if provider is not None and event_type.provider_id != provider.pk:
        faults.append(
            f"Event Type {code!r} belongs to Data Provider {event_type.provider.code}, not to the Sender "
            f"{provider.code}. An Envelope holds data of one Data Provider: send it under that provider's code."
        )
    attached = find_attachment(project, code) if project is not None else None
    if project is not None and (attached is None or not attached.takes(envelope)):
        faults.append(_not_attached(code, project, attached))
    return faults


def _format_faults(code: str, project: LinkageProject) -> list[str]:
    attached = attached_event_types(project).select_related("import_format").filter(code=code).first()
    misfit = why_not_load(project, attached) if attached is not None else ""
    return [f"{misfit} Then retry."] if misfit else []


def _not_attached(code: str, project: LinkageProject, attached: AttachedEventType | None) -> str:
    if attached is not None and attached.is_being_detached:
        return (
            f"Event Type {code!r} is being detached from project {project.code}, by {attached.detached_by}: it "
            "takes no new data. Attach it again once that has ended, then retry."
        )
    return f"Event Type {code!r} is not attached to project {project.code}. Attach it to the project, then retry."


def _known(codes: Iterable[str]) -> str:
    known = sorted(codes)
    if not known:
        return "None is attached to the project yet."
    more = f" and {len(known) - LISTED_CODES} more" if len(known) > LISTED_CODES else ""
    return f"Attached: {', '.join(known[:LISTED_CODES])}{more}."
