"""Submits a single data file: it becomes an Envelope implicitly, with what a manifest needs worked out here.

Owns which data actions a single file can ask for, and what is checked before anything is queued. The page, the API
and the command line all call it. Source: SPEC section 2 (Ways in: a single data file).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from linkwright.config import load_config
from linkwright.envelopes.builder import SourceFile, build_package
from linkwright.envelopes.corruption import bytes_text
from linkwright.envelopes.manifest import FileFormat, RequestType
from linkwright.envelopes.names import name_fault
from linkwright.errors import FaultsError
from linkwright.jobs.context import package_limits
from linkwright.jobs.format_fit import why_not_load
from linkwright.services.kept_file import KeptFile, digest_of, new_file_name
from linkwright.services.receive_envelope import register_envelope, shown_name
from linkwright.store.audit_log import Actor
from linkwright.store.models import Envelope, EventType, LinkageProject
from linkwright.store.queries.attachments import attached_event_types

# an extraction takes its Event Types from its Extraction Project, not from a file
SINGLE_FILE_ACTIONS = (
    RequestType.SUBMIT_LINKAGE,
    RequestType.SUBMIT_DELETION,
    RequestType.ESTIMATE_PROBABILITIES,
    RequestType.SUBMIT_QUALITY_REVIEW,
)
_HOLDS_RECORDS = (RequestType.SUBMIT_LINKAGE, RequestType.ESTIMATE_PROBABILITIES)
_PARQUET_MAGIC = b"PAR1"
_DATA_ENDINGS = (".gz", ".csv", ".tsv", ".txt", ".dat", ".parquet")
_LONGEST_NAME = 255


class DataFileRefusedError(FaultsError):
    """The data file cannot be submitted as it was asked; every fault is named, and nothing was queued."""


@dataclass(frozen=True)
class DataFileSubmission:
    """A data file on disk, and what shall be done with it.

    Args:
        path: the file; it is left where it is.
        file_name: what its sender calls it; so it is called in the Envelope.
        project_code: Linkage Project.
        request_type: one of SINGLE_FILE_ACTIONS.
        event_type_code: attached to the project; '' for a quality review, whose file names the Event Types itself.
        name: of the Envelope; `default_name` if empty.
    """

    path: Path
    file_name: str
    project_code: str
    request_type: RequestType
    event_type_code: str = ""
    name: str = ""


def submit_data_file(submission: DataFileSubmission, actor: Actor, *, kept_name: str = "") -> Envelope:
    """Wrap a data file into an Envelope, in bounded memory, and queue its jobs.

    Permission is the caller's to ask for: `submit` in the project.

    Args:
        submission: what is submitted.
        actor: who does it.
        kept_name: the name under which the Envelope is kept, for a caller that must find it again; else a new one.

    Raises:
        DataFileRefusedError: naming everything that is unknown, not allowed, or does not fit together.
        BuildError: if the file cannot be read, is broken gzip, or there is no room for the Envelope.
    """
    event_type = demand_data_file(submission)
    project_code, parquet = submission.project_code, is_parquet(submission.path)
    target = load_config().incoming_folder / (kept_name or new_file_name())
    try:
        build_package(
            target,
            linkage_project=project_code,
            sender=event_type.provider.code,
            request_type=submission.request_type,
            data=[
                SourceFile(
                    path=submission.path,
                    event_type_code=event_type.code,
                    file_format=FileFormat.PARQUET if parquet else FileFormat.FLAT_FILE,
                    name=safe_file_name(submission.file_name),
                )
            ],
            compresses=False,
        )
        size_bytes, sha256 = digest_of(target)
        return register_envelope(
            KeptFile(target, size_bytes, sha256),
            name=submission.name.strip() or default_name(submission.file_name),
            actor=actor,
            detail=_detail(submission),
        )
    except BaseException:
        target.unlink(missing_ok=True)
        raise


def demand_data_file(submission: DataFileSubmission) -> EventType:
    """Check what can be checked at once; returns the Event Type that the Envelope will name.

    Raises:
        DataFileRefusedError: see `submit_data_file`.
    """
    faults: list[str] = []
    project = LinkageProject.objects.filter(code=submission.project_code).first()
    event_type: EventType | None = None
    if submission.request_type not in SINGLE_FILE_ACTIONS:
        allowed = ", ".join(action.value for action in SINGLE_FILE_ACTIONS)
        faults.append(
            f"A single file cannot ask for {submission.request_type.value}; allowed are {allowed}. "
            "Send an Envelope."
        )
    if project is None:
        faults.append(f"Linkage Project {submission.project_code!r} is unknown. Correct the code.")
    elif project.why_closed:
        faults.append(project.why_closed)
    else:
        event_type = _event_type(submission, project, faults)
    faults += _file_faults(submission)
    if faults or event_type is None:
        raise DataFileRefusedError(f"{shown_name(submission.file_name)} cannot be submitted.", faults)
    return event_type


def is_parquet(path: Path) -> bool:
    """Tell whether a file is Parquet, by its first bytes; a file that cannot be read is not."""
    try:
        with path.open("rb") as stream:
            return stream.read(len(_PARQUET_MAGIC)) == _PARQUET_MAGIC
    except OSError:
        return False


def default_name(file_name: str) -> str:
    """Return the name that an Envelope gets from its data file: 'births' from 'births.csv.gz'."""
    name = shown_name(file_name)
    while name.lower().endswith(_DATA_ENDINGS) and not name.startswith("."):
        name = name.rpartition(".")[0]
    return (name or "data file")[:_LONGEST_NAME]


def safe_file_name(file_name: str) -> str:
    """Return a file's name as an Envelope may hold it: without folders, and without what some system forbids."""
    name = shown_name(file_name.replace("\\", "/").rpartition("/")[2])
    name = name.replace("\\", "_").replace(":", "_").strip()
    while len(name.encode()) > _LONGEST_NAME:
        name = name[1:]
    return "data" if name_fault(name) or name.lower() == "manifest.xml" else name


def _event_type(submission: DataFileSubmission, project: LinkageProject, faults: list[str]) -> EventType | None:
    attached = attached_event_types(project).select_related("provider", "import_format")
    codes = ", ".join(event_type.code for event_type in attached)
    if not codes:
        faults.append(f"No Event Type is attached to {project.code}. Attach one before data is submitted.")
        return None
    if submission.request_type is RequestType.SUBMIT_QUALITY_REVIEW and not submission.event_type_code:
        # the manifest must name one; the rows of the file name their own
        return attached[0]
    found = next((each for each in attached if each.code == submission.event_type_code), None)
    if found is None:
        faults.append(
            f"Event Type {submission.event_type_code!r} is not attached to {project.code}; attached: {codes}. "
            "Choose of these."
        )
    elif submission.request_type in _HOLDS_RECORDS and (misfit := why_not_load(project, found)):
        faults.append(misfit)
    return found


def _file_faults(submission: DataFileSubmission) -> list[str]:
    try:
        size_bytes = submission.path.stat().st_size
    except OSError as error:
        return [f"The file cannot be read ({error.strerror}). Send it again."]
    faults = []
    largest_bytes = package_limits().max_size_bytes
    if size_bytes == 0:
        faults.append("The file is empty (0 bytes). Choose another, or have it delivered again.")
    if size_bytes > largest_bytes:
        faults.append(
            f"The file has {bytes_text(size_bytes)}; at most {bytes_text(largest_bytes)} are allowed "
            "(Envelope.MaxSizeMiB). Split it, or have the setting raised."
        )
    if submission.request_type not in _HOLDS_RECORDS and is_parquet(submission.path):
        faults.append("A list of records is a text file, but this is Parquet. Save it as text, one record a line.")
    return faults


def _detail(submission: DataFileSubmission) -> Mapping[str, Any]:
    return {"data_file": shown_name(submission.file_name)}
