"""What becomes of a source text, by the type of its linkage field: the generated SQL, run in DuckDB."""

import base64
from collections.abc import Iterator
from datetime import date
from typing import Any

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from linkwright.engine.cleaning import CleaningRules, identifiers_sql, standardise_sql
from linkwright.engine.date_formats import DEFAULT_DATE_FORMATS
from linkwright.engine.fields import FieldType, LinkageField
from linkwright.engine.standardisation import StandardisationMaps


@pytest.fixture(scope="module")
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(":memory:") as connection:
        yield connection


def run(con: duckdb.DuckDBPyConnection, query: str, texts: list[str | None]) -> list[tuple[Any, ...]]:
    con.execute("CREATE OR REPLACE TABLE texts (place BIGINT, text VARCHAR)")
    if texts:
        con.executemany("INSERT INTO texts VALUES (?, ?)", list(enumerate(texts)))
    return con.execute(query).fetchall()


def clean(
    con: duckdb.DuckDBPyConnection, kind: FieldType, *texts: str | None, **rules: Any
) -> list[tuple[Any, ...]]:
    field = LinkageField("field", kind)
    rules.setdefault("date_formats", {"field": DEFAULT_DATE_FORMATS})
    return run(con, standardise_sql("texts", field, CleaningRules(**rules)), list(texts))


READ, UNREAD = False, True


@pytest.mark.parametrize("kind", list(FieldType))
def test_nothing_stays_nothing_and_is_not_invalid(con: duckdb.DuckDBPyConnection, kind: FieldType) -> None:
    assert clean(con, kind, "", None, "   ", "\t\r\n", "\u00a0\u3000", "\u200b") == [(None, READ)] * 6


@pytest.mark.parametrize("kind", list(FieldType))
def test_null_values_stand_for_nothing_after_blanks_are_dropped(
    con: duckdb.DuckDBPyConnection, kind: FieldType
) -> None:
    assert clean(con, kind, " NULL ", "9999", null_values=["NULL", "9999"]) == [(None, READ)] * 2


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("Smith", "smith"),
        ("  O'Brien ", "obrien"),
        ("O’Brien", "obrien"),
        ("O \u0301Brien", "obrien"),  # what NFKC makes of O´Brien
        ("Smith-Jones", "smith jones"),
        ("SMITH  -  JONES", "smith jones"),
        ("van  der\tBerg", "van der berg"),
        ("St. John, Jr.", "st john jr"),
        ("D'Arcy/Wells (née Ng)", "darcy wells née ng"),
        ("ÅNGSTRÖM", "ångström"),
        ("李小龍", "李小龍"),
        ("Jo\u200bhn\ufeff", "john"),
        ("Smith 2nd", "smith 2nd"),
    ],
)
def test_a_name_keeps_letters_digits_and_single_blanks(
    con: duckdb.DuckDBPyConnection, text: str, cleaned: str
) -> None:
    assert clean(con, FieldType.NAME, text) == [(cleaned, READ)]


def test_a_name_of_signs_alone_is_invalid(con: duckdb.DuckDBPyConnection) -> None:
    assert clean(con, FieldType.NAME, "---", "?") == [(None, UNREAD)] * 2


def test_a_text_keeps_its_signs(con: duckdb.DuckDBPyConnection) -> None:
    assert clean(con, FieldType.TEXT, " Unit 3 / 12-14,  High St. ") == [("unit 3 / 12-14, high st.", READ)]


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("1999-02-28", date(1999, 2, 28)),
        ("28/02/1999", date(1999, 2, 28)),
        ("1/2/1999", date(1999, 2, 1)),
        ("19990228", date(1999, 2, 28)),
        ("0001-01-01", date(1, 1, 1)),
        ("9999-12-31", date(9999, 12, 31)),
        ("29/02/2000", date(2000, 2, 29)),
    ],
)
def test_a_date_is_read_by_the_first_format_that_fits(
    con: duckdb.DuckDBPyConnection, text: str, day: date
) -> None:
    assert clean(con, FieldType.DATE, text) == [(day, READ)]


@pytest.mark.parametrize(
    "text",
    [
        "31/02/1999",
        "29/02/1900",
        "1/2/99",
        "1999121",
        "199901011",
        "0000-01-01",
        "1999-13-01",
        "unknown",
        "12/1999",
        "-",
    ],
)
def test_an_impossible_or_partial_date_is_invalid(con: duckdb.DuckDBPyConnection, text: str) -> None:
    assert clean(con, FieldType.DATE, text) == [(None, UNREAD)]


@pytest.mark.parametrize(
    ("date_format", "text"),
    [
        ("%d %b %Y", "3 feb 1999"),
        ("%d-%b-%Y", "03-FEB-1999"),
        ("%d %B %Y", "3 February 1999"),
        ("%Y%j", "1999034"),
        ("%Y-%m-%dT%H:%M:%S", "1999-02-03T23:59:59"),
        ("%Y-%m-%d %H:%M:%S.%f", "1999-02-03 10:00:00.5"),
        ("%d%m%Y", "03021999"),
        ("%d.%m.%Y", "3.2.1999"),
        ("%m/%d/%Y", "2/3/1999"),
    ],
)
def test_declared_formats_are_read(con: duckdb.DuckDBPyConnection, date_format: str, text: str) -> None:
    assert clean(con, FieldType.DATE, text, date_formats={"field": (date_format,)}) == [(date(1999, 2, 3), READ)]


@settings(deadline=None)
@given(day=st.dates(), date_format=st.sampled_from(["%Y-%m-%d", "%d/%m/%Y", "%Y%m%d", "%d %B %Y", "%Y%j"]))
def test_every_day_that_is_written_in_a_format_is_read_as_that_day(
    con: duckdb.DuckDBPyConnection, day: date, date_format: str
) -> None:
    # strftime does not fill years before 1000 with zeros on every system
    text = day.strftime(date_format.replace("%Y", f"{day.year:04d}"))
    assert clean(con, FieldType.DATE, text, date_formats={"field": (date_format,)}) == [(day, READ)]


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [("M", "m"), ("male", "m"), ("1", "m"), (" Female ", "f"), ("2", "f"), ("Non binary", "x"), ("3", "x")],
)
def test_sex_is_mapped(con: duckdb.DuckDBPyConnection, text: str, cleaned: str) -> None:
    assert clean(con, FieldType.SEX, text) == [(cleaned, READ)]


def test_an_unknown_sex_is_empty_and_an_unreadable_one_is_invalid(con: duckdb.DuckDBPyConnection) -> None:
    assert clean(con, FieldType.SEX, "9", "Not Stated", "zz", "-") == [
        (None, READ),
        (None, READ),
        (None, UNREAD),
        (None, UNREAD),
    ]


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [("NSW", "nsw"), ("N.S.W.", "nsw"), ("New South Wales", "nsw"), ("5", "wa"), ("act", "act")],
)
def test_state_is_mapped(con: duckdb.DuckDBPyConnection, text: str, cleaned: str) -> None:
    assert clean(con, FieldType.STATE, text) == [(cleaned, READ)]


def test_maps_come_from_the_settings_and_signs_and_case_in_them_do_not_matter(
    con: duckdb.DuckDBPyConnection,
) -> None:
    maps = StandardisationMaps(sex={"Männlich": "m", "k. A.": "", "?": ""}, state={})
    assert clean(con, FieldType.SEX, "männlich", "KA", "?", "m", maps=maps) == [
        ("m", READ),
        (None, READ),
        (None, READ),
        (None, UNREAD),
    ]


def test_an_empty_map_takes_every_value_and_a_map_of_unknowns_takes_none(con: duckdb.DuckDBPyConnection) -> None:
    assert clean(con, FieldType.STATE, "California", maps=StandardisationMaps(state={})) == [("california", READ)]
    assert clean(con, FieldType.SEX, "m", "u", maps=StandardisationMaps(sex={"u": ""})) == [
        (None, UNREAD),
        (None, READ),
    ]


@pytest.mark.parametrize("kind", [FieldType.POSTCODE, FieldType.IDENTIFIER])
def test_postcodes_and_identifiers_keep_letters_and_digits(
    con: duckdb.DuckDBPyConnection, kind: FieldType
) -> None:
    assert clean(con, kind, "SW1A 1AA", "0800", "2123-45670/1", "--") == [
        ("sw1a1aa", READ),
        ("0800", READ),
        ("2123456701", READ),
        (None, UNREAD),
    ]


def test_a_number_is_finite_and_has_a_point(con: duckdb.DuckDBPyConnection) -> None:
    assert clean(con, FieldType.NUMBER, "12", "-1.5", "+.5", "2e3", "7.") == [
        (value, READ) for value in (12.0, -1.5, 0.5, 2000.0, 7.0)
    ]
    assert (
        clean(con, FieldType.NUMBER, "1,5", "1_000", "nan", "inf", "1e999", "12 kg", "0x1f")
        == [(None, UNREAD)] * 7
    )


def test_a_bit_filter_in_base64_or_in_bits_has_one_form(con: duckdb.DuckDBPyConnection) -> None:
    filter_bytes = bytes([0b01000001, 0b11111111, 0])
    bits = "".join(f"{byte:08b}" for byte in filter_bytes)
    encoded = base64.b64encode(filter_bytes).decode()
    assert clean(con, FieldType.BLOOM, encoded, bits, "QR==") == [(encoded, READ), (encoded, READ), ("QQ==", READ)]


def test_a_damaged_bit_filter_is_invalid(con: duckdb.DuckDBPyConnection) -> None:
    assert clean(con, FieldType.BLOOM, "0101010", "QQ=", "a!bc", "é") == [(None, UNREAD)] * 4


@settings(deadline=None)
@given(filter_bytes=st.binary(min_size=1, max_size=64))
def test_every_bit_filter_survives(con: duckdb.DuckDBPyConnection, filter_bytes: bytes) -> None:
    bits = "".join(f"{byte:08b}" for byte in filter_bytes)
    assert clean(con, FieldType.BLOOM, bits) == [(base64.b64encode(filter_bytes).decode(), READ)]


def test_identifiers_lose_blanks_around_them_and_nothing_else(con: duckdb.DuckDBPyConnection) -> None:
    query = identifiers_sql("texts", CleaningRules(null_values=["n/a"]))
    texts = [" A-1 ", "\u00a0b  2\t", "Ｃ3", "", "  ", None, "n/a", "O'é"]
    assert [row[0] for row in run(con, query, texts)] == ["A-1", "b  2", "Ｃ3", None, None, None, None, "O'é"]


@pytest.mark.parametrize("hostile", ["'; DROP TABLE texts; --", "a\\'b", "%", "\0", '"'])
def test_hostile_null_values_and_map_entries_stay_values(con: duckdb.DuckDBPyConnection, hostile: str) -> None:
    maps = StandardisationMaps(sex={hostile + "q": hostile}, state={})
    rows = clean(con, FieldType.SEX, hostile + "q", hostile, null_values=[hostile], maps=maps)
    assert rows[0] == (hostile, READ)
    assert con.execute("SELECT count(*) FROM texts").fetchall() == [(2,)]


@settings(deadline=None)
@given(texts=st.lists(st.text(max_size=12), max_size=8), kind=st.sampled_from(list(FieldType)))
def test_rows_come_back_in_order_and_a_value_is_never_blank(
    con: duckdb.DuckDBPyConnection, texts: list[str], kind: FieldType
) -> None:
    rows = clean(con, kind, *texts)
    assert len(rows) == len(texts)
    for value, is_invalid in rows:
        assert value != ""
        assert not (is_invalid and value is not None)


@settings(deadline=None)
@given(texts=st.lists(st.text(max_size=12), min_size=1, max_size=5), kind=st.sampled_from(list(FieldType)))
def test_what_is_standard_stays_as_it_is(
    con: duckdb.DuckDBPyConnection, texts: list[str], kind: FieldType
) -> None:
    values = [str(value) for value, _ in clean(con, kind, *texts) if value is not None]
    assert [str(value) for value, _ in clean(con, kind, *values)] == values
