"""The filters and tags of the templates: numbers, times, statuses, live pieces."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from html import escape
from typing import Any

from django import template
from django.template import Context
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

from linkwright.store.queries.shown_status import ShownStatus
from linkwright.web.browser_words import browser_words
from linkwright.web.formatting import (
    NO_VALUE,
    format_bytes,
    format_duration,
    format_number,
    format_points,
    format_share,
)
from linkwright.web.live import Piece
from linkwright.web.row_parts import elapsed_html, moment_html, status_html

register = template.Library()


@register.filter
def number(value: float | None) -> str:
    """Return a number with thin separators."""
    return NO_VALUE if value is None else format_number(value)


@register.filter
def browser(user_agent: str) -> str:
    """Return which browser and system a user-agent text means, in a few words."""
    return browser_words(user_agent)


@register.filter
def size(value: float | None) -> str:
    """Return a size in bytes as KiB, MiB, GiB."""
    return NO_VALUE if value is None else format_bytes(value)


@register.filter
def duration(value: float | None) -> str:
    """Return seconds as '1 min 12 s'."""
    return NO_VALUE if value is None else format_duration(value)


@register.filter
def share(value: float | None) -> str:
    """Return a share of one as percent."""
    return NO_VALUE if value is None else format_share(value)


@register.filter
def points(value: float) -> str:
    """Return a difference of two shares in percentage points, with its sign."""
    return format_points(value)


@register.filter
def table_rows(rows: Iterable[Sequence[object]]) -> SafeString:
    """Return the rows of a plot's data table; as text, for there may be hundreds, and nobody may open them."""
    return mark_safe("".join(f"<tr>{''.join(map(_cell_html, row))}</tr>" for row in rows))  # noqa: S308 - below


def _cell_html(value: object) -> str:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return f'<td class="number">{format_number(value)}</td>'
    return f"<td>{NO_VALUE if value is None or value == '' else escape(str(value))}</td>"


@register.filter
def as_typed(value: object) -> str:
    """Return a value as somebody would type it: a number with all its digits, nothing for none."""
    return "" if value is None else str(value)


@register.simple_tag
def moment(at: datetime | None) -> SafeString:
    """Return a time as its age."""
    return moment_html(at)


@register.simple_tag
def elapsed(since: datetime) -> SafeString:
    """Return the time since a moment."""
    return elapsed_html(since)


@register.simple_tag
@lru_cache
def icon(name: str, css: str = "") -> str:
    """Return an icon of the sprite; always beside a word, so hidden from readers of the page's text."""
    return format_html('<svg class="icon {}" aria-hidden="true"><use href="#i-{}"/></svg>', css, name)


@register.simple_tag
def status_label(status: ShownStatus | str, extra: str = "") -> SafeString:
    """Return a status as icon and word, with its meaning as a tooltip."""
    return status_html(ShownStatus(status), extra)


@register.simple_tag
def piece(shown: Piece) -> SafeString:
    """Render a live piece in its place."""
    return mark_safe(shown.render())  # noqa: S308 - whoever draws a piece escapes


@register.simple_tag
def plot_svg(plot: Mapping[str, Any]) -> SafeString:
    """Write a stored plot into the page: drawn by the server itself, from numbers and escaped names."""
    return mark_safe(str(plot["svg"]))  # noqa: S308 - and the Content-Security-Policy runs no script in it


@register.simple_tag(takes_context=True)
def current_path(context: Context) -> str:
    """Return the address of this page, to come back to."""
    return str(context["request"].get_full_path())
