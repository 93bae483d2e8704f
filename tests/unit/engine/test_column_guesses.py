"""What a column's name and values suggest: the linkage field, the type, the date formats."""

import pytest

from linkwright.engine.column_guesses import (
    DATE_FORMATS,
    ColumnGuess,
    guess_column,
    joint_date_formats,
    parse_date,
    suggest_date_formats,
    suggest_fields,
)
from linkwright.engine.date_formats import date_format_fault
from linkwright.engine.fields import STANDARD_FIELDS, FieldType, LinkageField


@pytest.mark.parametrize(
    ("name", "field"),
    [
        ("given", "given_name"),
        ("First Name", "given_name"),
        ("forename", "given_name"),
        ("FORENAME1", "given_name"),
        ("middle_name", "second_given_name"),
        ("LastName", "surname"),
        ("family-name", "surname"),
        ("maiden name", "previous_surname"),
        ("DOB", "date_of_birth"),
        ("birth_date", "date_of_birth"),
        ("Date of Birth", "date_of_birth"),
        ("DOD", "date_of_death"),
        ("Gender", "sex"),
        ("Post Code", "postcode"),
        ("zip", "postcode"),
        ("Town", "suburb"),
        ("STATE_TERRITORY", "state"),
        ("addr1", "address_line_1"),
        ("medicare_no", "health_identifier"),
        ("admission_date", "event_date"),
        ("record_id", "source_unique_id"),
        ("birth_id", "source_unique_id"),
        ("Admission No", "source_unique_id"),
        ("eventKey", "source_unique_id"),
        ("paid", ""),
        ("GRID", ""),
        ("visit_id", "source_unique_id"),
        ("UMRN", "source_person_id"),
        ("source_unique_id", "source_unique_id"),
        ("ward", ""),
        ("", ""),
    ],
)
def test_a_name_suggests_its_field(name: str, field: str) -> None:
    assert suggest_fields([name], STANDARD_FIELDS) == [field]


def test_only_a_first_column_is_taken_for_the_unique_id_by_its_ending_and_only_where_no_name_means_it() -> None:
    assert suggest_fields(["birth_id", "ward_id"], STANDARD_FIELDS) == ["source_unique_id", ""]
    assert suggest_fields(["ward", "birth_id"], STANDARD_FIELDS) == ["", ""]
    assert suggest_fields(["ward_id", "record_id"], STANDARD_FIELDS) == ["", "source_unique_id"]
    assert suggest_fields([], STANDARD_FIELDS) == []


def test_each_field_is_suggested_once_and_its_own_name_wins() -> None:
    assert suggest_fields(["first", "given_name", "id", "record_id"], STANDARD_FIELDS) == [
        "",
        "given_name",
        "source_unique_id",
        "",
    ]


def test_a_projects_own_field_is_suggested_by_its_name() -> None:
    own = LinkageField("birth_hospital", FieldType.IDENTIFIER)
    assert suggest_fields(["Birth Hospital"], [*STANDARD_FIELDS, own]) == ["birth_hospital"]


@pytest.mark.parametrize(
    ("values", "kind", "formats"),
    [
        (["1980-01-02", "1981-12-31"], FieldType.DATE, ("%Y-%m-%d",)),
        (["13/01/1980", "02/03/1981"], FieldType.DATE, ("%d/%m/%Y",)),
        (["01/13/1980", "02/03/1981"], FieldType.DATE, ("%m/%d/%Y",)),
        (["2 Jan 1980", "13 feb 1981"], FieldType.DATE, ("%d %b %Y",)),
        (["19800102"], FieldType.DATE, ("%Y%m%d",)),
        (["1980-01-02T10:20:30"], FieldType.DATE, ("%Y-%m-%dT%H:%M:%S",)),
        (["M", "f", " "], FieldType.SEX, ()),
        (["NSW", "Vic"], FieldType.STATE, ()),
        (["1", "2", "9"], FieldType.NUMBER, ()),
        (["1.5", "-3"], FieldType.NUMBER, ()),
        (["Ada", "Bo"], FieldType.TEXT, ()),
        ([" ", ""], None, ()),
        ([], None, ()),
    ],
)
def test_values_tell_their_type(values: list[str], kind: FieldType | None, formats: tuple[str, ...]) -> None:
    assert guess_column(values) == ColumnGuess(kind, formats)


def test_dates_that_read_two_ways_say_so() -> None:
    guess = guess_column(["01/02/1980", "03/04/1981"])
    assert guess.date_formats == ("%d/%m/%Y", "%m/%d/%Y")
    assert guess.note == ("All values also read by %m/%d/%Y, as other days. Ask the Data Provider which is meant.")


def test_two_digit_years_are_told_and_not_guessed() -> None:
    guess = guess_column(["01/02/80", "3.4.81"])
    assert (guess.type, guess.date_formats) == (FieldType.TEXT, ())
    assert "two-digit years" in guess.note


def test_a_few_spoilt_dates_do_not_hide_the_format() -> None:
    assert suggest_date_formats(["1980-01-02"] * 8 + ["1980-02-30", "unknown"]) == ("%Y-%m-%d",)
    assert suggest_date_formats(["1980-01-02"] * 3 + ["x"] * 2) == ()


def test_a_date_is_read_as_strictly_as_load_reads_it() -> None:
    assert parse_date("2/1/1980", "%d/%m/%Y") is not None
    assert parse_date("1980-02-30", "%Y-%m-%d") is None
    assert parse_date("1199-02-20", "%Y-%m-%d") is None


def test_every_format_that_is_offered_is_allowed() -> None:
    assert [fault for fault in map(date_format_fault, DATE_FORMATS) if fault] == []


def test_formats_of_several_columns_are_joined_unless_they_contradict() -> None:
    british, american, iso = (ColumnGuess(FieldType.DATE, (one,)) for one in ("%d/%m/%Y", "%m/%d/%Y", "%Y-%m-%d"))
    assert joint_date_formats([british, iso, ColumnGuess(FieldType.TEXT), american]) == ("%d/%m/%Y", "%Y-%m-%d")
