"""Import Formats: what is accepted, and how every fault is named at once."""

from typing import Any

import pytest

from linkwright.engine.fields import STANDARD_FIELDS
from linkwright.engine.import_format import CharacterRange, Encoding, ImportFormat, SourceKind, parse_import_format
from linkwright.errors import ConfigurationError


def parse(**data: Any) -> ImportFormat:
    return parse_import_format(data, STANDARD_FIELDS)


def faults(**data: Any) -> tuple[str, ...]:
    with pytest.raises(ConfigurationError) as caught:
        parse(**data)
    return caught.value.faults


def columns(**more: Any) -> dict[str, Any]:
    return {"source_unique_id": "id", "surname": "family_name", **more}


def place(start: int, width: int) -> dict[str, int]:
    return {"start": start, "width": width}


def test_a_short_declaration_means_comma_separated_text_with_a_header() -> None:
    parsed = parse(columns=columns())
    assert (parsed.kind, parsed.separator, parsed.quote, parsed.header) == (SourceKind.DELIMITED, ",", '"', True)
    assert parsed.encoding is Encoding.UTF_8
    assert parsed.columns == {"source_unique_id": "id", "surname": "family_name"}


def test_columns_are_mapped_by_name_by_position_and_by_character_range() -> None:
    assert parse(columns=columns(given_name=3)).columns["given_name"] == 3
    fixed = parse(kind="fixed_width", columns={"source_unique_id": place(1, 8), "surname": place(9, 20)})
    assert fixed.columns["surname"] == CharacterRange(start=9, width=20)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("UTF8", Encoding.UTF_8),
        ("utf-8-sig", Encoding.UTF_8),
        ("ISO_8859_1", Encoding.LATIN_1),
        ("cp1252", Encoding.WINDOWS_1252),
        ("Windows-1252", Encoding.WINDOWS_1252),
    ],
)
def test_encodings_are_known_by_their_usual_names(written: str, meant: Encoding) -> None:
    assert parse(columns=columns(), encoding=written).encoding is meant


@pytest.mark.parametrize(
    "data",
    [
        {
            "columns": columns(date_of_birth=4),
            "field_date_formats": {"date_of_birth": "%d/%m/%Y"},
            "null_values": ["?"],
        },
        {
            "kind": "fixed_width",
            "line_width": 40,
            "columns": {"source_unique_id": place(1, 8), "surname": place(9, 20)},
            "other_columns": {"ward": place(30, 4)},
        },
        {"kind": "parquet", "columns": columns()},
        {"header": False, "separator": "\t", "quote": None, "columns": {"source_unique_id": 1, "surname": 2}},
    ],
)
def test_what_is_stored_reads_back_the_same(data: dict[str, Any]) -> None:
    parsed = parse(**data)
    assert parse_import_format(parsed.model_dump(mode="json"), STANDARD_FIELDS) == parsed


def test_a_date_field_has_its_own_formats_or_those_of_the_file() -> None:
    parsed = parse(columns=columns(), date_formats=["%Y%m%d"], field_date_formats={"date_of_death": ["%d.%m.%Y"]})
    assert parsed.date_formats_of("date_of_death") == ("%d.%m.%Y",)
    assert parsed.date_formats_of("date_of_birth") == ("%Y%m%d",)


def test_every_fault_is_named_at_once_with_path_value_and_remedy() -> None:
    found = faults(
        kind="csv",
        seperator=";",
        encoding="ebcdic",
        quote=",",
        columns={"surnam": "x", "given_name": 0, "sex": place(0, 2), "suburb": True},
        date_formats=["%d/%m/%y"],
        field_date_formats={"surname": "%d/%m/%Y", "date_of_birth": ["%d/%m/%Y", "%m/%d/%Y"]},
        null_values=[9999],
    )
    by_path = dict(fault.split(": ", 1) for fault in found)
    assert set(by_path) == {
        f"import_format.{place}"
        for place in (
            "kind",
            "seperator",
            "encoding",
            "quote",
            "columns.surnam",
            "columns.given_name",
            "columns.sex",
            "columns.suburb",
            "date_formats",
            "field_date_formats.surname",
            "field_date_formats.date_of_birth",
            "null_values",
        )
    }
    assert by_path["import_format.kind"] == "'csv' is not allowed. Choose one of: delimited, fixed_width, parquet."
    assert by_path["import_format.seperator"] == "the key is unknown. Did you mean separator?"
    assert by_path["import_format.columns.surnam"].endswith("Did you mean surname?")
    assert "'ebcdic' is not allowed" in by_path["import_format.encoding"]


def test_the_path_begins_as_the_caller_says() -> None:
    with pytest.raises(ConfigurationError, match=r"import_formats\.births\.columns: is missing"):
        parse_import_format({}, STANDARD_FIELDS, "import_formats.births")


def test_a_declaration_that_is_no_mapping_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="is no mapping"):
        parse_import_format(["columns"], STANDARD_FIELDS)  # type: ignore[arg-type]


def test_a_format_needs_a_source_unique_id_and_a_linkage_field() -> None:
    missing, unfilled = faults(columns={})
    assert missing.startswith("import_format.columns.source_unique_id: is missing.")
    assert unfilled.startswith("import_format.columns: no linkage field is filled.")


def test_one_column_may_fill_an_identifier_and_a_field() -> None:
    assert (
        parse(columns={"source_unique_id": "id", "health_identifier": "id"}).columns["health_identifier"] == "id"
    )


def test_names_mean_nothing_without_a_header() -> None:
    (fault,) = faults(header=False, columns={"source_unique_id": 1, "surname": "family_name"})
    assert fault.startswith("import_format.columns.surname: 'family_name' is a name, but header is false.")


def test_a_fixed_width_line_has_ranges_and_a_delimited_line_has_not() -> None:
    (no_range,) = faults(kind="fixed_width", columns={"source_unique_id": place(1, 4), "surname": "name"})
    assert "'name' is no place in a fixed-width line" in no_range
    (with_range,) = faults(columns=columns(surname=place(1, 4)))
    assert "start and width are for fixed-width files" in with_range


def test_a_range_beyond_the_end_of_the_line_is_refused() -> None:
    mapped = {"source_unique_id": place(1, 4), "surname": place(5, 20)}
    beyond, other = faults(kind="fixed_width", line_width=20, columns=mapped, other_columns={"ward": place(20, 2)})
    assert (
        beyond == "import_format.columns.surname: ends at character 24, beyond line_width 20. Correct one of them."
    )
    assert other.startswith("import_format.other_columns.ward: ends at character 21")


def test_keys_of_another_kind_are_refused_rather_than_ignored() -> None:
    (fault,) = faults(kind="parquet", separator=";", columns=columns())
    assert fault == "import_format.separator: ';' means nothing for parquet, only for delimited. Remove it."


@pytest.mark.parametrize("separator", ["", ",,", "\n", 5])
def test_a_separator_is_one_character_and_no_line_end(separator: object) -> None:
    (fault,) = faults(columns=columns(), separator=separator)
    assert fault.startswith("import_format.separator: ")
    assert "Give one character" in fault


def test_one_character_cannot_be_both_quote_and_escape() -> None:
    (fault,) = faults(columns=columns(), escape='"')
    assert fault.startswith("import_format.escape: '\"' is the quote already.")


@pytest.mark.parametrize(
    ("date_format", "problem"),
    [
        ("%d/%m/%y", "a two-digit year"),
        ("%d/%m", "does not make a date"),
        ("%Y", "does not make a date"),
        ("%Y-%m-%b-%d", "does not make a date"),
        ("%Y-%j-%d", "does not make a date"),
        ("%Y-%m-%d %Z", "holds '%Z'"),
        ("%Y-%m-%d %", "holds '%'"),
        ("%d-%d-%m-%Y", "holds %d twice"),
    ],
)
def test_a_date_format_that_cannot_say_a_day_is_refused(date_format: str, problem: str) -> None:
    (fault,) = faults(columns=columns(), date_formats=[date_format])
    assert problem in fault


def test_formats_that_read_one_text_as_two_days_are_refused() -> None:
    (fault,) = faults(columns=columns(), date_formats=["%Y-%m-%d", "%d/%m/%Y", "%m/%d/%Y"])
    assert "'%d/%m/%Y' and '%m/%d/%Y' read the same text as different days" in fault


def test_formats_of_different_shapes_go_together() -> None:
    formats = ("%Y-%m-%d", "%d/%m/%Y", "%Y%m%d", "%d %b %Y", "%d %B %Y", "%Y-%j", "%Y-%m-%d %H:%M:%S")
    assert parse(columns=columns(), date_formats=list(formats)).date_formats == formats
