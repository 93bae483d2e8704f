"""Queue history: who steered the Job Queue, when and why."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse

from linkwright.store.models import User
from linkwright.store.queries.paging import Page
from linkwright.store.queries.steering_history import HistoryEntry, HistoryFilter, list_steering
from linkwright.web.access import signed_in
from linkwright.web.address import read_key, unread_choice_note
from linkwright.web.frame import frame_pieces, queue_view_of
from linkwright.web.live import Piece, changes_response, make_piece, not_modified, page_token, read_shown
from linkwright.web.targets import target_of

# name in the address and word on the page, by the audit log's action; a job is cancelled as an Envelope is
ACTIONS = {
    "submit Envelope": "Upload",
    "cancel Envelope": "Cancel",
    "cancel job": "Cancel",
    "retry job": "Retry",
    "roll back Envelope": "Rollback",
    "pause queue": "Pause",
    "resume queue": "Resume",
    "clear queue": "Clear",
}
MAX_NAME_LENGTH = 150


@dataclass(frozen=True)
class HistoryAddress:
    """What the address holds."""

    action: str
    person: str
    before: str
    after: str

    @property
    def is_filtered(self) -> bool:
        """Whether the list is narrowed."""
        return bool(self.action or self.person)

    def url(self, **changes: str) -> str:
        """Return the address with some parts changed; a change of the filter leads to the first page."""
        parts = {"action": self.action, "person": self.person, **changes}
        query = urlencode([(name, value) for name, value in parts.items() if value])
        return f"{reverse('queue-history')}{'?' if query else ''}{query}"


@dataclass(frozen=True)
class HistoryRow:
    """One line as it is shown; `target_url` leads to the Envelope or the job."""

    entry: HistoryEntry
    action: str
    target: str
    target_url: str


def queue_history(request: HttpRequest) -> HttpResponse:
    """Show the page."""
    user, address = signed_in(request), _read(request)
    token = page_token(user, request)
    page = _page(user, address)
    if address.after and not page.newer:
        # whoever has walked up to the newest entries is on the first page: only there new ones appear
        return HttpResponseRedirect(address.url())
    context = {
        "address": address,
        "actions": list(dict.fromkeys(ACTIONS.values())),
        "notes": _notes(request, address),
        "action_chip": address.url(action=""),
        "person_chip": address.url(person=""),
        "list_piece": _piece(page, address),
        "live_url": reverse("queue-history-live"),
        "live_token": token,
        "is_active": queue_view_of(request).is_active,
    }
    return render(request, "web/pages/queue_history.html", context)


def queue_history_live(request: HttpRequest) -> HttpResponse:
    """Answer a poll of the page."""
    user = signed_in(request)
    token = page_token(user, request)
    unchanged = not_modified(request, token)
    if unchanged:
        return unchanged
    queue = queue_view_of(request)
    address = _read(request)
    pieces = [*frame_pieces(queue), _piece(_page(user, address), address)]
    return changes_response(token, pieces, read_shown(request), is_active=queue.is_active)


def _read(request: HttpRequest) -> HistoryAddress:
    query = request.GET
    action = query.get("action", "")
    return HistoryAddress(
        action=action if action in ACTIONS.values() else "",
        person=query.get("person", "").replace("\0", "").strip()[:MAX_NAME_LENGTH],
        before=query.get("before", ""),
        after=query.get("after", ""),
    )


def _notes(request: HttpRequest, address: HistoryAddress) -> list[str]:
    """Return a sentence for an action that there is not, and that is left out."""
    asked = request.GET.get("action", "")[:MAX_NAME_LENGTH]
    return [unread_choice_note(asked, "action")] if asked and not address.action else []


def _page(user: User, address: HistoryAddress) -> Page[HistoryEntry]:
    stored = tuple(stored for stored, shown in ACTIONS.items() if shown == address.action)
    wanted = HistoryFilter(stored, address.person)
    return list_steering(user, wanted, before=read_key(address.before), after=read_key(address.after))


def _piece(page: Page[HistoryEntry], address: HistoryAddress) -> Piece:
    context: dict[str, Any] = {
        "rows": [_row(entry) for entry in page.rows],
        "address": address,
        "first_url": address.url(),
        "newer_url": address.url(after=page.newer) if page.newer else "",
        "older_url": address.url(before=page.older) if page.older else "",
    }
    return make_piece("queue-history", "web/partials/queue_history.html", context, page)


def _row(entry: HistoryEntry) -> HistoryRow:
    target = target_of(entry.target)
    return HistoryRow(entry, ACTIONS[entry.action], target.text, target.url)
