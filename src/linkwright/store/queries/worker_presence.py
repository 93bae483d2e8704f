"""Whether a worker has been seen lately. Never writes.

Every poll of every open page asks this: written as SQL, it takes a fifth of what the ORM takes to write it anew;
and without values, so that PostgreSQL keeps its plan.
"""

from datetime import datetime
from typing import Any

from django.db import connection

from linkwright.store.models import WorkerPresence, WorkerRole

_TABLE = WorkerPresence._meta.db_table  # noqa: SLF001 - Django's documented model API
LAST_SEEN_SQL = f"(SELECT MAX(seen_at) FROM {_TABLE} WHERE role = '{WorkerRole.ACTIVE.value}')"
"""When an active worker was seen last, in the database's own form; NULL if none ever was."""


def is_seen_since(last_seen: Any, at: datetime) -> bool:
    """Tell whether what `LAST_SEEN_SQL` gave is as late as a moment."""
    return last_seen is not None and bool(last_seen >= connection.ops.adapt_datetimefield_value(at))


def active_worker_seen_since(at: datetime) -> bool:
    """Tell whether an active worker has been seen since a moment."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {LAST_SEEN_SQL}")
        row = cursor.fetchone()
    return row is not None and is_seen_since(row[0], at)
