"""Columns are standardised by their distinct texts; what is remembered between chunks never changes a result."""

from collections.abc import Iterator
from datetime import date
from typing import Any

import duckdb
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from linkwright.engine.cleaning import CleaningRules
from linkwright.engine.fields import FieldType, LinkageField
from linkwright.warehouse import standardise
from linkwright.warehouse.phonetics import latin_letters, name_codes
from linkwright.warehouse.standardise import StandardColumn, Standardiser
from linkwright.warehouse.unicode_forms import to_nfkc

SURNAME = LinkageField("surname", FieldType.NAME)
BIRTH = LinkageField("born", FieldType.DATE)
RULES = CleaningRules(date_formats={"born": ("%Y-%m-%d",)})
TEXTS = st.one_of(st.none(), st.sampled_from(["", "Smith", "SMITH", "O'Brien", "---", "李", "1999-02-28", "Zoë"]))


@pytest.fixture(scope="module")
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(":memory:") as connection:
        yield connection


def column(*texts: str | None) -> pa.ChunkedArray:
    middle = len(texts) // 2
    return pa.chunked_array([pa.array(texts[:middle], pa.string()), pa.array(texts[middle:], pa.string())])


def shown(result: StandardColumn) -> list[list[Any]]:
    return [part.to_pylist() for part in (result.values, *result.derived, result.is_invalid)]


def test_a_name_gets_its_codes_and_a_missing_one_none(con: duckdb.DuckDBPyConnection) -> None:
    assert shown(Standardiser(con, RULES).column(SURNAME, column("O'Brien", None, "", "---"))) == [
        ["obrien", None, None, None],
        ["O165", None, None, None],
        ["OBRAN", None, None, None],
        ["o", None, None, None],
        [False, False, False, True],
    ]


def test_dates_are_dates(con: duckdb.DuckDBPyConnection) -> None:
    result = Standardiser(con, RULES).column(BIRTH, column("1999-02-28", "x", "1999-02-28"))
    assert result.values.type == pa.date32()
    assert shown(result) == [[date(1999, 2, 28), None, date(1999, 2, 28)], [False, True, False]]


def test_texts_are_stored_as_a_dictionary_without_repetitions(con: duckdb.DuckDBPyConnection) -> None:
    values = Standardiser(con, RULES).column(SURNAME, column("Smith", "SMITH", "smith", "---")).values
    assert values.dictionary.to_pylist() == ["smith"]
    assert values.indices.to_pylist() == [0, 0, 0, None]


def test_a_column_without_rows_has_none(con: duckdb.DuckDBPyConnection) -> None:
    assert shown(Standardiser(con, RULES).column(SURNAME, column())) == [[], [], [], [], []]


@settings(max_examples=40, deadline=None)
@given(
    chunks=st.lists(st.lists(TEXTS, max_size=12), min_size=1, max_size=4), most_kept=st.sampled_from([0, 3, 1000])
)
def test_what_was_seen_before_changes_nothing(
    con: duckdb.DuckDBPyConnection, chunks: list[list[str | None]], most_kept: int
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(standardise, "_MOST_TEXTS_KEPT", most_kept)
        one_for_all = Standardiser(con, RULES)
        for texts in chunks:
            for field in (SURNAME, BIRTH):
                alone = Standardiser(con, RULES).column(field, column(*texts))
                assert shown(one_for_all.column(field, column(*texts))) == shown(alone)


def test_texts_that_repeat_are_cleaned_once_over_all_chunks(
    con: duckdb.DuckDBPyConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    cleaned: list[str] = []

    def note(texts: pa.Array) -> pa.Array:
        cleaned.extend(texts.to_pylist())
        return to_nfkc(texts)

    monkeypatch.setattr(standardise, "to_nfkc", note)
    standardiser = Standardiser(con, RULES)
    for texts in (["a", "b"] * 5, ["b", "c"] * 5, ["a", "b", "c"] * 5):
        standardiser.column(SURNAME, column(*texts))
    assert sorted(cleaned) == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("name", "letters"),
    [
        ("o'brien 2nd", "obriennd"),
        ("ångström", "angstrom"),
        ("straße", "strasse"),
        ("łódź", "lodz"),
        ("þórðr", "thordr"),
        ("李", ""),
        ("", ""),
        ("zoe\u0308", "zoe"),
    ],
)
def test_the_letters_of_a_name_are_those_without_marks(name: str, letters: str) -> None:
    assert latin_letters(name) == letters


@settings(deadline=None)
@given(names=st.lists(st.one_of(st.none(), st.text(max_size=10)), max_size=6))
def test_every_name_has_codes_or_none_and_nothing_fails(names: list[str | None]) -> None:
    codes = name_codes(pa.array(names, pa.string()))
    for name, soundex, nysiis, initial in zip(names, *(code.to_pylist() for code in codes), strict=True):
        has_letters = bool(latin_letters(name or ""))
        assert (soundex is not None) == has_letters
        assert (nysiis is not None) == has_letters
        assert initial == ((name or "")[:1] or None)
        assert soundex is None or (len(soundex) == 4 and soundex.isascii())
