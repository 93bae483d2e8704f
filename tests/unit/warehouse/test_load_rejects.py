"""Rows that are not loaded: why, from which line, and when they are too many."""

import csv
from pathlib import Path

import pytest

from linkwright.engine.fields import LinkageField
from linkwright.engine.identifying import revealed
from linkwright.warehouse.load import LoadResult
from linkwright.warehouse.rejects import RejectReason, TooManyRejectedRowsError
from tests.unit.warehouse.loading import FIELDS, Loading, column_of, rows_of

MAPPED = {"source_unique_id": "id", "surname": "family"}


def rejects_of(result: LoadResult) -> list[tuple[int, str, str]]:
    assert result.rejects is not None
    with result.rejects.open(newline="", encoding="utf-8") as file:
        return [(int(row["line"]), row["reason"], row["source_unique_id"]) for row in csv.DictReader(file)]


def test_each_reason_is_told_with_its_line_and_the_other_rows_are_loaded(loading: Loading) -> None:
    held = loading.load("id,family\n9,Held\n", stem="b0", columns=MAPPED).records.path
    result = loading.load(
        "id,family\n1,A\n,B\n2,C,extra\n3,D\n3,E\n9,F\n4\n5,G\n  ,H\n",
        columns=MAPPED,
        held=[held],
        allowed=7,
        first_record_id=10,
    )
    assert rejects_of(result) == [
        (3, "has no Source Unique ID", ""),
        (4, "has 3 columns instead of 2", "2"),
        (5, "has a Source Unique ID that occurs 2 times in the file", "3"),
        (6, "has a Source Unique ID that occurs 2 times in the file", "3"),
        (7, "has a Source Unique ID that is loaded already under the Event Type births", "9"),
        (8, "has 1 column instead of 2", "4"),
        (10, "has no Source Unique ID", ""),
    ]
    assert dict(result.rejected_by_reason) == {
        RejectReason.WRONG_COLUMNS: 2,
        RejectReason.NO_IDENTIFIER: 2,
        RejectReason.REPEATED: 2,
        RejectReason.LOADED_ALREADY: 1,
    }
    assert (result.rows_read_count, result.rows_loaded_count, result.rows_rejected_count) == (9, 2, 7)
    records = rows_of(result.records.path)
    assert column_of(records, "surname") == ["a", "g"]
    assert column_of(records, "record_id") == [10, 11]
    assert result.last_record_id == 11


def test_rejected_rows_are_told_in_a_warning(loading: Loading) -> None:
    result = loading.load("id,family\n1,A\n,B\n2\n", columns=MAPPED, allowed=2)
    (warning,) = result.warnings
    assert revealed(warning) == (
        "births.csv: rows are rejected and not loaded: 1 with a wrong number of columns, 1 without a Source "
        "Unique ID. First: line 3 has no Source Unique ID; line 4 has 1 column instead of 2 ('2'). The list of "
        "them can be downloaded."
    )


def test_more_rejected_rows_than_allowed_fail_with_lines_setting_and_remedy_and_leave_nothing(
    loading: Loading,
) -> None:
    with pytest.raises(TooManyRejectedRowsError) as caught:
        loading.load("id,family\n1,A\n1,B\n,C\n2,D\n", columns=MAPPED, allowed=2)
    assert revealed(str(caught.value)) == (
        "births.csv: 3 of 4 rows are rejected, more than the 2 that Worker.Load.MaxRejectedRows allows: 1 without "
        "a Source Unique ID, 2 with a Source Unique ID that occurs more than once in the file. First: line 2 has "
        "a Source Unique ID that occurs 2 times in the file ('1'); line 3 has a Source Unique ID that occurs 2 "
        "times in the file ('1'); line 4 has no Source Unique ID. Nothing is loaded. Correct the file and submit "
        "it again; or raise Worker.Load.MaxRejectedRows to 3 and retry the job, to load the other rows."
    )
    assert loading.left_files() == []


def test_as_many_rejected_rows_as_allowed_do_not_fail(loading: Loading) -> None:
    assert loading.load("id,family\n,A\n1,B\n", columns=MAPPED, allowed=1).rows_loaded_count == 1


def test_no_row_at_all_may_be_left(loading: Loading) -> None:
    result = loading.load("id,family\n,A\n", columns=MAPPED, allowed=1)
    assert (result.rows_loaded_count, result.records.rows_count) == (0, 0)
    assert (result.first_record_id, result.last_record_id) == (1, 0)


def test_a_source_unique_id_of_another_event_type_does_not_count_as_loaded(loading: Loading) -> None:
    held = loading.load("id,family\n1,Held\n", stem="b0", columns=MAPPED, event_type="deaths").records.path
    assert loading.load("id,family\n1,A\n", columns=MAPPED, held=[held]).rows_loaded_count == 1


def test_a_row_that_is_repeated_and_loaded_already_is_rejected_once(loading: Loading) -> None:
    held = loading.load("id,family\n1,Held\n", stem="b0", columns=MAPPED).records.path
    result = loading.load("id,family\n1,A\n1,B\n", columns=MAPPED, held=[held], allowed=2)
    assert dict(result.rejected_by_reason) == {RejectReason.REPEATED: 2}


def test_held_files_from_before_a_field_was_added_are_searched_too(loading: Loading) -> None:
    from_before = loading.load(
        "id,family\n1,Held\n", stem="b0", columns=MAPPED, fields=fields_without_weight()
    ).records.path
    now = loading.load("id,family\n2,Held\n", stem="b1", columns=MAPPED).records.path
    result = loading.load(
        "id,family\n1,A\n2,B\n3,C\n", stem="b2", columns=MAPPED, held=[now, from_before], allowed=2
    )
    assert result.rejected_by_reason == {RejectReason.LOADED_ALREADY: 2}


def test_unused_columns_of_rejected_rows_are_left_out_too(loading: Loading) -> None:
    result = loading.load("id,family,ward\n1,A,a\n2,B,b\n2,C,c\n3,D,d\n,E,e\n4,F,f\n", columns=MAPPED, allowed=3)
    assert result.aux is not None
    assert [(row["record_id"], row["ward"]) for row in rows_of(result.aux.path)] == [(1, "a"), (2, "d"), (3, "f")]


def test_unreadable_values_of_rejected_rows_are_not_counted(loading: Loading) -> None:
    columns = MAPPED | {"date_of_birth": "dob"}
    result = loading.load(
        "id,family,dob\n1,A,bad1\n1,B,bad2\n,C,bad3\n2,D,bad4\n3,E,1999-01-01\n", columns=columns, allowed=3
    )
    assert result.fields["date_of_birth"].invalid_count == 1
    assert 'first at line 5: "bad4"' in revealed(result.warnings[1])


def test_lines_are_physical_ones_also_behind_values_with_line_ends_and_empty_lines(loading: Loading) -> None:
    text = 'id,family\r\n1,"two\r\nlines"\r\n\r\n\r\n2,B,extra\r\n3,"a\nb\rc"\r\n,D\r\n"4"\r\n'
    result = loading.load(text, columns=MAPPED, allowed=3)
    assert [line for line, _, _ in rejects_of(result)] == [6, 10, 11]
    assert column_of(rows_of(result.records.path), "surname") == ["two lines", "a b c"]


def test_very_long_identifiers_are_shortened_in_messages_but_not_in_the_list(loading: Loading) -> None:
    long_id = "x" * 100_000
    result = loading.load(f"id,family\n{long_id},A\n{long_id},B\n", columns=MAPPED, allowed=2)
    assert [identifier == long_id for _, _, identifier in rejects_of(result)] == [True, True]
    assert f"('{'x' * 39}…')" in revealed(result.warnings[0])


def test_identifiers_that_differ_in_case_or_width_are_different(loading: Loading) -> None:
    assert loading.load("id,family\na,A\nA,B\nＡ,C\n", columns=MAPPED).rows_loaded_count == 3


def test_rejects_over_many_chunks_keep_ids_consecutive(loading: Loading, tmp_path: Path) -> None:
    count = 250_000
    repeated = {5, 130_000, 249_999}
    lines = [f"{'same' if n in repeated else n},name{n % 10}\n" for n in range(count)]
    result = loading.load("id,family\n" + "".join(lines), columns=MAPPED, allowed=3, first_record_id=100)
    rows = rows_of(result.records.path)
    assert column_of(rows, "record_id") == list(range(100, 100 + count - 3))
    assert column_of(rows, "source_unique_id") == [str(n) for n in range(count) if n not in repeated]
    assert [line for line, _, _ in rejects_of(result)] == [n + 2 for n in sorted(repeated)]


def fields_without_weight() -> tuple[LinkageField, ...]:
    return tuple(field for field in FIELDS if field.name != "weight")


def test_what_is_not_kept_is_told_without_its_values(loading: Loading) -> None:
    source = "id,given,family,dob,sex,ward\nZyx,A,B,2001-01-02,m,1\nZyx,A,B,2001-01-02,m,1\n3,C,D,Wvu-date,m,1\n"
    result = loading.load(source, allowed=2, shows_values=False)
    told = " ".join(result.warnings)
    assert "line 2 has a Source Unique ID that occurs 2 times in the file" in told
    assert "1 value of date_of_birth could not be read" in told
    assert "first at line 4." in told
    assert "Zyx" not in told
    assert "Wvu" not in told
    with pytest.raises(TooManyRejectedRowsError) as refused:
        loading.load(source, stem="b2", shows_values=False)
    assert "Zyx" not in str(refused.value)
    assert "Zyx" in " ".join(loading.load(source, stem="b3", allowed=2).warnings)
