"""Detaches an Event Type from a project: an Envelope without a file ends all its records, through the queue."""

from dataclasses import dataclass

from django.db import transaction
from django.utils import timezone

from linkwright.config import ServerConfig
from linkwright.envelopes.manifest import RequestType
from linkwright.errors import LinkwrightError
from linkwright.jobs.delete import EVENT_TYPE
from linkwright.queue.enqueue import Step, enqueue_chain
from linkwright.queue.order import queue_state
from linkwright.services.live_project import open_live_project
from linkwright.store.audit_log import Actor, record_action
from linkwright.store.models import AttachedEventType, Envelope, EnvelopeState, JobKind, LinkageProject
from linkwright.store.queries.attachments import attached_event_types, find_attachment
from linkwright.warehouse.ends import count_event_type

NAME_LENGTH = 255


class DetachRefusedError(LinkwrightError):
    """The Event Type cannot be detached; the text says why."""


@dataclass(frozen=True)
class DetachPreview:
    """What detaching an Event Type would do.

    Args:
        records_count: its live records, which would end.
        groups_count: groups that hold any of them, which would be worked out anew.
        waiting: Envelopes of the project that are queued or running with data of the Event Type: they are
            processed before it, and their records end as well.
        refusal: why it cannot be detached, as a sentence; empty if it can.
    """

    records_count: int
    groups_count: int
    waiting: tuple[Envelope, ...]
    refusal: str


def preview_detach(config: ServerConfig, project: LinkageProject, code: str) -> DetachPreview:
    """Count what detaching would end.

    Raises:
        StorageError: if a file of the project cannot be read.
    """
    with open_live_project(config, project) as live:
        counts = count_event_type(live.limits, live.files, code)
    queued = Envelope.objects.filter(project=project, state=EnvelopeState.QUEUED).order_by("pk")
    return DetachPreview(
        records_count=counts.records_count,
        groups_count=counts.groups_count,
        waiting=tuple(envelope for envelope in queued if code in envelope.event_type_codes),
        refusal=_why_not_detach(project, code, find_attachment(project, code)),
    )


def detach_event_type(project: LinkageProject, code: str, actor: Actor, *, reason: str) -> Envelope:
    """Queue the Envelope that ends all records of an Event Type; from now on no new data of it is accepted.

    It queues behind all others: what was sent before is processed before. It can be cancelled, retried and rolled
    back as any Envelope; cancelled or rolled back, the Event Type is attached again.

    Raises:
        DetachRefusedError: if it is not attached, or the reason is empty.
    """
    if not reason.strip():
        raise DetachRefusedError("Detaching needs a reason: it stands in the audit log for ever. Give one.")
    with transaction.atomic():
        # two people who ask at once: the second sees the Envelope of the first
        queue_state(lock=True)
        attached = find_attachment(project, code)
        refusal = _why_not_detach(project, code, attached)
        if attached is None or refusal:
            raise DetachRefusedError(refusal)
        envelope = Envelope.objects.create(
            name=f"Detach {code}"[:NAME_LENGTH],
            request_type=RequestType.SUBMIT_DELETION.value,
            project=project,
            project_code=project.code,
            sender_code=attached.event_type.provider.code,
            event_type_codes=[code],
            # there is no file: what it asks for stands in its first job
            file_name="",
            received_at=timezone.now(),
            received_by=actor.user,
        )
        steps = [Step(JobKind.DELETE, {EVENT_TYPE: code}), Step(JobKind.GROUP), Step(JobKind.REPORT)]
        enqueue_chain(envelope, steps)
        attached.detached_by = envelope
        attached.save(update_fields=["detached_by"])
        record_action(
            actor,
            "detach Event Type",
            code,
            project_code=project.code,
            reason=reason.strip(),
            detail={"envelope": envelope.pk},
        )
    return envelope


def _why_not_detach(project: LinkageProject, code: str, attached: AttachedEventType | None) -> str:
    if project.why_closed:
        return project.why_closed
    if attached is not None and attached.is_attached:
        return ""
    if attached is not None and attached.is_being_detached:
        return (
            f"Event Type {code} is being detached from project {project.code} already, by {attached.detached_by}."
        )
    known = ", ".join(attached_event_types(project).values_list("code", flat=True)) or "none"
    return f"Event Type {code!r} is not attached to project {project.code}. Attached are: {known}."
