"""The rows that a Load rejected, as a file to correct: line, reason, Source Unique ID."""

from dataclasses import dataclass
from pathlib import Path

from django.db.models import QuerySet

from linkwright.config import load_config
from linkwright.errors import LinkwrightError
from linkwright.jobs.context import project_folder
from linkwright.store.audit_log import Actor, record_action
from linkwright.store.models import Batch, BatchKind, BatchState, Job


class NoRejectsError(LinkwrightError):
    """The job rejected nothing, or its file is gone."""


@dataclass(frozen=True)
class RejectsFile:
    """A CSV file with a header, and the name to save it under."""

    path: Path
    name: str


def has_rejects(job_id: int) -> bool:
    """Tell whether a job left rejected rows to download."""
    return _batches(job_id).exists()


def read_rejects(job: Job, actor: Actor) -> RejectsFile:
    """Return where the rejected rows of a job lie; who takes them stands in the audit log.

    Raises:
        NoRejectsError: if there are none.
    """
    batch = _batches(job.pk).select_related("project").first()
    path = None if batch is None else project_folder(load_config(), batch.project) / batch.file_name
    if path is None or not path.is_file():
        raise NoRejectsError(f"Job {job.pk} ({job.kind}) has no rejected rows to download.")
    record_action(actor, "download rejected rows", str(job), project_code=job.project_code)
    source = Path(str(job.parameters.get("file_name", "rows"))).stem
    return RejectsFile(path, f"{source}-rejected.csv")


def _batches(job_id: int) -> QuerySet[Batch]:
    return Batch.objects.filter(job=job_id, kind=BatchKind.REJECTS).exclude(state=BatchState.REMOVED)
