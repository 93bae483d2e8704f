"""A session on PostgreSQL reads every moment as the same datetime in UTC, and refuses what is none."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from django.db import DataError, connection
from psycopg.types.datetime import TimestamptzLoader

from tests.live_system import LiveSystem

pytestmark = pytest.mark.postgres
MOMENTS = [
    datetime(1, 1, 2, tzinfo=UTC),
    datetime(1969, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC),
    datetime(2026, 2, 28, 12, tzinfo=UTC),
    datetime(2026, 3, 29, 1, 30, 0, 500_000, tzinfo=timezone(timedelta(hours=5, minutes=45))),
    datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC),
]


def _read(statement: str, *values: datetime | str) -> list[object]:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return list(cursor.fetchone() or ())


def test_moments_are_read_as_they_were_written(on_postgres: LiveSystem) -> None:
    loader = connection.connection.adapters.get_loader(1184, 0)
    assert loader is not None
    # the framework's own is the driver's, and this one took over from it
    assert loader.__module__ == "linkwright.store.postgres_session"
    assert issubclass(loader, TimestamptzLoader)
    for moment in MOMENTS:
        (found,) = _read("SELECT %s::timestamptz", moment)
        assert isinstance(found, datetime)
        assert (found, found.tzinfo) == (moment, UTC)
    assert _read("SELECT NULL::timestamptz") == [None]


@pytest.mark.parametrize("zone", ["Asia/Kathmandu", "America/St_Johns", "UTC"])
def test_moments_are_in_utc_whatever_the_session_writes(on_postgres: LiveSystem, zone: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('TimeZone', %s, true), '2026-07-01 12:00:00.25+00'::timestamptz", [zone])
        cursor.execute("SELECT '2026-07-01 12:00:00.25+00'::timestamptz")
        (found,) = cursor.fetchall()[0]
    assert (found, found.tzinfo) == (datetime(2026, 7, 1, 12, 0, 0, 250_000, tzinfo=UTC), UTC)


@pytest.mark.parametrize("text", ["infinity", "-infinity", "0044-03-15 12:00:00 BC", "20000-01-01"])
def test_what_python_has_no_datetime_for_is_refused_by_the_driver(on_postgres: LiveSystem, text: str) -> None:
    with pytest.raises(DataError, match=r"timestamp too|BC|year"):
        _read("SELECT %s::timestamptz", text)
