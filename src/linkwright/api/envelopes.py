"""Envelopes: list, one, its jobs and Notifications, cancel, rollback with its preview. Receiving: uploads.py."""

from datetime import datetime
from typing import Annotated, Any, Literal

from django.http import HttpRequest
from ninja import Path, Query, Router, Schema, Status
from pydantic import Field

from linkwright.api.answers import VALUES_HIDDEN, possible_errors
from linkwright.api.jobs import CancelForm, JobAnswer, JobDetailAnswer, job_answer, job_detail
from linkwright.api.paging import (
    PageAnswer,
    PageQuery,
    Text,
    links,
    newest_first,
    refuse_unknown,
)
from linkwright.api.queue import ReasonForm
from linkwright.api.rights import Caller, caller_of, envelope_or_404, reader_of
from linkwright.envelopes.manifest import RequestType
from linkwright.services.cancel_envelope import cancel_envelope
from linkwright.services.roll_back_envelope import RollbackScope, preview_rollback, roll_back_envelope
from linkwright.store.models import Envelope, Notification, Severity
from linkwright.store.permissions import Permission
from linkwright.store.queries.envelope_lists import (
    EnvelopeRow,
    list_envelopes,
    read_envelopes,
    read_last_errors,
)
from linkwright.store.queries.envelope_search import EnvelopeFilter
from linkwright.store.queries.job_lists import read_chains
from linkwright.store.queries.shown_status import ShownStatus

router = Router(tags=["envelopes"])

EnvelopeId = Annotated[int, Path(ge=1, le=2**63 - 1, description="The Envelope's number.")]
# ENVELOPE_STATUSES, in a form that can be described
EnvelopeStatus = Literal[
    "Queued", "SuccessActive", "ErrorsActive", "Success", "Errors", "Corrupt", "Cancelled", "RolledBack"
]
FAULTS_SHOWN = 100
LATER_SHOWN = 100


class EnvelopeAnswer(Schema):
    """One Envelope."""

    id: int
    name: str
    status: ShownStatus
    request_type: str = Field(description="The data action, as the manifest names it; empty if Corrupt.")
    project_code: str = Field(description="As sent; empty if Corrupt.")
    sender_code: str
    event_type_codes: list[str]
    size_bytes: int
    records_count: int | None
    received_at: datetime
    received_by: str = Field(description="The user name of who sent it; empty: the machine itself.")
    started_at: datetime | None
    processed_at: datetime | None
    duration_s: float | None = Field(
        description="The time of processing, all attempts together, without what it waited; null while not over."
    )
    infos_count: int = Field(description="Notifications by severity.")
    warnings_count: int
    errors_count: int
    last_error: str = Field(description="The text of its last error Notification; empty if there is none.")


class EnvelopeDetailAnswer(EnvelopeAnswer):
    """One Envelope with what is wrong with it."""

    sha256: str = Field(description="Of the file as received.")
    faults: list[str] = Field(
        description=f"What its error Notifications say, line by line; the last {FAULTS_SHOWN}."
    )


class EnvelopePageAnswer(PageAnswer):
    """Envelopes, newest first."""

    items: list[EnvelopeAnswer]


class EnvelopeQuery(PageQuery):
    """What the list is narrowed to."""

    status: EnvelopeStatus | None = None
    project_code: Text = ""
    sender_code: Text = Field("", description="Data Provider code.")
    request_type: RequestType | None = Field(None, description="The data action.")
    received_from: datetime | None = Field(None, description="Received at or after this time.")
    received_before: datetime | None = Field(None, description="Received before this time.")
    text: Text = Field("", description="Words that stand in the name, or the Envelope's number.")


class NotificationAnswer(Schema):
    """Something an operator should know about an Envelope."""

    id: int
    severity: Severity
    text: str = Field(description=VALUES_HIDDEN)
    raised_at: datetime
    job_id: int | None


class NotificationPageAnswer(PageAnswer):
    """Notifications, newest first."""

    items: list[NotificationAnswer]


class EnvelopeJobsAnswer(Schema):
    """The jobs of an Envelope in the order of their chain."""

    items: list[JobAnswer]


class RollbackForm(ReasonForm):
    """Why, and whether later Envelopes go with it."""

    scope: RollbackScope = Field(
        RollbackScope.ALONE, description="`alone`, or `with_later`: it and all later ones of the project."
    )


class NamedEnvelopeAnswer(Schema):
    """An Envelope, as far as a list of those concerned needs it."""

    id: int
    name: str
    records_count: int | None


class RollbackPreviewAnswer(Schema):
    """What rolling an Envelope back would undo."""

    refusal: str = Field(description="Why it cannot be rolled back now; empty if it can.")
    is_latest: bool
    records_count: int
    later_count: int
    later_records_count: int
    later: list[NamedEnvelopeAnswer] = Field(description=f"Newest first, at most {LATER_SHOWN}.")
    reviews_count: int
    reviews: list[NamedEnvelopeAnswer] = Field(
        description=f"Later Quality Reviews, which go with it in any case; at most {LATER_SHOWN}."
    )
    withdrawn_results_count: int = Field(description="Results of extractions made since, whose files are deleted.")
    downloaded_results_count: int = Field(description="Those of them that somebody has downloaded.")
    snapshots_count: int = Field(description="Snapshots made since, which lose its records.")


@router.get("", response={200: EnvelopePageAnswer, **possible_errors()}, summary="List Envelopes")
def list_all(request: HttpRequest, query: Query[EnvelopeQuery]) -> EnvelopePageAnswer:
    """List the Envelopes of one's projects, and those that one sent oneself, newest first."""
    caller = reader_of(request)
    refuse_unknown(request, EnvelopeQuery)
    wanted = EnvelopeFilter(
        status=ShownStatus(query.status) if query.status else None,
        project_code=query.project_code,
        text=query.text,
        sender_code=query.sender_code,
        request_type=query.request_type or "",
        received_from=query.received_from,
        received_before=query.received_before,
    )
    page = list_envelopes(
        caller.user, wanted, before=int(query.cursor) if query.cursor else None, limit=query.limit
    )
    errors = read_last_errors([row.id for row in page.rows if row.errors_count])
    items = [EnvelopeAnswer(**_values(row, errors.get(row.id, ""))) for row in page.rows]
    return EnvelopePageAnswer(items=items, **links(request, page.older))


@router.get(
    "/{envelope_id}", response={200: EnvelopeDetailAnswer, **possible_errors()}, summary="Read an Envelope"
)
def read_one(request: HttpRequest, envelope_id: EnvelopeId) -> EnvelopeDetailAnswer:
    """Read one Envelope with its faults."""
    caller = reader_of(request)
    return envelope_detail(caller, envelope_or_404(caller, envelope_id))


@router.get(
    "/{envelope_id}/jobs",
    response={200: EnvelopeJobsAnswer, **possible_errors()},
    summary="List an Envelope's jobs",
)
def list_jobs_of(request: HttpRequest, envelope_id: EnvelopeId) -> EnvelopeJobsAnswer:
    """List the jobs of an Envelope, first to run first."""
    envelope = envelope_or_404(reader_of(request), envelope_id)
    return EnvelopeJobsAnswer(items=[job_answer(row) for row in read_chains([envelope.pk])[envelope.pk]])


@router.get(
    "/{envelope_id}/notifications",
    response={200: NotificationPageAnswer, **possible_errors()},
    summary="List an Envelope's Notifications",
)
def list_notifications(
    request: HttpRequest, envelope_id: EnvelopeId, query: Query[PageQuery]
) -> NotificationPageAnswer:
    """List everything that was raised for an Envelope, newest first."""
    caller = reader_of(request)
    refuse_unknown(request, PageQuery)
    envelope = envelope_or_404(caller, envelope_id)
    rows, cursor = newest_first(Notification.objects.filter(envelope=envelope), query)
    may_see = caller.may(Permission.SEE_IDENTIFYING_VALUES, envelope.project)
    items = [
        NotificationAnswer(
            id=row.pk,
            severity=Severity(row.severity),
            text=(may_see and row.with_values) or row.text,
            raised_at=row.raised_at,
            job_id=row.job_id,
        )
        for row in rows
    ]
    return NotificationPageAnswer(items=items, **links(request, cursor))


@router.post(
    "/{envelope_id}/cancel",
    response={202: EnvelopeDetailAnswer, **possible_errors(409, 413, 415)},
    summary="Cancel an Envelope",
)
def cancel(
    request: HttpRequest, envelope_id: EnvelopeId, form: CancelForm | None = None
) -> Status[EnvelopeDetailAnswer]:
    """Cancel a queued or running Envelope; a running job stops within seconds. It leaves nothing behind."""
    caller = caller_of(request)
    envelope = envelope_or_404(caller, envelope_id)
    caller.demand(Permission.CANCEL, envelope.project)
    cancel_envelope(envelope.pk, caller.actor, form.reason.strip() if form else "")
    return Status(202, envelope_detail(caller, envelope_or_404(caller, envelope_id)))


@router.get(
    "/{envelope_id}/rollback",
    response={200: RollbackPreviewAnswer, **possible_errors()},
    summary="Preview a rollback",
)
def preview(request: HttpRequest, envelope_id: EnvelopeId) -> RollbackPreviewAnswer:
    """Say what rolling an Envelope back would undo, and whether it can be done now."""
    caller = reader_of(request)
    envelope = envelope_or_404(caller, envelope_id)
    caller.demand(Permission.ROLL_BACK, envelope.project)
    found = preview_rollback(envelope)
    return RollbackPreviewAnswer(
        refusal=found.refusal,
        is_latest=found.is_latest,
        records_count=found.records_count,
        later_count=len(found.later),
        later_records_count=found.later_records_count,
        later=[named_envelope(one) for one in found.later[:LATER_SHOWN]],
        reviews_count=len(found.reviews),
        reviews=[named_envelope(one) for one in found.reviews[:LATER_SHOWN]],
        withdrawn_results_count=found.extractions.results_count,
        downloaded_results_count=found.extractions.downloaded_count,
        snapshots_count=found.extractions.snapshots_count,
    )


@router.post(
    "/{envelope_id}/rollback",
    response={202: JobDetailAnswer, **possible_errors(409, 413, 415)},
    summary="Roll an Envelope back",
)
def roll_back(request: HttpRequest, envelope_id: EnvelopeId, form: RollbackForm) -> Status[JobDetailAnswer]:
    """Queue the Rollback job, which undoes everything that the Envelope changed. It cannot be undone itself."""
    caller = caller_of(request)
    envelope = envelope_or_404(caller, envelope_id)
    caller.demand(Permission.ROLL_BACK, envelope.project)
    job = roll_back_envelope(envelope.pk, caller.actor, reason=form.reason, scope=form.scope)
    return Status(202, job_detail(caller, job))


def envelope_detail(caller: Caller, envelope: Envelope) -> EnvelopeDetailAnswer:
    """Return an Envelope with its faults as the API shows it."""
    (row,) = read_envelopes(caller.user, [envelope.pk])
    raised = Notification.objects.filter(envelope=envelope, severity=Severity.ERROR).order_by("-pk")
    texts = list(raised.values_list("text", flat=True)[:FAULTS_SHOWN])[::-1]
    lines = [line.removeprefix("- ") for text in texts for line in text.splitlines() if line.strip()]
    return EnvelopeDetailAnswer(
        **_values(row, texts[-1] if texts else ""), sha256=envelope.sha256, faults=lines[-FAULTS_SHOWN:]
    )


def _values(row: EnvelopeRow, last_error: str) -> dict[str, Any]:
    return {
        "id": row.id,
        "name": row.name,
        "status": row.status,
        "request_type": row.request_type,
        "project_code": row.project_code,
        "sender_code": row.sender_code,
        "event_type_codes": list(row.event_type_codes),
        "size_bytes": row.size_bytes,
        "records_count": row.records_count,
        "received_at": row.received_at,
        "received_by": row.received_by,
        "started_at": row.started_at,
        "processed_at": row.processed_at,
        "duration_s": row.duration_s,
        "infos_count": row.infos_count,
        "warnings_count": row.warnings_count,
        "errors_count": row.errors_count,
        "last_error": last_error,
    }


def named_envelope(envelope: Envelope) -> NamedEnvelopeAnswer:
    """Return an Envelope as a list of those concerned shows it."""
    return NamedEnvelopeAnswer(id=envelope.pk, name=envelope.name, records_count=envelope.records_count)
