"""What sessions of PostgreSQL do at every request, done more quickly than the framework does it.

Moments are read by the interpreter's own parser, as the same datetimes in UTC: the framework reads them with the
driver's pure Python, five microseconds each, and a list of jobs has three hundred. And whether a connection still
lives is not asked of one that has just answered: the question takes a fifth of a poll.
"""

import time
from datetime import UTC, datetime
from typing import Any

from django.core.signals import request_finished, request_started
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created

# a database that goes away within this costs one request an error, as it does one that is being answered
TRUSTED_S = 1.0
_ANSWERED = "answered_at_s"
_TRUST = "trust connections"


def set_up_sessions() -> None:
    """Have every connection and every request looked after, from now on."""
    # behind the framework's own receiver, which forgets what was asked
    request_started.disconnect(dispatch_uid=_TRUST)
    request_started.connect(_trust_what_has_just_answered, dispatch_uid=_TRUST)
    request_finished.connect(_note_what_has_answered, dispatch_uid="note connections")
    connection_created.connect(_read_moments_quickly, dispatch_uid="read moments")


def _trust_what_has_just_answered(**_signal: Any) -> None:
    now_s = time.monotonic()
    for connection in _sessions():
        if now_s - vars(connection).get(_ANSWERED, -TRUSTED_S) < TRUSTED_S:
            vars(connection)["health_check_done"] = True


def _note_what_has_answered(**_signal: Any) -> None:
    for connection in _sessions():
        vars(connection).pop(_ANSWERED, None)
        if not connection.errors_occurred:
            vars(connection)[_ANSWERED] = time.monotonic()


def _sessions() -> list[BaseDatabaseWrapper]:
    """Return this thread's open connections to PostgreSQL."""
    opened = (one for one in connections.all(initialized_only=True) if one.vendor == "postgresql")
    return [one for one in opened if one.connection is not None]


def _read_moments_quickly(connection: BaseDatabaseWrapper, **_signal: Any) -> None:
    """Take over the reading of `timestamptz` on a connection that has just been opened."""
    if connection.vendor != "postgresql":
        return
    # psycopg is there only where PostgreSQL is used
    from psycopg.abc import Buffer  # noqa: PLC0415
    from psycopg.types.datetime import TimestamptzLoader  # noqa: PLC0415

    class MomentLoader(TimestamptzLoader):
        """Reads '2026-11-22 07:00:00.5+00', as a session in UTC writes it; the framework asks for `timezone`."""

        timezone = UTC

        def load(self, data: Buffer) -> datetime:
            """Return a moment in UTC; what is none, such as infinity, the driver refuses in its own words."""
            try:
                at = datetime.fromisoformat(bytes(data).decode())
            except ValueError:
                at = super().load(data)
            return at if at.tzinfo is UTC else at.astimezone(UTC)

    connection.connection.adapters.register_loader("timestamptz", MomentLoader)
