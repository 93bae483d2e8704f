"""What the address of a list holds: filters, page and open rows; read from a request and written into links."""

import re
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest

_OPEN_ROW = re.compile(r"(envelope|step|job)-(\d{1,18})")
_KEY = re.compile(r"\d{1,18}")
MAX_OPEN_ROWS = 100
MAX_TEXT_LENGTH = 200


@dataclass(frozen=True)
class ListAddress:
    """One state of a list. `open_rows` are element ids, as 'envelope-12' or 'job-40'."""

    path: str
    status: str = ""
    project: str = ""
    text: str = ""
    before: str = ""
    after: str = ""
    open_rows: tuple[str, ...] = ()

    @property
    def parts(self) -> list[tuple[str, str]]:
        """Names and values of what is set, in a fixed order."""
        parts = {
            "status": self.status,
            "project": self.project,
            "text": self.text,
            "before": self.before,
            "after": self.after,
            "open": ".".join(self.open_rows),
        }
        return [(name, value) for name, value in parts.items() if value]

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
        return bool(self.status or self.project or self.text)

    def with_changes(self, **changes: Any) -> "ListAddress":
        """Return a neighbouring state."""
        return replace(self, **changes)

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
        status=query.get("status", ""),
        project=query.get("project", ""),
        text=query.get("text", "").strip()[:MAX_TEXT_LENGTH],
        before=query.get("before", ""),
        after=query.get("after", ""),
        open_rows=tuple(dict.fromkeys(rows))[:MAX_OPEN_ROWS],
    )


def read_key(text: str) -> int | None:
    """Return a key from an address, or None."""
    return int(text) if _KEY.fullmatch(text) else None
