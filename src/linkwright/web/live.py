"""Live pages: pieces with a version, and an answer that holds only the pieces which changed.

The browser asks with a token (ETag) and with the versions of the pieces that it shows. Nothing changed since the
token: 304 after one statement. Otherwise every piece is looked up again, and those whose version differs are sent
as htmx out-of-band swaps. So a row that did not change is not touched, and keeps focus, selection and scroll.
"""

import hashlib
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.safestring import SafeString, mark_safe

from linkwright.config import load_config
from linkwright.services.inbox_status import inbox_status_mark
from linkwright.services.queue_status import WORKER_SILENT_AFTER
from linkwright.store.models import User
from linkwright.store.queries.change_token import read_change_token

MAX_PIECES = 600
# rows that a list still shows although they are on its page no more
MOST_UNLISTED = 50
_PIECE = re.compile(r"([a-z]+(?:-[a-z]+)*(?:-\d{1,18})?)~([0-9a-f]{12})")


@dataclass(frozen=True)
class Piece:
    """A part of a page that can be replaced alone; `version` says whether it looks different.

    `draw` makes its HTML, escaped, from the attributes that its element carries.
    """

    id: str
    version: str
    draw: Callable[[str], str]

    def render(self, *, is_swap: bool = False) -> str:
        """Return its HTML; with `is_swap` marked as a replacement for the one on the page."""
        swap = ' hx-swap-oob="true"' if is_swap else ""
        return self.draw(f'id="{self.id}" data-version="{self.version}"{swap}')


def make_piece(piece_id: str, template: str, context: Mapping[str, Any], *state: object) -> Piece:
    """Make a piece of a template, whose version follows from `state`: everything that its looks depend on."""

    def draw(attributes: str) -> str:
        marked = mark_safe(attributes)  # noqa: S308 - letters, digits, hyphens
        return render_to_string(template, {**context, "attributes": marked})

    return drawn_piece(piece_id, draw, *state)


def drawn_piece(piece_id: str, draw: Callable[[str], str], *state: object) -> Piece:
    """Make a piece that needs no template: a row, of which there are fifty on a page."""
    return Piece(piece_id, hashlib.blake2b(repr(state).encode(), digest_size=6).hexdigest(), draw)


@dataclass(frozen=True)
class Shown:
    """The pieces that a browser says it shows: id → version, in the order of the page."""

    versions: Mapping[str, str]

    def keys(self, kind: str) -> list[int]:
        """Return the numbers of the shown pieces of a kind: 'envelope' → 12 for 'envelope-12'."""
        found = (re.fullmatch(rf"{kind}-(\d+)", name) for name in self.versions)
        return [int(match[1]) for match in found if match]


def read_shown(request: HttpRequest) -> Shown:
    """Read what a browser shows; what cannot be read counts as not shown, and is sent anew."""
    parts = request.GET.get("shown", "").split(",")[:MAX_PIECES]
    found = (_PIECE.fullmatch(part) for part in parts)
    return Shown({match[1]: match[2] for match in found if match})


def page_token(user: User, request: HttpRequest) -> str:
    """Return the token of what this person would see at this address now."""
    # which rows are open changes what is sent, not what is true
    query = sorted(item for item in request.GET.items() if item[0] not in {"shown", "open"})
    return read_change_token(
        user.pk,
        user.is_superuser,
        query,
        inbox_status_mark(load_config()),
        worker_seen_since=timezone.now() - WORKER_SILENT_AFTER,
    )


def not_modified(request: HttpRequest, token: str) -> HttpResponse | None:
    """Return the answer 304, if the browser's token is still the present one."""
    if request.headers.get("If-None-Match") == f'"{token}"':
        return _stamped(HttpResponse(status=304), token)
    return None


def changes_response(
    token: str, pieces: Iterable[Piece], shown: Shown, *, is_active: bool, extra: Sequence[str] = ()
) -> HttpResponse:
    """Answer with the pieces whose version differs from the shown one, and with `extra` swaps before them."""
    parts = list(extra)
    parts += [
        f"<template>{piece.render(is_swap=True)}</template>"
        for piece in pieces
        if piece.id in shown.versions and shown.versions[piece.id] != piece.version
    ]
    response = _stamped(HttpResponse("\n".join(parts)), token)
    response.headers["Linkwright-Active"] = "1" if is_active else "0"
    return response


def _stamped(response: HttpResponse, token: str) -> HttpResponse:
    response.headers["ETag"] = f'"{token}"'
    response.headers["Cache-Control"] = "private, no-store"
    return response


@dataclass(frozen=True)
class RowGroup:
    """A row of a live list with what hangs below it: one <tbody>, moved and inserted as a whole."""

    row_id: str
    html: str

    @property
    def id(self) -> str:
        """The id of the <tbody>."""
        return f"{self.row_id}-group"


def row_group(row: Piece, below: str, *, columns_count: int) -> RowGroup:
    """Return a row with what hangs below it; the place for that is there, hidden, while it is empty.

    `below` is rendered HTML, and so are ids. Plain text, not a template of its own: there are fifty on a page.
    """
    hidden = "" if below else " hidden"
    place = f'<tr class="below"{hidden}><td colspan="{columns_count}" id="{row.id}-below">{below}</td></tr>'
    return RowGroup(row.id, f'<tbody id="{row.id}-group">{row.render()}\n{place}</tbody>')


def groups_html(groups: Iterable[RowGroup]) -> SafeString:
    """Return the rows of a list, one behind the other."""
    return mark_safe("\n".join(group.html for group in groups))  # noqa: S308 - whoever draws a row escapes


def list_swaps(
    groups: Sequence[RowGroup], shown_rows: Sequence[str], table_id: str, surplus: Sequence[str] = ()
) -> list[str]:
    """Return the swaps that bring a table's rows into the order of `groups`, without the `surplus` rows.

    What is new is inserted, what moved is taken out and inserted at its new place; the others are left alone, and
    so are rows that are not in `groups`.
    """
    wanted = [group.row_id for group in groups]
    shown_rows = [row for row in shown_rows if row not in surplus]
    present = [row for row in shown_rows if row in wanted]
    matcher = SequenceMatcher(a=present, b=wanted, autojunk=False)
    staying = {row for block in matcher.get_matching_blocks() for row in present[block.a : block.a + block.size]}
    swaps = [
        f'<template><tbody id="{row}-group" hx-swap-oob="delete"></tbody></template>'
        for row in [*surplus, *(row for row in present if row not in staying)]
    ]
    if groups and not shown_rows:
        swaps.append(f'<template><tbody id="{table_id}-empty" hx-swap-oob="delete"></tbody></template>')
    place = _place_behind(shown_rows, present, staying, table_id)
    inserted: list[str] = []
    for group in reversed(groups):
        if group.row_id in staying:
            place = f"beforebegin:#{group.id}"
            continue
        inserted.insert(0, f'<template><table hx-swap-oob="{place}">{group.html}</table></template>')
    return [*swaps, *inserted]


def surplus_rows(listed: Sequence[str], shown_rows: Sequence[str], open_rows: Sequence[str]) -> list[str]:
    """Return the rows that go from the end of a list that has become too long; what is open stays.

    A page that is open all day would grow for ever, and with it the question that it asks.
    """
    unlisted = [row for row in shown_rows if row not in listed]
    return [row for row in unlisted[MOST_UNLISTED:] if row not in open_rows]


def _place_behind(shown_rows: Sequence[str], present: Sequence[str], staying: set[str], table_id: str) -> str:
    """Return where rows go that follow the last staying one: before whatever else the browser shows below it."""
    last = max((index for index, row in enumerate(shown_rows) if row in staying), default=-1)
    below = [row for row in shown_rows[last + 1 :] if row not in present]
    return f"beforebegin:#{below[0]}-group" if below else f"beforeend:#{table_id}"
