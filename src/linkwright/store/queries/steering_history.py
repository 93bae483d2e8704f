"""The history of steering: who paused, resumed, cleared, retried, cancelled, uploaded, rolled back. Never writes.

Read from the audit log, newest first, keyset paging, no counts. An Administrator sees everything. Other people see
what was done in the projects that they belong to, and what was done to the queue as a whole; of the latter nothing
that belongs to a project of others. Whoever sees an entry sees who it was: steering is done in front of everybody.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import QuerySet

from linkwright.store.audit_log import WHOLE_QUEUE_ACTIONS
from linkwright.store.models import AuditLogEntry, User
from linkwright.store.permissions import visible_projects
from linkwright.store.queries.paging import PAGE_SIZE, Page

SYSTEM_NAME = "system"


@dataclass(frozen=True)
class HistoryFilter:
    """What the history is narrowed to; `person` is a user name, or 'system' for a pause by a failed job.

    `actions` are as the audit log has them; none: all.
    """

    actions: Sequence[str] = ()
    person: str = ""


@dataclass(frozen=True)
class HistoryEntry:
    """One line. `job_id`: the failed job that paused the queue; `jobs_count`: how many were cleared."""

    id: int
    at: datetime
    action: str
    person: str
    target: str
    project_code: str
    reason: str
    job_id: int | None
    jobs_count: int | None
    # a network address, for Administrators
    origin: str


def list_steering(
    user: User,
    wanted: HistoryFilter,
    *,
    before: int | None = None,
    after: int | None = None,
    limit: int = PAGE_SIZE,
) -> Page[HistoryEntry]:
    """Return a page of the history as a person may see it, newest first.

    Each part of it is read from its own index, so that it costs the same whatever the audit log holds.
    """
    codes = _visible_codes(user)
    keys: list[int] = []
    for part in _parts(wanted, codes):
        numbers = part.values_list("pk", flat=True)
        if after is not None:
            keys += numbers.filter(pk__gt=after).order_by("pk")[: limit + 1]
        else:
            older = numbers.filter(pk__lt=before) if before is not None else numbers
            keys += older.order_by("-pk")[: limit + 1]
    # nearest to the cursor first; one more than is shown tells whether there are more
    nearest = sorted(keys, reverse=after is None)[: limit + 1]
    is_cut, shown = len(nearest) > limit, nearest[:limit]
    rows = list(AuditLogEntry.objects.filter(pk__in=shown).select_related("user").order_by("-pk"))
    has_newer, has_older = (is_cut, True) if after is not None else (before is not None, is_cut)
    return Page(
        [_entry(entry, codes, shows_origin=user.is_superuser) for entry in rows],
        newer=str(rows[0].pk) if rows and has_newer else "",
        older=str(rows[-1].pk) if rows and has_older else "",
    )


def _visible_codes(user: User) -> frozenset[str] | None:
    """Return the codes of a person's projects; None for all."""
    return None if user.is_superuser else frozenset(visible_projects(user).values_list("code", flat=True))


def _parts(wanted: HistoryFilter, codes: frozenset[str] | None) -> Iterator[QuerySet[AuditLogEntry]]:
    """Return the parts of the history, each of them one range of an index."""
    entries = AuditLogEntry.objects.filter(is_steering=True)
    if wanted.person == SYSTEM_NAME:
        entries = entries.filter(user=None, origin=SYSTEM_NAME)
    elif wanted.person:
        # its key, not its name: the index holds keys
        key = User.objects.filter(username=wanted.person).values_list("pk", flat=True).first()
        entries = entries.filter(user=key) if key is not None else entries.none()
    # what is done to the whole queue belongs to no project, and the system does nothing else
    whole = [action for action in WHOLE_QUEUE_ACTIONS if not wanted.actions or action in wanted.actions]
    asked = [action for action in wanted.actions if action not in WHOLE_QUEUE_ACTIONS]
    of_projects = bool(asked or not wanted.actions) and wanted.person != SYSTEM_NAME
    if codes is None and of_projects:
        yield from _of_actions(entries, asked)
        return
    for code in sorted(codes or ()) if of_projects else ():
        yield from _of_actions(entries.filter(project_code=code), asked)
    for action in whole:
        yield entries.filter(project_code="", action=action)


def _of_actions(entries: QuerySet[AuditLogEntry], actions: Sequence[str]) -> Iterator[QuerySet[AuditLogEntry]]:
    """Return a part for each action, or one for all: an index is read in order for one action only."""
    if not actions:
        yield entries
    for action in actions:
        yield entries.filter(action=action)


def _entry(entry: AuditLogEntry, codes: frozenset[str] | None, *, shows_origin: bool) -> HistoryEntry:
    job_id = entry.detail.get("job") if entry.action == "pause queue" else None
    # a failed job paused the queue: what failed, and why, is for those who see its project
    is_hidden = job_id is not None and codes is not None and entry.detail.get("project") not in codes
    cleared = entry.detail.get("jobs") if entry.action == "clear queue" and codes is None else None
    person = entry.user.username if entry.user else entry.origin
    return HistoryEntry(
        id=entry.pk,
        at=entry.at,
        action=entry.action,
        person="the failure of a job" if job_id is not None else person,
        target=entry.target,
        project_code=entry.project_code,
        reason="" if is_hidden else entry.reason,
        job_id=None if is_hidden else job_id,
        jobs_count=None if cleared is None else len(cleared),
        origin=entry.origin if shows_origin and entry.user else "",
    )
