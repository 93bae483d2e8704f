"""Envelopes and jobs for the tests of the queue, without any linkage behind them."""

from collections.abc import Callable

import pytest
from django.utils import timezone

from linkwright.queue.enqueue import Step, enqueue_chain
from linkwright.store.models import Envelope, Job, JobKind, LinkageProject

CHAIN = (JobKind.VALIDATE, JobKind.LOAD, JobKind.MATCH, JobKind.GROUP, JobKind.REPORT)

MakeEnvelope = Callable[..., Envelope]


@pytest.fixture
def make_envelope(db: None) -> MakeEnvelope:
    """Return a function that receives an Envelope and queues its chain."""

    def make(name: str, project_code: str = "P1", kinds: tuple[JobKind, ...] = CHAIN) -> Envelope:
        project, _made = LinkageProject.objects.get_or_create(code=project_code, defaults={"name": project_code})
        envelope = Envelope.objects.create(
            name=name,
            project=project,
            project_code=project_code,
            file_name=f"{name}.zip",
            received_at=timezone.now(),
        )
        enqueue_chain(envelope, [Step(kind) for kind in kinds])
        return envelope

    return make


def jobs_of(envelope: Envelope) -> list[Job]:
    """Return an Envelope's jobs in the order of its chain."""
    return list(Job.objects.filter(envelope=envelope).order_by("chain_position"))


def states_of(envelope: Envelope) -> list[str]:
    """Return the states of an Envelope's jobs in the order of its chain."""
    return [job.state for job in jobs_of(envelope)]
