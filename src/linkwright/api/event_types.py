"""The Event Types of a project: list, one, attach, update mode, detach with its preview. Not the catalog."""

from datetime import datetime
from typing import Annotated

from django.http import Http404, HttpRequest
from ninja import Path, Query, Router, Schema, Status
from pydantic import Field

from linkwright.api.answers import possible_errors
from linkwright.api.envelopes import EnvelopeDetailAnswer, NamedEnvelopeAnswer, envelope_detail, named_envelope
from linkwright.api.paging import NO_ZERO, Code, CodePageQuery, PageAnswer, by_code, links, refuse_unknown
from linkwright.api.projects import ProjectCode
from linkwright.api.queue import ReasonForm
from linkwright.api.rights import Caller, caller_of, project_or_404, reader_of
from linkwright.config import load_config
from linkwright.engine.update_mode import UpdateMode
from linkwright.services.attach_event_type import attach_event_type, change_update_mode
from linkwright.services.detach_event_type import detach_event_type, preview_detach
from linkwright.store.models import AttachedEventType, AttachmentState, EventType, LinkageProject
from linkwright.store.permissions import Permission
from linkwright.store.queries.attachments import find_attachment

router = Router(tags=["event types"])

WAITING_SHOWN = 100
EventTypeCode = Annotated[
    str, Path(min_length=1, max_length=255, pattern=NO_ZERO, description="The Event Type's code.")
]


class AttachmentAnswer(Schema):
    """One Event Type that a project takes or took."""

    code: str
    provider_code: str
    description: str
    state: AttachmentState
    updates: UpdateMode = Field(description="What is done with a record that comes again.")
    attached_at: datetime
    detached_by_id: int | None = Field(description="The Envelope that detaches or detached it.")


class AttachmentPageAnswer(PageAnswer):
    """Event Types of a project by code."""

    items: list[AttachmentAnswer]


class UpdateModeForm(Schema):
    """What is done with a record that comes again."""

    updates: UpdateMode


class AttachForm(Schema):
    """Which Event Type, and what is done with a record of it that comes again."""

    code: Code = Field(description="Of an Event Type of the catalog.")
    updates: UpdateMode = UpdateMode.REJECT


class DetachPreviewAnswer(Schema):
    """What detaching an Event Type would do."""

    refusal: str = Field(description="Why it cannot be detached now; empty if it can.")
    records_count: int = Field(description="Its live records, which would end.")
    groups_count: int = Field(description="Groups that hold any of them, which would be worked out anew.")
    waiting_count: int = Field(
        description="Envelopes with data of it that wait or run: they are processed before, and end as well."
    )
    waiting: list[NamedEnvelopeAnswer] = Field(description=f"The first {WAITING_SHOWN} of these.")


@router.get(
    "/{code}/event-types",
    response={200: AttachmentPageAnswer, **possible_errors()},
    summary="List a project's Event Types",
)
def list_all(request: HttpRequest, code: ProjectCode, query: Query[CodePageQuery]) -> AttachmentPageAnswer:
    """List the Event Types that a project takes or took, by code."""
    caller = reader_of(request)
    refuse_unknown(request, CodePageQuery)
    project = project_or_404(caller, code)
    page, cursor = by_code(EventType.objects.filter(attachments__project=project), query)
    rows = AttachedEventType.objects.filter(project=project, event_type__in=page).order_by("event_type__code")
    items = [_answer(row) for row in rows.select_related("event_type__provider", "detached_by")]
    return AttachmentPageAnswer(items=items, **links(request, cursor))


@router.post(
    "/{code}/event-types",
    response={201: AttachmentAnswer, **possible_errors(409, 413, 415)},
    summary="Attach an Event Type",
)
def attach(request: HttpRequest, code: ProjectCode, form: AttachForm) -> Status[AttachmentAnswer]:
    """Attach an Event Type, or attach it again: its records that ended stay ended."""
    caller = caller_of(request)
    project = _configured(caller, code)
    attach_event_type(project, form.code, caller.actor, updates=form.updates)
    return Status(201, _answer(_attachment_or_404(project, form.code)))


@router.get(
    "/{code}/event-types/{event_type_code}",
    response={200: AttachmentAnswer, **possible_errors()},
    summary="Read a project's Event Type",
)
def read_one(request: HttpRequest, code: ProjectCode, event_type_code: EventTypeCode) -> AttachmentAnswer:
    """Read how an Event Type is attached to a project, or was."""
    return _answer(_attachment_or_404(project_or_404(reader_of(request), code), event_type_code))


@router.put(
    "/{code}/event-types/{event_type_code}",
    response={200: AttachmentAnswer, **possible_errors(409, 413, 415)},
    summary="Change an update mode",
)
def change(
    request: HttpRequest, code: ProjectCode, event_type_code: EventTypeCode, form: UpdateModeForm
) -> AttachmentAnswer:
    """Change what is done with records that come again; it holds for the Load jobs that start from then on."""
    caller = caller_of(request)
    project = _configured(caller, code)
    found = _attachment_or_404(project, event_type_code)
    change_update_mode(project, found.event_type.code, caller.actor, updates=form.updates)
    return _answer(_attachment_or_404(project, event_type_code))


@router.get(
    "/{code}/event-types/{event_type_code}/detach",
    response={200: DetachPreviewAnswer, **possible_errors(409)},
    summary="Preview a detachment",
)
def preview(request: HttpRequest, code: ProjectCode, event_type_code: EventTypeCode) -> DetachPreviewAnswer:
    """Say what detaching an Event Type would end, and whether it can be done now."""
    project = _configured(reader_of(request), code)
    attached = _attachment_or_404(project, event_type_code)
    found = preview_detach(load_config(), project, attached.event_type.code)
    return DetachPreviewAnswer(
        refusal=found.refusal,
        records_count=found.records_count,
        groups_count=found.groups_count,
        waiting_count=len(found.waiting),
        waiting=[named_envelope(one) for one in found.waiting[:WAITING_SHOWN]],
    )


@router.post(
    "/{code}/event-types/{event_type_code}/detach",
    response={202: EnvelopeDetailAnswer, **possible_errors(409, 413, 415)},
    summary="Detach an Event Type",
)
def detach(
    request: HttpRequest, code: ProjectCode, event_type_code: EventTypeCode, form: ReasonForm
) -> Status[EnvelopeDetailAnswer]:
    """Queue the Envelope that ends all records of an Event Type; from now on no new data of it is taken.

    As any Envelope it can be cancelled, retried and rolled back; then the Event Type is attached again.
    """
    caller = caller_of(request)
    project = _configured(caller, code)
    attached = _attachment_or_404(project, event_type_code)
    envelope = detach_event_type(project, attached.event_type.code, caller.actor, reason=form.reason)
    return Status(202, envelope_detail(caller, envelope))


def _configured(caller: Caller, code: str) -> LinkageProject:
    project = project_or_404(caller, code)
    caller.demand(Permission.CONFIGURE_PROJECTS, project)
    return project


def _attachment_or_404(project: LinkageProject, code: str) -> AttachedEventType:
    found = find_attachment(project, code)
    if found is None:
        raise Http404(f"{project.code} has no Event Type {code}.")
    return found


def _answer(row: AttachedEventType) -> AttachmentAnswer:
    return AttachmentAnswer(
        code=row.event_type.code,
        provider_code=row.event_type.provider.code,
        description=row.event_type.description,
        state=row.state,
        updates=UpdateMode(row.updates),
        attached_at=row.attached_at,
        detached_by_id=None if row.is_attached else row.detached_by_id,
    )
