"""Starts a Compact job of a project, for a person or by itself when many small batches have come together."""

from django.db import transaction
from django.db.models import Count

from linkwright.config import load_config
from linkwright.engine.compaction import SMALL_ROWS, compacted_count
from linkwright.errors import LinkwrightError
from linkwright.jobs.damaged_files import damaged_files
from linkwright.queue.enqueue import Step, enqueue_job
from linkwright.queue.order import queue_state
from linkwright.store.audit_log import Actor, record_action
from linkwright.store.compacted_batches import COMPACTED_KINDS, plan_project
from linkwright.store.models import Batch, BatchState, EndReason, Job, JobKind, JobState, LinkageProject
from linkwright.store.settings import read_setting

_OPEN = (JobState.QUEUED, JobState.RUNNING)
_FAILED = (EndReason.FAILED, EndReason.CRASHED)


class CompactRefusedError(LinkwrightError):
    """There is nothing to compact, or a Compact job waits already; the text says which."""


def start_compact(project: LinkageProject, actor: Actor) -> Job | None:
    """Queue a Compact job of a project; returns None if there is nothing to do, or one is queued or runs."""
    with transaction.atomic():
        # two who ask at once: the second sees the job of the first
        queue_state(lock=True)
        if why_not_compact(project):
            return None
        job = enqueue_job(Step(JobKind.COMPACT), project)
        record_action(actor, "compact project", str(job), project_code=project.code)
    return job


def why_not_compact(project: LinkageProject) -> str:
    """Return the sentence that says why there is no Compact job to start, or '' if there is."""
    waiting = Job.objects.filter(project=project, kind=JobKind.COMPACT, state__in=_OPEN).first()
    if waiting is not None:
        return f"Job {waiting.pk} (Compact) of project {project.code} is queued or runs already. Wait for its end."
    if not plan_project(project) and not damaged_files(load_config(), project):
        return (
            f"Project {project.code} has no small files to compact: they were compacted, or each holds "
            f"{SMALL_ROWS:,} rows and more."
        )
    return ""


def compact_if_due(project: LinkageProject) -> Job | None:
    """Queue a Compact job if more small batches than the Setting allows have come together.

    Call it in the transaction that ends the last job of a chain: the job is queued behind all others, and nothing
    comes between the jobs of a chain. After a Compact that failed, a person has to start the next: it would fail
    again with every Envelope.
    """
    limit = int(read_setting("Worker.Compact.AfterBatches"))
    if not limit or _small_batches_count(project) <= limit:
        return None
    last = Job.objects.filter(project=project, kind=JobKind.COMPACT).order_by("-pk").first()
    if last is not None and (last.state in _OPEN or last.end_reason in _FAILED):
        return None
    if max((compacted_count(runs) for runs in plan_project(project).values()), default=0) <= limit:
        return None
    return enqueue_job(Step(JobKind.COMPACT), project)


def _small_batches_count(project: LinkageProject) -> int:
    """Return how many small batches of one kind are read one by one, of the kind that has most."""
    live = Batch.objects.filter(project=project, state=BatchState.LIVE, compacted_into=None, position=None)
    small = live.filter(kind__in=COMPACTED_KINDS, rows_count__lt=SMALL_ROWS)
    counts = small.order_by().values_list("kind").annotate(count=Count("pk"))
    return max((count for _kind, count in counts), default=0)
