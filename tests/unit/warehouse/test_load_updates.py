"""Rows of a file whose Source Unique ID a held record has: the files that Load writes in each mode."""

from pathlib import Path

import pytest

from linkwright.engine.progress import Progress
from linkwright.engine.update_mode import UpdateMode
from tests.record_batches import write_ends
from tests.unit.warehouse.loading import HEADER, Loading, rows_of


@pytest.fixture
def loading(tmp_path: Path) -> Loading:
    return Loading(tmp_path)


def text(*identifiers: str) -> str:
    return "\n".join([HEADER, *(f"{identifier},Ann,Lee,1980-01-02,f,x" for identifier in identifiers)]) + "\n"


@pytest.fixture
def held(loading: Loading) -> Path:
    return loading.load(text("a", "b", "c"), stem="held").records.path


def test_replaced_records_end_in_favour_of_the_ids_that_count(loading: Loading, held: Path) -> None:
    # the rows of y are taken out, so that those behind them move up
    result = loading.load(
        text("x", "y", "y", "c", "a"), allowed=2, first_record_id=4, held=[held], updates=UpdateMode.REPLACE
    )
    assert (result.rows_read_count, result.rows_loaded_count, result.rows_replaced_count) == (5, 3, 2)
    loaded = {row["source_unique_id"]: row["record_id"] for row in rows_of(result.records.path)}
    assert loaded == {"x": 4, "c": 5, "a": 6}
    assert result.ends is not None
    assert rows_of(result.ends.path) == [{"record_id": 1, "replaced_by": 6}, {"record_id": 3, "replaced_by": 5}]


def test_skipped_rows_are_no_rejected_rows(loading: Loading, held: Path) -> None:
    result = loading.load(text("a", "d"), first_record_id=4, held=[held], updates=UpdateMode.SKIP)
    assert (result.rows_read_count, result.rows_loaded_count) == (2, 1)
    assert (result.rows_skipped_count, result.rows_rejected_count) == (1, 0)
    assert (result.ends, result.rejects) == (None, None)
    assert [row["source_unique_id"] for row in rows_of(result.records.path)] == ["d"]


def test_a_record_of_another_event_type_or_one_that_ended_is_not_replaced(loading: Loading, held: Path) -> None:
    ended = write_ends(loading.folder / "ends.parquet", [1])
    result = loading.load(text("a"), first_record_id=4, held=[held], ended=[ended], updates=UpdateMode.REPLACE)
    assert (result.rows_loaded_count, result.ends) == (1, None)
    other = loading.load(
        text("b"), stem="b2", event_type="deaths", first_record_id=4, held=[held], updates=UpdateMode.REPLACE
    )
    assert (other.rows_loaded_count, other.ends) == (1, None)


def test_a_load_that_fails_after_the_ends_were_written_leaves_no_file(loading: Loading, held: Path) -> None:
    def stop(progress: Progress) -> None:
        if list((loading.folder / "batches").glob("b1-ends*")):
            raise KeyboardInterrupt

    before = loading.left_files()
    with pytest.raises(KeyboardInterrupt):
        loading.load(text("a"), first_record_id=4, held=[held], updates=UpdateMode.REPLACE, report=stop)
    assert loading.left_files() == before
