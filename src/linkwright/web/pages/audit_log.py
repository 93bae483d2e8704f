"""Audit log: every entry that a person may read, with filters, its chain, and the export."""

import json
from dataclasses import dataclass, fields
from datetime import date
from typing import Any
from urllib.parse import urlencode

from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET

from linkwright.services.check_audit_log import check_audit_log
from linkwright.services.export_audit_log import export_audit_log
from linkwright.store.models import AuditLogEntry
from linkwright.store.permissions import Permission, projects_with
from linkwright.store.queries.audit_entries import AuditFilter, known_actions, list_audit_log, readable_entries
from linkwright.web.access import access_of, actor_of, signed_in
from linkwright.web.address import MAX_TEXT_LENGTH, read_day, read_key, unread_day_note
from linkwright.web.dialogs import show_dialog
from linkwright.web.targets import Target, target_of

# a second or two; `linkwright doctor` goes through all of it
CHECKED_ENTRIES = 20_000
WORDS = {
    "person": "Person",
    "action": "Action",
    "project": "Project",
    "since": "From",
    "until": "To",
    "text": "Text",
}


@dataclass(frozen=True)
class Chip:
    """A filter in use, and the address without it."""

    label: str
    url: str


@dataclass(frozen=True)
class AuditRow:
    """One entry as it is shown."""

    entry: AuditLogEntry
    person: str
    target: Target


@require_GET
def audit_log(request: HttpRequest) -> HttpResponse:
    """Show the page."""
    user = signed_in(request)
    access_of(request).demand(Permission.READ_AUDIT_LOG)
    wanted, query = read_filter(request), request.GET
    page = list_audit_log(
        user, wanted, before=read_key(query.get("before", "")), after=read_key(query.get("after", ""))
    )
    context = {
        "rows": [_row(entry) for entry in page.rows],
        "wanted": wanted,
        "chips": [
            Chip(f"{WORDS[name]}: {text}", _url(wanted, **{name: ""})) for name, text in wanted.parts.items()
        ],
        "notes": _notes(request, wanted),
        "actions": known_actions(),
        "projects": projects_with(user, Permission.READ_AUDIT_LOG).order_by("code").values_list("code", flat=True),
        "sees_all": user.is_superuser,
        "export_url": _with_query(reverse("audit-log-export"), wanted.parts),
        "first_url": _url(wanted),
        "newer_url": _url(wanted, after=page.newer) if page.newer else "",
        "older_url": _url(wanted, before=page.older) if page.older else "",
    }
    return render(request, "web/pages/audit_log.html", context)


@require_GET
def audit_entry(request: HttpRequest, number: int) -> HttpResponse:
    """Show all of one entry."""
    access_of(request).demand(Permission.READ_AUDIT_LOG)
    entry = readable_entries(signed_in(request)).filter(number=number).first()
    if entry is None:
        raise Http404(f"There is no entry {number} in the audit log.")
    row = _row(entry)
    context = {
        "row": row,
        "entry": entry,
        "details": [(name, _plain(value)) for name, value in entry.detail.items()],
    }
    return show_dialog(request, "web/dialogs/audit_entry.html", f"Entry {number}: {entry.action}", context)


@require_GET
def check(request: HttpRequest) -> HttpResponse:
    """Check the newest entries, and say whether the chain holds."""
    access_of(request).demand_administrator()
    context = {"found": check_audit_log(newest=CHECKED_ENTRIES)}
    return show_dialog(request, "web/dialogs/check_audit_log.html", "Does the chain hold?", context)


@require_GET
def export(request: HttpRequest) -> HttpResponseBase:
    """Answer with what is filtered, as CSV."""
    access_of(request).demand(Permission.READ_AUDIT_LOG)
    lines = export_audit_log(actor_of(request), read_filter(request))
    response = StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8")
    response.headers["Content-Disposition"] = (
        f'attachment; filename="audit-log-{timezone.now():%Y%m%dT%H%M%SZ}.csv"'
    )
    response.headers["Cache-Control"] = "private, no-store"
    return response


def read_filter(request: HttpRequest) -> AuditFilter:
    """Read the filter from an address; what cannot be read narrows nothing."""
    query = request.GET

    def text(name: str) -> str:
        return query.get(name, "").replace("\0", "").strip()[:MAX_TEXT_LENGTH]

    return AuditFilter(
        person=text("person"),
        action=text("action"),
        project=text("project"),
        since=_day(query.get("since", "")),
        until=_day(query.get("until", "")),
        text=text("text"),
    )


def _day(text: str) -> date | None:
    found = read_day(text)
    return found.date() if found else None


def _notes(request: HttpRequest, wanted: AuditFilter) -> list[str]:
    """Return a sentence for each day that cannot be read, and is left out."""
    asked = {name: request.GET.get(name, "")[:MAX_TEXT_LENGTH] for name in ("since", "until")}
    return [
        unread_day_note(text, WORDS[name]) for name, text in asked.items() if text and name not in wanted.parts
    ]


def _url(wanted: AuditFilter, **changes: str) -> str:
    names = [field.name for field in fields(AuditFilter)]
    parts = {**{name: wanted.parts.get(name, "") for name in names}, **changes}
    return _with_query(reverse("audit-log"), {name: value for name, value in parts.items() if value})


def _with_query(path: str, parts: dict[str, str]) -> str:
    return f"{path}?{urlencode(parts)}" if parts else path


def _row(entry: AuditLogEntry) -> AuditRow:
    return AuditRow(entry, entry.user.username if entry.user else entry.origin, target_of(entry.target))


def _plain(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
