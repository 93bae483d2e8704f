"""What a running job writes about its stages."""

import pytest
from django.utils import timezone

from linkwright.engine.progress import Progress
from linkwright.store.models import AuditMessage, Job, JobKind, JobState
from linkwright.worker.reporting import JobReporter

pytestmark = pytest.mark.django_db


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
