"""A long writing tells how far it is, and ends when whoever is told has had enough."""

from pathlib import Path

import pytest

from linkwright.warehouse import connection
from linkwright.warehouse.connection import open_engine, write_parquet
from linkwright.warehouse.limits import EngineLimits, StorageError

ROWS_COUNT = 2_000_000
SORTED = f"SELECT range AS n, hash(range) AS h FROM range({ROWS_COUNT}) ORDER BY h"


@pytest.fixture(autouse=True)
def _told_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "_TELL_EVERY_S", 0.01)


def test_a_long_writing_tells_how_far_it_is(tmp_path: Path) -> None:
    told: list[float] = []
    with open_engine(EngineLimits(tmp_path)) as con:
        written = write_parquet(con, SORTED, tmp_path / "rows.parquet", told.append)
    assert written.rows_count == ROWS_COUNT
    assert told == sorted(told)
    assert any(0 < part < 1 for part in told)
    assert max(told) <= 1


class GivenUpError(Exception):
    """The attempt was given up."""


def test_what_a_report_raises_ends_the_writing(tmp_path: Path) -> None:
    def give_up(_part: float) -> None:
        raise GivenUpError

    with open_engine(EngineLimits(tmp_path)) as con:
        with pytest.raises(GivenUpError):
            write_parquet(con, SORTED, tmp_path / "rows.parquet", give_up)
        # the engine is free again
        assert con.execute("SELECT 1").fetchall() == [(1,)]
    assert not (tmp_path / "rows.parquet").exists()


def test_a_failing_writing_fails_as_an_untold_one(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="is gone from"), open_engine(EngineLimits(tmp_path)) as con:
        write_parquet(con, "SELECT 1", tmp_path / "absent" / "rows.parquet", print)
