"""The entries of the audit log as a person may read them: filters, keyset pages, no counts. Never writes.

Administrators read everything. Others read what belongs to the projects in which they hold 'read the audit log'.
The order is that of the chain, so that an entry which was moved in the list has been moved in the chain.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from django.db.models import Q, QuerySet

from linkwright.store.models import AuditLogEntry, User
from linkwright.store.permissions import Permission, projects_with
from linkwright.store.queries.paging import PAGE_SIZE, Page

EXPORTED_AT_ONCE = 1000


@dataclass(frozen=True)
class AuditFilter:
    """What the list is narrowed to; '' and None narrow nothing.

    Args:
        person: a user name, or where the machine itself acted from: 'system', 'command line', 'inbox'.
        action: as it is stored.
        project: a Linkage Project's code.
        since: the first day, in UTC.
        until: the last day, in UTC.
        text: a part of what it was done to, or of the reason.
    """

    person: str = ""
    action: str = ""
    project: str = ""
    since: date | None = None
    until: date | None = None
    text: str = ""

    @property
    def parts(self) -> dict[str, str]:
        """What is set, by name, as text."""
        found = {name: getattr(self, name) for name in self.__dataclass_fields__}
        return {name: str(value) for name, value in found.items() if value}


def readable_entries(user: User) -> QuerySet[AuditLogEntry]:
    """Return the entries that a person may read."""
    entries = AuditLogEntry.objects.select_related("user").exclude(number=None)
    if user.is_superuser:
        return entries
    codes = list(projects_with(user, Permission.READ_AUDIT_LOG).values_list("code", flat=True))
    return entries.filter(project_code__in=codes)


def filtered_entries(user: User, wanted: AuditFilter) -> QuerySet[AuditLogEntry]:
    """Return the entries of a filter that a person may read, in no order."""
    entries = readable_entries(user)
    if wanted.person:
        key = User.objects.filter(username=wanted.person).values_list("pk", flat=True).first()
        entries = entries.filter(user=key) if key else entries.filter(user=None, origin=wanted.person)
    if wanted.action:
        entries = entries.filter(action=wanted.action)
    if wanted.project:
        entries = entries.filter(project_code=wanted.project)
    if wanted.since:
        entries = entries.filter(at__gte=_midnight(wanted.since))
    if wanted.until:
        entries = entries.filter(at__lt=_midnight(wanted.until + timedelta(days=1)))
    if wanted.text:
        entries = entries.filter(Q(target__icontains=wanted.text) | Q(reason__icontains=wanted.text))
    return entries


def list_audit_log(
    user: User,
    wanted: AuditFilter,
    *,
    before: int | None = None,
    after: int | None = None,
    limit: int = PAGE_SIZE,
) -> Page[AuditLogEntry]:
    """Return a page of entries, newest first; the cursors are numbers of entries."""
    entries = filtered_entries(user, wanted)
    if after is not None:
        found = list(entries.filter(number__gt=after).order_by("number")[: limit + 1])
    else:
        older = entries.filter(number__lt=before) if before is not None else entries
        found = list(older.order_by("-number")[: limit + 1])
    is_cut, rows = len(found) > limit, found[:limit]
    if after is not None:
        rows.reverse()
    has_newer, has_older = (is_cut, True) if after is not None else (before is not None, is_cut)
    return Page(
        rows,
        newer=str(rows[0].number) if rows and has_newer else "",
        older=str(rows[-1].number) if rows and has_older else "",
    )


def all_entries(user: User, wanted: AuditFilter, up_to: int) -> Iterator[AuditLogEntry]:
    """Return every entry of a filter up to a number, newest first, in bounded memory."""
    entries, following = filtered_entries(user, wanted), up_to + 1
    while piece := list(entries.filter(number__lt=following).order_by("-number")[:EXPORTED_AT_ONCE]):
        yield from piece
        following = piece[-1].number or 0


def known_actions() -> list[str]:
    """Return every action that occurs, by one look into the index for each: not by reading all entries."""
    found, last = [], ""
    while action := (
        AuditLogEntry.objects.filter(action__gt=last).order_by("action").values_list("action", flat=True).first()
    ):
        found.append(action)
        last = action
    return found


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)
