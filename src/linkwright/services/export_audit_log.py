"""The entries of the audit log as CSV, as they are filtered; who took them stands in the audit log.

Streamed: a million entries take no more memory than a thousand. Texts that a spreadsheet would take for a formula
are marked with an apostrophe, as people type reasons and file names come from outside.
"""

import csv
import io
import json
from collections.abc import Iterator

from linkwright.errors import LinkwrightError
from linkwright.store.audit_chain import read_head
from linkwright.store.audit_log import Actor, record_action
from linkwright.store.models import AuditLogEntry
from linkwright.store.permissions import Permission, actor_may
from linkwright.store.queries.audit_entries import AuditFilter, all_entries

COLUMNS = (
    "number",
    "at_utc",
    "person",
    "action",
    "target",
    "project_code",
    "reason",
    "origin",
    "detail",
    "sha256",
)
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


class AuditLogRefusedError(LinkwrightError):
    """Whoever asks may not read the audit log."""


def export_audit_log(actor: Actor, wanted: AuditFilter) -> Iterator[str]:
    """Return the CSV in pieces: a header, then the entries up to now, newest first.

    Raises:
        AuditLogRefusedError: for the machine itself, which has `linkwright doctor`, and for people without the
            permission.
    """
    if actor.user is None or not actor_may(actor, Permission.READ_AUDIT_LOG):
        raise AuditLogRefusedError(f"This needs the permission '{Permission.READ_AUDIT_LOG}'.")
    last = read_head().entries_count
    record_action(actor, "export audit log", f"up to entry {last}", detail=wanted.parts)
    return _lines([COLUMNS], map(_row, all_entries(actor.user, wanted, last)))


def _lines(header: list[tuple[str, ...]], rows: Iterator[list[str]]) -> Iterator[str]:
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    writer.writerows(header)
    for row in rows:
        writer.writerow(row)
        if buffer.tell() > _PIECE_CHARACTERS:
            yield buffer.getvalue()
            buffer.seek(0)
            buffer.truncate()
    yield buffer.getvalue()


_PIECE_CHARACTERS = 64 * 1024


def _row(entry: AuditLogEntry) -> list[str]:
    person = entry.user.username if entry.user else entry.origin
    texts = (person, entry.action, entry.target, entry.project_code, entry.reason, entry.origin)
    return [
        str(entry.number),
        entry.at.isoformat(),
        *(_harmless(text) for text in texts),
        json.dumps(entry.detail, ensure_ascii=False, sort_keys=True) if entry.detail else "",
        entry.sha256,
    ]


def _harmless(text: str) -> str:
    return f"'{text}" if text.startswith(_FORMULA_STARTS) else text
