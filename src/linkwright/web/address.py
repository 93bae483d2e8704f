"""What the address of a list holds: filters, page and open rows; read from a request and written into links."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cache, lru_cache
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest
from django.urls import reverse

_OPEN_ROW = re.compile(r"(envelope|step|job)-(\d{1,18})")
_KEY = re.compile(r"\d{1,18}")
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_FIRST_YEAR, _LAST_YEAR = 1970, 2999
# the filters of a list, as their names stand in an address, and what they are called on the page
FILTERS = {
    "status": "Status",
    "project": "Project",
    "provider": "Provider",
    "kind": "Kind",
    "action": "Data action",
    "type": "Event Type",
    "from": "From",
    "to": "To",
    "text": "Text",
}
MAX_OPEN_ROWS = 100
MAX_TEXT_LENGTH = 200


@dataclass(frozen=True)
class ListAddress:
    """One state of a list. `open_rows` are element ids, as 'envelope-12' or 'job-40'."""

    path: str
    # by their names in FILTERS; what is not in use is absent
    filters: Mapping[str, str] = field(default_factory=dict)
    before: str = ""
    after: str = ""
    open_rows: tuple[str, ...] = ()

    def __getitem__(self, name: str) -> str:
        """Return the value of a filter, '' if it is not in use; templates say `address.project`."""
        if name not in FILTERS:
            raise KeyError(name)
        return self.filters.get(name, "")

    @property
    def parts(self) -> list[tuple[str, str]]:
        """Names and values of what is set, in a fixed order."""
        place = {"before": self.before, "after": self.after, "open": ".".join(self.open_rows)}
        return [*self.filter_parts, *((name, value) for name, value in place.items() if value)]

    @property
    def filter_parts(self) -> list[tuple[str, str]]:
        """Names and values of the filters in use, in a fixed order."""
        return [(name, self.filters[name]) for name in FILTERS if self.filters.get(name)]

    @property
    def url(self) -> str:
        """The address itself."""
        query = urlencode(self.parts)
        return f"{self.path}?{query}" if query else self.path

    @property
    def is_first_page(self) -> bool:
        """Whether new rows belong at the top."""
        return not self.before and not self.after

    @property
    def is_filtered(self) -> bool:
        """Whether the list is narrowed to something."""
        return bool(self.filter_parts)

    def with_changes(self, **changes: Any) -> "ListAddress":
        """Return a neighbouring state."""
        return replace(self, **changes)

    def with_filter(self, name: str, value: str) -> "ListAddress":
        """Return the state with one filter set, or taken out if the value is empty, from the first page on."""
        return self.with_fixed(name, value).with_changes(before="", after="")

    def with_fixed(self, name: str, value: str) -> "ListAddress":
        """Return the state with a filter that the page itself sets or leaves out; which page it is stays."""
        return replace(self, filters={**self.filters, name: value})

    def toggled(self, row: str) -> "ListAddress":
        """Return the state with one row opened or closed."""
        if row in self.open_rows:
            return replace(self, open_rows=tuple(name for name in self.open_rows if name != row))
        return replace(self, open_rows=(*self.open_rows, row)) if _OPEN_ROW.fullmatch(row) else self

    def open_keys(self, kind: str) -> set[int]:
        """Return the keys of the open rows of a kind: 'envelope', 'step' or 'job'."""
        found = (_OPEN_ROW.fullmatch(row) for row in self.open_rows)
        return {int(match[2]) for match in found if match and match[1] == kind}


def read_address(request: HttpRequest, path: str) -> ListAddress:
    """Read a list's state from a request; what cannot be read counts as absent."""
    query = request.GET
    rows = [row for row in query.get("open", "").split(".") if _OPEN_ROW.fullmatch(row)]
    return ListAddress(
        path=path,
        filters={name: value for name in FILTERS if (value := _clean(query.get(name, "")))},
        before=query.get("before", ""),
        after=query.get("after", ""),
        open_rows=tuple(dict.fromkeys(rows))[:MAX_OPEN_ROWS],
    )


def _clean(value: str) -> str:
    # no database takes this character, and no name holds it
    return value.replace("\0", "").strip()[:MAX_TEXT_LENGTH]


def read_day(text: str) -> datetime | None:
    """Return the beginning of a day, in UTC, from an address, or None."""
    if not _DAY.fullmatch(text):
        return None
    try:
        day = datetime.fromisoformat(text).replace(tzinfo=UTC)
    except ValueError:
        return None
    return day if _FIRST_YEAR <= day.year <= _LAST_YEAR else None


def unread_day_note(text: str, label: str) -> str:
    """Return what to say of a day that cannot be read; `label` is what the filter is called."""
    return f"'{text}' is no day, so '{label}' is left out. Write it as 2026-03-31."


def unread_choice_note(text: str, label: str) -> str:
    """Return what to say of a choice that there is not; `label` is what the filter is called."""
    return f"There is no {label.lower()} '{text}' here, so it is left out."


def export_url(path: str, address: ListAddress, **fixed: str) -> str:
    """Return the address of the file with all rows of a list, whatever page is shown; `fixed` filters on top."""
    query = urlencode([*address.filter_parts, *fixed.items()])
    return f"{path}?{query}" if query else path


@cache
def envelopes_url() -> str:
    """Return the address below which every Envelope has its own."""
    return reverse("envelopes")


@lru_cache
def project_url(code: str) -> str:
    """Return the address of a project's page."""
    return reverse("project", args=[code])


def read_key(text: str) -> int | None:
    """Return a key from an address, or None."""
    return int(text) if _KEY.fullmatch(text) else None
