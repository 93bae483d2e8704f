"""One short text that changes whenever anything that the pages show changes. Never writes.

Every change of a job's state writes a JobEvent, everything people do writes the audit log, and Notifications and
audit messages are rows that are only ever added: so the highest keys of these tables, the running job's progress
and the queue's row tell whether a page is stale, at the price of one statement over primary keys.
"""

import hashlib
from datetime import datetime
from functools import cache

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
from linkwright.store.queries.worker_presence import LAST_SEEN_SQL, is_seen_since, keep_last_seen


@cache
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
        f"(SELECT MAX(changed_at) FROM {setting}), {LAST_SEEN_SQL}"
    )


def read_change_token(*salt: object, worker_seen_since: datetime) -> str:
    """Return the token of this moment; it changes when no worker has been seen since then, or one is again.

    `salt` is whatever else the page depends on: the person, the address.
    """
    with connection.cursor() as cursor:
        # without values: PostgreSQL plans it once a session
        cursor.execute(_statement())
        row = cursor.fetchone() or (None,)
    keep_last_seen(row[-1])
    # a worker says every two seconds that it is there: that alone changes nothing
    state = (*row[:-1], is_seen_since(row[-1], worker_seen_since))
    return hashlib.blake2b(repr((state, salt)).encode(), digest_size=12).hexdigest()
