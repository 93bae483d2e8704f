"""Columns of an extraction, and how RFC 4180 writes their values."""

import csv
import io

import duckdb
from hypothesis import given
from hypothesis import strategies as st

from linkwright.engine.extraction import (
    ChosenColumn,
    ExtractionColumn,
    column_faults,
    csv_header,
    csv_value_sql,
    parse_columns,
)

NAMES = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=20)


@given(name=NAMES, value=st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")))
def test_any_name_and_any_value_are_read_back_as_they_were(name: str, value: str) -> None:
    line = duckdb.execute(f"SELECT {csv_value_sql('v')} FROM (SELECT ? AS v)", [value]).fetchall()[0][0]
    text = f"{csv_header([name, name])}\n{line},x\n"
    # strict: the reader would forgive a value that is quoted in part
    assert list(csv.reader(io.StringIO(text, newline=""), strict=True)) == [[name, name], [value, "x"]]


def test_nothing_is_written_for_no_value() -> None:
    assert duckdb.execute(f"SELECT {csv_value_sql('CAST(NULL AS VARCHAR)')}").fetchall() == [("",)]


def test_a_sound_choice_has_no_fault_and_is_stored_and_read() -> None:
    assert column_faults([(column, column) for column in ExtractionColumn]) == []
    stored = [{"column": "person_key", "name": "Key"}]
    assert parse_columns(stored) == (ChosenColumn(ExtractionColumn.PERSON_KEY, "Key"),)


def test_no_column_at_all_is_a_fault() -> None:
    (fault,) = column_faults([])
    assert "Choose at least one of person_key, source_unique_id" in fault
