"""Attaches an Event Type to a project, and says what is done with records of it that come again."""

from django.db import transaction
from django.utils import timezone

from linkwright.engine.update_mode import UpdateMode
from linkwright.errors import LinkwrightError
from linkwright.jobs.format_fit import why_not_load
from linkwright.queue.finish import end_envelope_cancelled, withdraw_open_jobs
from linkwright.queue.order import queue_state
from linkwright.store import batch_catalog
from linkwright.store.audit_log import Actor, record_action
from linkwright.store.models import (
    AttachedEventType,
    EndReason,
    Envelope,
    EnvelopeState,
    EventType,
    LinkageProject,
)
from linkwright.store.queries.attachments import attached_event_types, find_attachment


class AttachRefusedError(LinkwrightError):
    """The Event Type cannot be attached, or its update mode not changed; the text says why."""


def attach_event_type(
    project: LinkageProject, code: str, actor: Actor, *, updates: UpdateMode = UpdateMode.REJECT
) -> AttachedEventType:
    """Attach an Event Type, or attach it again after it was detached: its records that ended stay ended.

    Raises:
        AttachRefusedError: if there is no such Event Type, it is attached already, its detaching is under way, or
            its Import Format does not fit the project's linkage fields.
    """
    with transaction.atomic():
        # the Envelope that detaches it neither starts nor ends meanwhile
        queue_state(lock=True)
        event_type = EventType.objects.select_related("import_format").filter(code=code).first()
        if event_type is None:
            known = ", ".join(EventType.objects.order_by("code").values_list("code", flat=True)) or "none yet"
            raise AttachRefusedError(f"There is no Event Type {code!r}. There are: {known}.")
        attached = find_attachment(project, code)
        if misfit := why_not_load(project, event_type):
            raise AttachRefusedError(f"{code} was not attached. {misfit}")
        if attached is None:
            attached = AttachedEventType.objects.create(project=project, event_type=event_type, updates=updates)
        else:
            refusal = why_not_attach(attached)
            if refusal:
                raise AttachRefusedError(refusal)
            _attach_again(attached, updates)
        record_action(
            actor, "attach Event Type", code, project_code=project.code, detail={"updates": updates.value}
        )
    return attached


def why_not_attach(attached: AttachedEventType) -> str:
    """Return the sentence that says why an Event Type cannot be attached again now, or '' if it can."""
    code, project_code = attached.event_type.code, attached.project.code
    if attached.is_attached:
        return f"Event Type {code} is attached to project {project_code} already."
    if attached.detached_by is not None and attached.detached_by.state == EnvelopeState.QUEUED:
        return (
            f"Event Type {code} is being detached from project {project_code}, by {attached.detached_by}. Wait "
            "until that has ended, or cancel it: then the Event Type stays attached."
        )
    return ""


def change_update_mode(
    project: LinkageProject, code: str, actor: Actor, *, updates: UpdateMode
) -> AttachedEventType:
    """Change what is done with records that come again; it holds for the Load jobs that start from then on.

    Raises:
        AttachRefusedError: if the Event Type is not attached.
    """
    with transaction.atomic():
        attached = AttachedEventType.objects.select_for_update().filter(project=project, event_type__code=code)
        row = attached.first()
        if row is None or not row.is_attached:
            known = ", ".join(attached_event_types(project).values_list("code", flat=True)) or "none"
            raise AttachRefusedError(
                f"Event Type {code!r} is not attached to project {project.code}. Attached are: {known}."
            )
        if row.updates != updates:
            before, row.updates = row.updates, updates
            row.save(update_fields=["updates"])
            record_action(
                actor,
                "change update mode",
                code,
                project_code=project.code,
                detail={"from": str(before), "to": updates.value},
            )
    return row


def _attach_again(attached: AttachedEventType, updates: UpdateMode) -> None:
    failed = attached.detached_by
    if failed is not None and failed.state == EnvelopeState.ERRORS:
        # a retry would end the records of an Event Type that is attached: it is given up
        withdraw_open_jobs(failed, EndReason.CANCELLED, "the Event Type was attached again")
        end_envelope_cancelled(failed)
        batch_catalog.remove(Envelope.objects.get(pk=failed.pk))
    attached.detached_by, attached.updates, attached.attached_at = None, updates, timezone.now()
    attached.save(update_fields=["detached_by", "updates", "attached_at"])
