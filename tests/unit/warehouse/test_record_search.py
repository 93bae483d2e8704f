"""Searching records: values as Load standardises them, what has ended, limits, and what is no value at all."""

from datetime import date
from pathlib import Path

import pytest

from linkwright.engine.fields import STANDARD_FIELDS, FieldType, LinkageField
from linkwright.engine.standardisation import StandardisationMaps
from linkwright.warehouse.ends import End, write_replacements
from linkwright.warehouse.limits import EngineLimits
from linkwright.warehouse.live_files import LiveFiles, RecordKey
from linkwright.warehouse.record_search import (
    FoundRecords,
    WantedValue,
    find_by_identifier,
    find_by_record_id,
    find_by_values,
)
from linkwright.warehouse.record_values import read_record_values
from linkwright.warehouse.record_versions import RecordEnd, earlier_versions, read_versions
from tests.record_batches import write_assignments, write_ends, write_records

FIELDS = {field.name: field for field in STANDARD_FIELDS}
ROWS = [
    {"record_id": 1, "given_name": "anna", "surname": "o brien", "date_of_birth": date(1980, 1, 2)},
    {"record_id": 2, "given_name": "anne", "surname": "obrien", "sex": "f"},
    {"record_id": 3, "given_name": "annabel", "surname": "100 percent", "event_type": "F"},
    {"record_id": 4, "given_name": "anna", "surname": "gone", "source_unique_id": "s1"},
]


@pytest.fixture
def files(tmp_path: Path) -> LiveFiles:
    """Return three live records, and one that has ended."""
    return LiveFiles(
        records=(
            write_records(tmp_path / "1.parquet", ROWS[:2]),
            write_records(tmp_path / "2.parquet", ROWS[2:]),
        ),
        pairs=(),
        assignments=(write_assignments(tmp_path / "a.parquet", {1: 1, 2: 1, 3: 3, 4: 4}),),
        ended=(write_ends(tmp_path / "e.parquet", [4]),),
    )


@pytest.fixture
def limits(tmp_path: Path) -> EngineLimits:
    """Return what a search may use."""
    return EngineLimits(tmp_path / "scratch", memory_mib=256, threads=1)


def by_values(limits: EngineLimits, files: LiveFiles, *, sounds: bool = False, **texts: str) -> list[int]:
    """Return the ids of the records that hold values."""
    wanted = [WantedValue(FIELDS[name], text) for name, text in texts.items()]
    found = find_by_values(limits, files, wanted, StandardisationMaps(), sounds_alike=sounds, most=10)
    return [one.record_id for one in found.records]


def test_a_source_unique_id_finds_live_and_ended_records(limits: EngineLimits, files: LiveFiles) -> None:
    live, ended = find_by_identifier(limits, files, "s1", most=10).records
    assert (live.record_id, live.group_id, live.has_ended) == (1, 1, False)
    assert (ended.record_id, ended.group_id, ended.has_ended) == (4, None, True)
    assert live.key == RecordKey("E", "s1")


def test_an_event_type_narrows_the_search(limits: EngineLimits, files: LiveFiles) -> None:
    assert [one.record_id for one in find_by_identifier(limits, files, "s3", "F", most=10).records] == [3]
    assert find_by_identifier(limits, files, "s3", "E", most=10) == FoundRecords()


@pytest.mark.parametrize("text", ["s1'", "' OR 1=1 --", "%", "s_", '"', ""])
def test_a_hostile_identifier_finds_nothing(limits: EngineLimits, files: LiveFiles, text: str) -> None:
    assert find_by_identifier(limits, files, text, most=10) == FoundRecords()


def test_a_record_is_found_by_its_id(limits: EngineLimits, files: LiveFiles) -> None:
    found = find_by_record_id(limits, files, 2)
    assert found is not None
    assert (found.key, found.group_id) == (RecordKey("E", "s2"), 1)
    assert find_by_record_id(limits, files, 99) is None


def test_values_are_standardised_as_load_does(limits: EngineLimits, files: LiveFiles) -> None:
    assert by_values(limits, files, surname=" O-BRIEN ") == [1]
    assert by_values(limits, files, surname="O'Brien") == [2]
    assert by_values(limits, files, date_of_birth="02/01/1980") == [1]
    assert by_values(limits, files, sex="Female") == [2]


def test_all_values_must_be_held(limits: EngineLimits, files: LiveFiles) -> None:
    assert by_values(limits, files, given_name="Anna", surname="O Brien", date_of_birth="1980-01-02") == [1]
    assert by_values(limits, files, given_name="Anna", surname="OBrien") == []


def test_a_name_may_go_on(limits: EngineLimits, files: LiveFiles) -> None:
    assert by_values(limits, files, given_name="ANN*") == [1, 2, 3]
    assert by_values(limits, files, given_name="ann") == []
    assert by_values(limits, files, given_name="%*") == []


def test_names_that_sound_alike_are_found_if_asked_for(limits: EngineLimits, files: LiveFiles) -> None:
    assert by_values(limits, files, given_name="Anna") == [1]
    assert by_values(limits, files, sounds=True, given_name="Anna") == [1, 2]


def test_what_has_ended_is_not_found_by_its_values(limits: EngineLimits, files: LiveFiles) -> None:
    assert by_values(limits, files, surname="gone") == []
    assert read_record_values(limits, files, STANDARD_FIELDS, [4]) == {}


@pytest.mark.parametrize(("field", "text"), [("date_of_birth", "soon"), ("sex", "9"), ("given_name", "'-'")])
def test_what_cannot_be_read_finds_nothing(limits: EngineLimits, files: LiveFiles, field: str, text: str) -> None:
    wanted = [WantedValue(FIELDS[field], text)]
    found = find_by_values(limits, files, wanted, StandardisationMaps(), sounds_alike=True, most=10)
    assert found == FoundRecords()


def test_a_field_that_is_newer_than_all_batches_finds_nothing(limits: EngineLimits, files: LiveFiles) -> None:
    wanted = [WantedValue(LinkageField("ward", FieldType.NAME), "north")]
    found = find_by_values(limits, files, wanted, StandardisationMaps(), sounds_alike=False, most=10)
    assert found == FoundRecords()


def test_more_than_asked_for_is_told(limits: EngineLimits, files: LiveFiles) -> None:
    wanted = [WantedValue(FIELDS["given_name"], "ann*")]
    found = find_by_values(limits, files, wanted, StandardisationMaps(), sounds_alike=False, most=2)
    assert [one.record_id for one in found.records] == [1, 2]
    assert found.has_more


def test_an_empty_project_holds_nothing(limits: EngineLimits) -> None:
    empty = LiveFiles((), (), (), ())
    assert find_by_identifier(limits, empty, "s1", most=10) == FoundRecords()
    assert by_values(limits, empty, surname="gone") == []


def test_values_are_read_as_text(limits: EngineLimits, files: LiveFiles) -> None:
    held = read_record_values(limits, files, STANDARD_FIELDS, [1, 3])
    assert held[1].values["date_of_birth"] == "1980-01-02"
    assert held[3].values["sex"] is None
    assert held[1].source_person_id is None


def test_versions_are_walked_in_both_directions(limits: EngineLimits, tmp_path: Path) -> None:
    old, new = tmp_path / "old.parquet", tmp_path / "new.parquet"
    write_replacements(limits, [End(1, 2), End(7, None)], old)
    write_replacements(limits, [End(2, 3)], new)
    ends = (RecordEnd(0, 1, 2), RecordEnd(1, 2, 3))
    for record_id in (1, 2, 3):
        assert read_versions(limits, (old, new), [record_id]) == ends
    assert read_versions(limits, (old, new), [7]) == (RecordEnd(0, 7, None),)
    assert read_versions(limits, (old, new), [8]) == ()
    assert earlier_versions(ends, [3]) == {1: 3, 2: 3}
    assert read_versions(limits, (write_ends(tmp_path / "plain.parquet", [5]),), [5]) == (RecordEnd(0, 5, None),)
