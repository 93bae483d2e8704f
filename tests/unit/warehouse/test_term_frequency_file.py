"""The file of term frequencies: built of the live records of all batches, and opened for scoring."""

import datetime as dt
from pathlib import Path
from typing import Any

import pytest

from linkwright.warehouse.connection import open_engine
from linkwright.warehouse.limits import EngineLimits, StorageError
from linkwright.warehouse.term_frequencies import build_term_frequencies, open_term_frequencies
from tests.record_batches import read_rows, write_ends, write_records


@pytest.fixture
def limits(tmp_path: Path) -> EngineLimits:
    return EngineLimits(tmp_path / "scratch", memory_mib=512, threads=2)


@pytest.fixture
def batches(tmp_path: Path) -> list[Path]:
    first: list[dict[str, Any]] = [
        {"record_id": 1, "surname": "lee", "date_of_birth": dt.date(1987, 2, 3)},
        {"record_id": 2, "surname": "lee"},
        {"record_id": 3, "surname": "fox"},
    ]
    second: list[dict[str, Any]] = [
        {"record_id": 4, "surname": "lee"},
        {"record_id": 5},
        {"record_id": 6, "surname": "fox"},
    ]
    return [write_records(tmp_path / f"{number}.parquet", rows) for number, rows in enumerate((first, second))]


def test_live_records_of_all_batches_count_and_deleted_ones_do_not(
    batches: list[Path], tmp_path: Path, limits: EngineLimits
) -> None:
    ended = write_ends(tmp_path / "ends.parquet", [6])
    fields = ("surname", "date_of_birth", "suburb")
    written = build_term_frequencies(batches, [ended], fields, tmp_path / "frequencies.parquet", limits)
    assert written.rows_count == 3
    assert written.bytes_count == written.path.stat().st_size
    assert read_rows(written.path) == [
        {"field": "date_of_birth", "value": "1987-02-03", "frequency": 1.0},
        {"field": "surname", "value": "fox", "frequency": 0.25},
        {"field": "surname", "value": "lee", "frequency": 0.75},
    ]


def test_scoring_reads_the_file_as_a_view(batches: list[Path], tmp_path: Path, limits: EngineLimits) -> None:
    written = build_term_frequencies(batches, [], ("surname",), tmp_path / "frequencies.parquet", limits)
    with open_engine(limits) as con:
        open_term_frequencies(con, written.path)
        rows = con.execute("FROM term_frequencies ORDER BY value").fetchall()
    assert rows == [("surname", "fox", 0.4), ("surname", "lee", 0.6)]


def test_nothing_to_count_is_refused(batches: list[Path], tmp_path: Path, limits: EngineLimits) -> None:
    with pytest.raises(ValueError, match="at least one field"):
        build_term_frequencies(batches, [], (), tmp_path / "frequencies.parquet", limits)
    with pytest.raises(ValueError, match="at least one records file"):
        build_term_frequencies([], [], ("surname",), tmp_path / "frequencies.parquet", limits)


def test_a_file_that_is_gone_is_a_storage_error(tmp_path: Path, limits: EngineLimits) -> None:
    with (
        pytest.raises(StorageError, match=r"gone\.parquet is gone from .* Restore it from a backup"),
        open_engine(limits) as con,
    ):
        open_term_frequencies(con, tmp_path / "gone.parquet")
