"""Held records that come again: by Event Type and Source Unique ID."""

from pathlib import Path

import pytest

from linkwright.warehouse.limits import EngineLimits
from linkwright.warehouse.repeated_records import write_repeated_records
from tests.record_batches import read_rows, write_records


def repeated(folder: Path, new: list[dict[str, object]], held: list[dict[str, object]]) -> list[int]:
    """Return the ids of the held records that come again."""
    files = [write_records(folder / f"{name}.parquet", rows) for name, rows in (("new", new), ("held", held))]
    written = write_repeated_records(
        files[:1], files[1:], folder / "ends.parquet", EngineLimits(folder / "scratch")
    )
    ids = [row["record_id"] for row in read_rows(written.path)]
    assert len(ids) == written.rows_count
    return ids


def test_a_record_comes_again_under_its_event_type_and_identifier(tmp_path: Path) -> None:
    held: list[dict[str, object]] = [
        {"record_id": 1, "event_type": "ADM", "source_unique_id": "a"},
        {"record_id": 2, "event_type": "BIRTH", "source_unique_id": "a"},
        {"record_id": 3, "event_type": "ADM", "source_unique_id": "b"},
        {"record_id": 4, "event_type": "ADM", "source_unique_id": "c"},
    ]
    new: list[dict[str, object]] = [
        {"record_id": 5, "event_type": "ADM", "source_unique_id": "b"},
        {"record_id": 6, "event_type": "ADM", "source_unique_id": "a"},
        {"record_id": 7, "event_type": "BIRTH", "source_unique_id": "c"},
    ]
    assert repeated(tmp_path, new, held) == [1, 3]


def test_nothing_comes_again_among_others(tmp_path: Path) -> None:
    assert repeated(tmp_path, [{"record_id": 2}], [{"record_id": 1}]) == []


def test_it_takes_new_and_held_records(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="only where there are new and held ones"):
        write_repeated_records([], [], tmp_path / "ends.parquet", EngineLimits(tmp_path))
