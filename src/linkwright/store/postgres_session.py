"""How a session of PostgreSQL reads moments: by the interpreter's own parser, as the same datetimes in UTC.

The framework reads them with the driver's pure Python, five microseconds each; a list of jobs has three hundred.
"""

from datetime import UTC, datetime
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper


def read_moments_quickly(connection: BaseDatabaseWrapper, **_signal: Any) -> None:
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
