"""All rows that a list's filters give, as CSV: read in steps by key, so that memory stays bounded; audited.

A text that a spreadsheet would take for a formula gets an apostrophe before it. Times are ISO 8601, in UTC.
"""

import csv
import io
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from functools import partial
from typing import Any, TypeVar

from linkwright.store.audit_log import Actor, record_action
from linkwright.store.models import User
from linkwright.store.queries.envelope_lists import EnvelopeRow, list_envelopes
from linkwright.store.queries.envelope_search import EnvelopeFilter
from linkwright.store.queries.job_lists import JobRow, list_jobs
from linkwright.store.queries.job_search import JobFilter
from linkwright.store.queries.paging import Page

ROWS_AT_ONCE = 500
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
# what people and programs of all kinds recognise as UTF-8
_MARK = "\ufeff"
Row = TypeVar("Row")
Columns = Mapping[str, Callable[[Row], object]]


def export_envelopes(
    user: User, wanted: EnvelopeFilter, actor: Actor, columns: Columns[EnvelopeRow]
) -> Iterator[str]:
    """Return the lines of a CSV file with all Envelopes that a filter gives, newest first, with a header."""
    _record(actor, "export Envelopes", wanted)

    def read(cursor: str) -> Page[EnvelopeRow]:
        return list_envelopes(user, wanted, before=int(cursor) if cursor else None, limit=ROWS_AT_ONCE)

    return _lines(read, columns)


def export_jobs(user: User, wanted: JobFilter, actor: Actor, columns: Columns[JobRow]) -> Iterator[str]:
    """Return the lines of a CSV file with all jobs that a filter gives, in the list's order, with a header."""
    _record(actor, "export jobs", wanted)
    read = partial(list_jobs, user, wanted, limit=ROWS_AT_ONCE)
    return _lines(lambda cursor: read(before=cursor), columns)


def _record(actor: Actor, action: str, wanted: EnvelopeFilter | JobFilter) -> None:
    filters = {name: str(value) for name, value in asdict(wanted).items() if value}
    record_action(actor, action, "as CSV", project_code=wanted.project_code, detail=filters)


def _lines(read: Callable[[str], Page[Row]], columns: Columns[Row]) -> Iterator[str]:
    """Yield the header, then some hundred lines at a time; a page that ends early is followed like any other."""
    yield _MARK + _csv([list(columns)])
    cursor = ""
    while True:
        page = read(cursor)
        if page.rows:
            yield _csv([[cell_of(column(row)) for column in columns.values()] for row in page.rows])
        cursor = page.older
        if not cursor:
            return


def cell_of(value: object) -> str:
    """Return a value as a cell of a CSV file, which no spreadsheet takes for a formula."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, int | float):
        return str(value)
    text = str(value)
    return f"'{text}" if text.startswith(_FORMULA) else text


def _csv(rows: list[list[Any]]) -> str:
    stream = io.StringIO()
    csv.writer(stream, lineterminator="\r\n").writerows(rows)
    return stream.getvalue()
