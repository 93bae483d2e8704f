"""The chain of the audit log: each entry carries the hash of the one before it and its own. Decides nothing else.

    content = SHA-256 of the entry's values in canonical form
    own     = SHA-256 of number, id, hash of the entry before (of the first: nothing) and content, a line each

So an entry that is changed, taken out, put in or moved no longer fits, and neither does what follows it. The head
(count and last hash) stands in a row of its own: with it a tail that was cut off is missed.

Entries are linked where their transaction commits, so that what was rolled back leaves no gap. On SQLite there is
one writer from BEGIN IMMEDIATE to COMMIT, and `add_linked` links at once. On PostgreSQL a deferred trigger does
(migration 0019): the head's row is the last thing that a transaction locks, after everything that it may have to
wait for, so two can never wait for each other. Decision 0028.
"""

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol

from django.db import connection
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.utils import CursorWrapper

from linkwright.errors import LinkwrightError
from linkwright.store.models import AuditLogEntry, AuditLogHead

# the form of the content; another form would need another number, and both would have to be known for ever
FORM = 1
# PostgreSQL takes every character in a text but this one
_HEAD = re.compile(r"(\d{1,18}):([0-9a-f]{64})")
_NUL, _SHOWN_NUL = "\0", "\ufffd"


class Linkable(Protocol):
    """What the content of an entry is made of."""

    at: datetime
    user_id: int | None
    action: str
    target: str
    project_code: str
    reason: str
    detail: Any
    origin: str
    is_steering: bool


@dataclass(frozen=True)
class Head:
    """How many entries there are, and the hash of the last one; '' of none."""

    entries_count: int
    sha256: str

    def __str__(self) -> str:
        return f"{self.entries_count}:{self.sha256}"


class HeadError(LinkwrightError):
    """A text is no head of an audit log."""


def parse_head(text: str) -> Head:
    """Read a head as it is printed.

    Raises:
        HeadError: if it is none.
    """
    found = _HEAD.fullmatch(text.strip())
    if found is None:
        raise HeadError(
            f"{text!r} is no head of an audit log; allowed is COUNT:HASH, as `linkwright doctor` prints it."
        )
    return Head(int(found[1]), found[2])


def content_sha256(entry: Linkable) -> str:
    """Return the hash of an entry's values, the same whichever database they come from."""
    values = [
        FORM,
        entry.at.astimezone(UTC).isoformat(timespec="microseconds"),
        entry.user_id,
        entry.action,
        entry.target,
        entry.project_code,
        entry.reason,
        entry.detail,
        entry.origin,
        bool(entry.is_steering),
    ]
    text = json.dumps(storable(values), ensure_ascii=True, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


def own_sha256(number: int, entry_id: int, previous: str, content: str) -> str:
    """Return the hash of an entry at its place."""
    return hashlib.sha256(f"{number}\n{entry_id}\n{previous}\n{content}".encode()).hexdigest()


def storable(value: Any) -> Any:
    """Return plain values as both databases give them back: text keys, whole numbers whole, no zero character."""
    if isinstance(value, str):
        return value.replace(_NUL, _SHOWN_NUL)
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, Mapping):
        return {str(storable(key)): storable(one) for key, one in value.items()}
    if isinstance(value, Iterable):
        return [storable(one) for one in value]
    return value


def read_head() -> Head:
    """Return the head; that of an empty audit log if there is none."""
    row = AuditLogHead.objects.filter(pk=1).values_list("entries_count", "sha256").first()
    return Head(*row) if row else Head(0, "")


def snapshot_head(snapshot: BaseDatabaseWrapper) -> Head:
    """Return the head as a snapshot of the database holds it."""
    with snapshot.cursor() as cursor:
        cursor.execute("SELECT entries_count, sha256 FROM store_auditloghead WHERE id = 1")
        row = cursor.fetchone()
    return Head(int(row[0]), str(row[1])) if row else Head(0, "")


def add_linked(entry: AuditLogEntry) -> None:
    """Write a new entry at its place, in the caller's transaction; PostgreSQL gives it one at the end of that."""
    entry.content_sha256 = content_sha256(entry)
    if connection.vendor == "postgresql":
        entry.save(force_insert=True)
        return
    # one writer: what is read here stands until the transaction ends. Plain statements, as every action waits
    with connection.cursor() as cursor:
        cursor.execute(_PLACE)
        entries_count, entry.previous_sha256, newest = cursor.fetchone() or _last_link(cursor)
        entry.pk, entry.number = (newest or 0) + 1, entries_count + 1
        entry.sha256 = own_sha256(entry.number, entry.pk, entry.previous_sha256, entry.content_sha256)
        entry.save(force_insert=True)
        cursor.execute(_MOVE_HEAD, [entry.number, entry.sha256])


_NEWEST = "(SELECT seq FROM sqlite_sequence WHERE name = 'store_auditlogentry')"
_PLACE = f"SELECT entries_count, sha256, {_NEWEST} FROM store_auditloghead WHERE id = 1"
_MOVE_HEAD = "UPDATE store_auditloghead SET entries_count = %s, sha256 = %s WHERE id = 1"
_LAST = (
    f"SELECT number, sha256, {_NEWEST} FROM store_auditlogentry "
    "WHERE number IS NOT NULL ORDER BY number DESC LIMIT 1"
)


def _last_link(cursor: CursorWrapper) -> tuple[int, str, int | None]:
    """Make a head, as the last entry has it, where there is none."""
    cursor.execute(_LAST)
    number, sha256, newest = cursor.fetchone() or (0, "", None)
    AuditLogHead.objects.create(pk=1, entries_count=number, sha256=sha256)
    return number, sha256, newest
