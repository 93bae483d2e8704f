"""The parts of a list's row that are the same in every list: the plus, links, options, times. HTML, escaped here.

Rows are what a page has most of: fifty of them, with some hundred values. Put together as text, not node by node
by the template engine, they take less than half the time. Whoever adds a value here escapes it here.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from html import escape

from django.utils import timezone
from django.utils.safestring import SafeString

from linkwright.store.queries.shown_status import ShownStatus
from linkwright.web.address import project_url
from linkwright.web.formatting import (
    NO_VALUE,
    format_age,
    format_bytes,
    format_duration,
    format_moment,
    format_number,
)
from linkwright.web.words import STATUS_HELP, icon_of

_PLUS = '<svg class="icon" aria-hidden="true"><use href="#i-plus"/></svg>'


@dataclass(frozen=True)
class Option:
    """A link at the end of a row: `name` ends its id and its address, `words` are shown, `label` is read out."""

    name: str
    words: str
    label: str
    icon: str = ""
    is_download: bool = False


@lru_cache
def status_html(status: ShownStatus, extra: str = "") -> SafeString:
    """Return a status as icon and word, with its meaning as a tooltip; `extra` stands behind it."""
    name = icon_of(status)
    behind = f' <span class="muted">({escape(extra)})</span>' if extra else ""
    return SafeString(
        f'<span class="status status-{name}" title="{escape(STATUS_HELP[status])}">'
        f'<svg class="icon" aria-hidden="true"><use href="#i-{name}"/></svg>{status.value}{behind}</span>'
    )


def toggle_button(row_id: str, url: str, label: str, *, is_open: bool, why_closed: str = "") -> SafeString:
    """Return the plus that opens a row; `why_closed` says why it cannot be opened."""
    disabled = f' disabled title="{escape(why_closed)}"' if why_closed else ""
    return SafeString(
        f'<button class="plus" id="{row_id}-toggle" type="submit" form="rows" name="toggle" value="{row_id}" '
        f'data-toggle="{url}" data-into="{row_id}-below" aria-expanded="{"true" if is_open else "false"}" '
        f'aria-controls="{row_id}-below"{disabled} aria-label="{escape(label)}">{_PLUS}</button>'
    )


def options_html(row_id: str, here: str, options: Iterable[Option], *, badges: str = "") -> SafeString:
    """Return the links at the end of a row; `badges` is HTML that stands inside the first one."""
    parts = []
    for option in options:
        icon = f'<svg class="icon" aria-hidden="true"><use href="#i-{option.icon}"/></svg>' if option.icon else ""
        opens = "download" if option.is_download else "data-dialog"
        parts.append(
            f'<a class="option" id="{row_id}-{option.name}" href="{here}{option.name}/" {opens} '
            f'aria-label="{escape(option.label)}">{icon}{option.words}{badges}</a>'
        )
        badges = ""
    return SafeString("".join(parts))


def badge(kind: str, count: int, title: str) -> str:
    """Return the count of one severity, '' for none."""
    return f'<span class="badge badge-{kind}" title="{count} {title}">{count}</span>' if count else ""


@lru_cache(maxsize=1000)
def project_html(project_id: int | None, code: str) -> SafeString:
    """Return a project's code, as a link if there is such a project."""
    if not code:
        return SafeString(NO_VALUE)
    shown = escape(code)
    return SafeString(shown if project_id is None else f'<a href="{escape(project_url(code))}">{shown}</a>')


def text_or_dash(text: str) -> SafeString:
    """Return a text, or the sign for none."""
    return SafeString(escape(text or NO_VALUE))


def number_html(value: float | None) -> SafeString:
    """Return a number with thin separators."""
    return SafeString(NO_VALUE if value is None else format_number(value))


def size_html(value: float | None) -> SafeString:
    """Return a size in bytes as KiB, MiB, GiB."""
    return SafeString(NO_VALUE if value is None else format_bytes(value))


def duration_html(value: float | None) -> SafeString:
    """Return seconds as '1 min 12 s'."""
    return SafeString(NO_VALUE if value is None else format_duration(value))


def moment_html(at: datetime | None) -> SafeString:
    """Return a time as its age, with the exact time behind it; the browser keeps it up to date."""
    if at is None:
        return SafeString(NO_VALUE)
    age = format_age(at, timezone.now())
    return SafeString(f'<time class="age" datetime="{at.isoformat()}" title="{format_moment(at)}">{age}</time>')


def elapsed_html(since: datetime, title: str = "") -> SafeString:
    """Return the time since a moment, counted on in the browser; `title` says what it is, if not just that."""
    text = format_duration((timezone.now() - since).total_seconds())
    return SafeString(
        f'<time class="elapsed" datetime="{since.isoformat()}" '
        f'title="{escape(title) or "since " + format_moment(since)}">{text}</time>'
    )
