"""Puts jobs into the queue: those of an Envelope together and in their order, or one that belongs to none."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import transaction
from django.utils import timezone

from linkwright.queue.order import back_rank, front_rank, queue_state
from linkwright.queue.transitions import record_event
from linkwright.store.models import Envelope, Job, JobKind, LinkageProject


@dataclass(frozen=True)
class Step:
    """One job to be: its kind, and what it works on."""

    kind: JobKind
    parameters: Mapping[str, Any] = field(default_factory=dict)


def enqueue_chain(envelope: Envelope, steps: Sequence[Step]) -> list[Job]:
    """Queue an Envelope's jobs behind all others, as one unit.

    Returns: the jobs, first to run first.
    """
    with transaction.atomic():
        # The lock keeps two arrivals from taking the same rank.
        queue_state(lock=True)
        rank, now = back_rank(), timezone.now()
        jobs = [
            Job.objects.create(
                kind=step.kind,
                envelope=envelope,
                project=envelope.project,
                project_code=envelope.project_code,
                parameters=dict(step.parameters),
                queue_rank=rank,
                chain_position=position,
                queued_at=now,
            )
            for position, step in enumerate(steps)
        ]
        for job in jobs:
            record_event(job, left="", reason="queued")
    return jobs


def enqueue_job(step: Step, project: LinkageProject | None = None, *, at_front: bool = False) -> Job:
    """Queue a job that belongs to no Envelope, behind all others or before them.

    Without a project it is of the whole system. At the front it still comes after an Envelope that has begun.
    """
    with transaction.atomic():
        queue_state(lock=True)
        job = Job.objects.create(
            kind=step.kind,
            project=project,
            project_code=project.code if project else "",
            parameters=dict(step.parameters),
            queue_rank=front_rank() if at_front else back_rank(),
            queued_at=timezone.now(),
        )
        record_event(job, left="", reason="queued")
    return job
