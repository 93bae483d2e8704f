"""Linkage fields: names, types, and the columns of a records file that follow from them."""

import pytest

from linkwright.engine.fields import (
    RESERVED_COLUMNS,
    STANDARD_FIELDS,
    FieldType,
    InvalidFieldError,
    LinkageField,
    parse_fields,
    record_columns,
)
from linkwright.errors import ConfigurationError


@pytest.mark.parametrize(
    "name", ["", "Surname", "2nd_name", "_name", "sur name", "süß", "a" * 64, 'a"b', "name;drop"]
)
def test_a_name_that_is_no_plain_column_name_is_refused_with_the_rule(name: str) -> None:
    with pytest.raises(InvalidFieldError, match="starts with a small letter") as caught:
        LinkageField(name, FieldType.TEXT)
    assert repr(name) in str(caught.value)


@pytest.mark.parametrize("name", sorted(RESERVED_COLUMNS))
def test_a_name_that_every_record_has_anyway_is_refused(name: str) -> None:
    with pytest.raises(InvalidFieldError, match="because every record has a column of that name"):
        LinkageField(name, FieldType.TEXT)


def test_a_name_of_sixty_three_characters_is_allowed() -> None:
    assert LinkageField("a" * 63, FieldType.TEXT).name == "a" * 63


def test_a_records_file_has_the_fixed_columns_then_the_fields_then_what_is_derived_from_names() -> None:
    fields = (
        LinkageField("surname", FieldType.NAME),
        LinkageField("date_of_birth", FieldType.DATE),
        LinkageField("weight", FieldType.NUMBER),
    )
    assert [tuple(column) for column in record_columns(fields)] == [
        ("record_id", "BIGINT", False),
        ("event_type", "VARCHAR", False),
        ("source_unique_id", "VARCHAR", False),
        ("source_person_id", "VARCHAR", False),
        ("surname", "VARCHAR", False),
        ("date_of_birth", "DATE", False),
        ("weight", "DOUBLE", False),
        ("surname_soundex", "VARCHAR", True),
        ("surname_nysiis", "VARCHAR", True),
        ("surname_initial", "VARCHAR", True),
    ]


def test_the_standard_fields_fit_into_one_file() -> None:
    names = [column.name for column in record_columns(STANDARD_FIELDS)]
    assert len(names) == len(set(names))
    assert {"given_name", "surname", "date_of_birth", "sex", "postcode", "surname_nysiis"} <= set(names)


def test_fields_with_one_name_and_fields_named_like_a_derived_column_are_all_named() -> None:
    fields = (
        LinkageField("surname", FieldType.NAME),
        LinkageField("surname", FieldType.TEXT),
        LinkageField("surname_soundex", FieldType.TEXT),
    )
    with pytest.raises(ConfigurationError) as caught:
        record_columns(fields)
    twice, derived = caught.value.faults
    assert twice.startswith("The linkage field 'surname' is defined 2 times.")
    assert derived.startswith(
        "The linkage field 'surname_soundex' has the name of a column that is worked out from"
    )


def test_a_field_named_like_a_code_is_allowed_where_nothing_derives_that_code() -> None:
    fields = (LinkageField("suburb", FieldType.TEXT), LinkageField("suburb_soundex", FieldType.TEXT))
    assert record_columns(fields)[-1].name == "suburb_soundex"


def test_a_projects_own_fields_follow_the_standard_ones() -> None:
    fields = parse_fields({"mothers_surname": "name", "encoded_name": "bloom"})
    assert fields == (
        *STANDARD_FIELDS,
        LinkageField("mothers_surname", FieldType.NAME),
        LinkageField("encoded_name", FieldType.BLOOM),
    )


def test_a_standard_field_may_be_repeated_with_its_own_type() -> None:
    assert parse_fields({"sex": "sex"}) == STANDARD_FIELDS


def test_every_fault_of_a_projects_own_fields_is_named_at_once() -> None:
    own = {"Bad Name": "text", "sex": "text", "height": "metres", "surname_initial": "text", "count": 3}
    with pytest.raises(ConfigurationError) as caught:
        parse_fields(own, "projects.demo.fields")
    faults = caught.value.faults
    assert len(faults) == len(own)
    assert any(fault.startswith("projects.demo.fields.Bad Name: 'Bad Name' cannot be") for fault in faults)
    assert any(fault.startswith("projects.demo.fields.sex: 'text' differs from the standard") for fault in faults)
    assert any("height: 'metres' is no field type. Choose one of: name, text, date" in fault for fault in faults)
    assert any("count: 3 is no field type" in fault for fault in faults)
    assert any("'surname_initial' has the name of a column" in fault for fault in faults)
