"""The audit log, read only: what the caller may read, newest first; and whether its chain holds."""

from datetime import date, datetime
from typing import Annotated, Any

from django.http import HttpRequest
from ninja import Query, Router, Schema
from pydantic import AfterValidator, Field

from linkwright.api.answers import possible_errors
from linkwright.api.paging import NO_ZERO, PageAnswer, PageQuery, Text, links, refuse_unknown
from linkwright.api.rights import caller_of
from linkwright.services.check_audit_log import check_audit_log
from linkwright.store.permissions import Permission
from linkwright.store.queries.audit_entries import AuditFilter, list_audit_log

router = Router(tags=["audit log"])

# some seconds; `linkwright doctor` goes through all of it
MOST_CHECKED = 100_000
FIRST_DAY, LAST_DAY = date(1900, 1, 1), date(9000, 1, 1)


def _within(day: date) -> date:
    # no entry is older or newer, and databases know fewer years
    return min(max(day, FIRST_DAY), LAST_DAY)


Day = Annotated[date, AfterValidator(_within)]


class AuditLogQuery(PageQuery):
    """Which entries."""

    person: Text = Field("", description="A user name; or system, command line, inbox.")
    action: Text = Field("", description="As it is stored, as 'submit Envelope'.")
    project: str = Field("", max_length=255, pattern=NO_ZERO, description="A Linkage Project's code.")
    since: Day | None = Field(None, description="The first day, in UTC.")
    until: Day | None = Field(None, description="The last day, in UTC.")
    text: Text = Field("", description="A part of the target or of the reason.")


class AuditLogEntryAnswer(Schema):
    """One entry."""

    number: int = Field(description="Its place in the chain, from 1, without gaps.")
    at: datetime
    user_name: str | None = Field(description="Null: the system itself, or the machine's command line.")
    action: str
    target: str = Field(description="What it was done to, in words.")
    project_code: str
    reason: str
    origin: str = Field(description="A network address, with the key's name if one was used; or command line ...")
    detail: dict[str, Any]
    previous_sha256: str = Field(description="The hash of the entry before; empty in the first.")
    sha256: str


class AuditLogPageAnswer(PageAnswer):
    """Entries, newest first."""

    items: list[AuditLogEntryAnswer]


class ChainQuery(Schema):
    """How much of the chain."""

    newest: int = Field(20_000, ge=1, le=MOST_CHECKED, description="So many of the newest entries.")


class ChainAnswer(Schema):
    """Whether the chain of the audit log holds."""

    is_whole: bool = Field(description="Whether every entry was looked at.")
    checked_count: int = Field(description="Entries that were looked at and fit.")
    entries_count: int
    sha256: str = Field(
        description="The head: the hash of the newest entry. One kept elsewhere shows a later change."
    )
    fault: str = Field(description="What is wrong with the first entry that does not fit; empty: all fit.")
    fault_number: int | None


@router.get("", response={200: AuditLogPageAnswer, **possible_errors()}, summary="Read the audit log")
def read_audit_log(request: HttpRequest, query: Query[AuditLogQuery]) -> AuditLogPageAnswer:
    """List entries: for Administrators all, for others those of projects whose audit log they may read."""
    caller = caller_of(request)
    caller.demand(Permission.READ_AUDIT_LOG)
    refuse_unknown(request, AuditLogQuery)
    wanted = AuditFilter(query.person, query.action, query.project, query.since, query.until, query.text)
    before = int(query.cursor) if query.cursor else None
    page = list_audit_log(caller.user, wanted, before=before, limit=query.limit)
    items = [
        AuditLogEntryAnswer(
            number=row.number or 0,
            at=row.at,
            user_name=row.user.username if row.user else None,
            action=row.action,
            target=row.target,
            project_code=row.project_code,
            reason=row.reason,
            origin=row.origin,
            detail=row.detail,
            previous_sha256=row.previous_sha256,
            sha256=row.sha256,
        )
        for row in page.rows
    ]
    return AuditLogPageAnswer(items=items, **links(request, page.older))


@router.get("/check", response={200: ChainAnswer, **possible_errors()}, summary="Check the audit log's chain")
def check(request: HttpRequest, query: Query[ChainQuery]) -> ChainAnswer:
    """Go along the chain of the newest entries, and say whether each follows from the one before.

    Administrators only.
    """
    caller_of(request).demand_administrator()
    refuse_unknown(request, ChainQuery)
    found = check_audit_log(newest=query.newest)
    return ChainAnswer(
        is_whole=found.is_whole,
        checked_count=found.checked_count,
        entries_count=found.head.entries_count,
        sha256=found.head.sha256,
        fault=found.fault,
        fault_number=found.fault_number,
    )
