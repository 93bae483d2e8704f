"""One short text that changes whenever anything that the pages show changes. Never writes.

Every change of a job's state writes a JobEvent, everything people do writes the audit log, and Notifications and
audit messages are rows that are only ever added: so the highest keys of these tables, the running job's progress
and the queue's row tell whether a page is stale, at the price of one statement over primary keys.
"""

import hashlib
from datetime import datetime

from django.db import connection

from linkwright.store.models import (
    AuditLogEntry,
    AuditMessage,
    Envelope,
    EnvelopeReport,
    Job,
    JobEvent,
    JobState,
    Notification,
    QueueState,
    SettingValue,
)
from linkwright.store.queries.worker_presence import worker_seen_sql


def _statement() -> str:
    newest = ", ".join(
        f"(SELECT MAX(id) FROM {model._meta.db_table})"  # noqa: SLF001 - Django's documented model API
        for model in (Envelope, JobEvent, Notification, AuditMessage, AuditLogEntry, EnvelopeReport)
    )
    job, queue = Job._meta.db_table, QueueState._meta.db_table  # noqa: SLF001
    setting = SettingValue._meta.db_table  # noqa: SLF001
    return (
        f"SELECT {newest}, "
        f"(SELECT progress FROM {job} WHERE state = '{JobState.RUNNING}'), "
        f"(SELECT cancel_requested_at FROM {job} WHERE state = '{JobState.RUNNING}'), "
        f"(SELECT paused_at FROM {queue} WHERE id = 1), "
        f"(SELECT MAX(changed_at) FROM {setting})"
    )


def read_change_token(*salt: object, worker_seen_since: datetime) -> str:
    """Return the token of this moment; it changes when no worker has been seen since then, or one is again.

    `salt` is whatever else the page depends on: the person, the address.
    """
    seen, values = worker_seen_sql(worker_seen_since)
    with connection.cursor() as cursor:
        cursor.execute(f"{_statement()}, {seen}", values)
        row = cursor.fetchone()
    return hashlib.blake2b(repr((row, salt)).encode(), digest_size=12).hexdigest()
