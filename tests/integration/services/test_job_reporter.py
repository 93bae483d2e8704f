"""What a running job writes about its stages."""

from collections.abc import Callable

import pytest
from django.utils import timezone

from linkwright.engine.progress import Progress
from linkwright.services.end_job import end_job_cancelled, fail_job
from linkwright.store.models import AuditMessage, EndReason, Job, JobKind, JobState, QueueState
from linkwright.store.queries.job_lists import read_job_rows
from linkwright.worker.reporting import JobReporter

pytestmark = pytest.mark.django_db


def end_cancelled(job: Job) -> None:
    end_job_cancelled(job, attempt=1)


def end_dead(job: Job) -> None:
    fail_job(job, attempt=1, message="Its process died.", end_reason=EndReason.CRASHED)


def test_the_audit_takes_no_total_for_the_size_of_one_file_and_no_one_for_many() -> None:
    job = Job.objects.create(
        kind=JobKind.BACKUP, state=JobState.RUNNING, attempt=1, queue_rank=1, queued_at=timezone.now()
    )
    reporter = JobReporter(job, 1)
    for progress in (
        Progress("Verifying manifest.xml", 900, 28_663, "bytes"),
        Progress("count", 0, 1, "strategies"),
        Progress("write"),
    ):
        reporter.report(progress)
    assert list(AuditMessage.objects.order_by("pk").values_list("text", flat=True)) == [
        "Verifying manifest.xml: 28,663 bytes in all",
        "count: started",
        "write: started",
    ]


@pytest.mark.parametrize("ends", [end_cancelled, end_dead])
def test_a_job_whose_process_is_killed_keeps_the_peak_memory_that_it_told_last(
    ends: Callable[[Job], None],
) -> None:
    QueueState.objects.get_or_create(pk=1)
    job = Job.objects.create(
        kind=JobKind.BACKUP, state=JobState.RUNNING, attempt=1, queue_rank=1, queued_at=timezone.now()
    )
    JobReporter(job, 1).report(Progress("count", 1, 2, "files"))
    told = Job.objects.get(pk=job.pk).peak_memory_bytes
    assert told is not None
    assert told > 1_000_000
    # a running job's row stays the same while it grows
    assert read_job_rows([job.pk])[0].peak_memory_bytes is None
    ends(job)
    assert read_job_rows([job.pk])[0].peak_memory_bytes == told
