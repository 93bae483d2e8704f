"""Fixed-width text, Parquet and gzip give the records that delimited text gives."""

import gzip
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from linkwright.engine.fields import FieldType, LinkageField
from linkwright.engine.identifying import revealed
from linkwright.engine.progress import Progress
from linkwright.warehouse.load import LoadResult
from linkwright.warehouse.rejects import RejectReason
from linkwright.warehouse.source import MissingColumnsError, UnreadableSourceError
from tests.unit.warehouse.loading import HEADER, Loading, column_of, rows_of

TEXT = f"{HEADER}\nb-1,Zoë,O'Brien,1999-02-28,F,3\nb-2,John,SMITH,,M,\n"
MAPPED = {"source_unique_id": "id", "surname": "family"}
FIXED: dict[str, Any] = {
    "kind": "fixed_width",
    "columns": {"source_unique_id": {"start": 1, "width": 4}, "surname": {"start": 5, "width": 6}},
}


def test_gzip_gives_the_same_bytes_as_plain_text_whatever_the_name(loading: Loading) -> None:
    plain = loading.load(TEXT, stem="plain")
    packed = loading.load(gzip.compress(TEXT.encode()), stem="packed")
    assert packed.records.path.read_bytes() == plain.records.path.read_bytes()
    assert packed.bytes_read_count == plain.bytes_read_count


def test_gzip_in_several_members_is_one_text(loading: Loading) -> None:
    packed = gzip.compress(b"id,family\n1,A\n") + gzip.compress(b"2,B\n")
    assert len(loading.rows(packed, columns=MAPPED)) == 2


def test_a_fixed_width_line_is_cut_by_characters_and_a_short_one_has_empty_values(loading: Loading) -> None:
    rows = loading.rows("1   Zoë   \r\n2   Smith x\n\n3\n4   A", **FIXED)
    assert column_of(rows, "source_unique_id") == ["1", "2", "3", "4"]
    assert column_of(rows, "surname") == ["zoë", "smith", None, "a"]


def test_a_fixed_width_line_of_another_width_is_rejected_if_the_width_is_declared(loading: Loading) -> None:
    result = loading.load("1   Abcdef\n2   Short\n3   Toolong!\n", allowed=2, line_width=10, **FIXED)
    assert result.rejected_by_reason == {RejectReason.WRONG_COLUMNS: 2}
    assert "line 2 has 9 characters instead of 10 ('2')" in revealed(result.warnings[0])
    assert "line 3 has 12 characters instead of 10 ('3')" in revealed(result.warnings[0])


def test_other_columns_of_a_fixed_width_file_are_kept_apart(loading: Loading) -> None:
    result = loading.load("1   Abcdef07\n", other_columns={"ward": {"start": 11, "width": 2}}, **FIXED)
    assert rows_of(result.aux.path if result.aux else None) == [{"record_id": 1, "ward": "07"}]


def test_a_fixed_width_file_without_lines_loads_nothing_and_warns(loading: Loading) -> None:
    assert list(loading.load("", **FIXED).warnings) == ["births.csv: the file holds no rows; nothing is loaded."]


def test_fixed_width_lines_are_counted_over_many_chunks(loading: Loading) -> None:
    text = "".join(f"{n:<4}name{n % 10}\n" if n != 5_000 else "    nobody\n" for n in range(10_000))
    result = loading.load(text, allowed=1, **FIXED)
    assert "line 5001 has no Source Unique ID" in result.warnings[0]
    assert column_of(rows_of(result.records.path), "source_unique_id")[4_999:5_001] == ["4999", "5001"]


def load_parquet(loading: Loading, tmp_path: Path, table: pa.Table, **options: Any) -> LoadResult:
    path = tmp_path / "source.parquet"
    pq.write_table(table, path)
    options.setdefault("columns", MAPPED)
    return loading.load(path, parquet=True, kind="parquet", **options)


def test_parquet_gives_the_same_records_as_text(loading: Loading, tmp_path: Path) -> None:
    table = pa.table(
        {
            "id": ["b-1", "b-2"],
            "given": ["Zoë", "John"],
            "family": ["O'Brien", "SMITH"],
            "dob": [date(1999, 2, 28), None],
            "sex": ["F", "M"],
            "ward": pa.array([3.0, None]),
        }
    )
    columns = {
        "source_unique_id": "id",
        "given_name": "given",
        "surname": "family",
        "date_of_birth": "dob",
        "sex": 5,
    }
    result = load_parquet(loading, tmp_path, table, columns=columns, date_formats="%d/%m/%Y", stem="p")
    assert rows_of(result.records.path) == loading.rows(TEXT, stem="t")
    assert rows_of(result.aux.path if result.aux else None)[0] == {"record_id": 1, "ward": "3"}
    assert result.bytes_read_count == (tmp_path / "source.parquet").stat().st_size


@pytest.mark.parametrize(
    ("values", "text"),
    [
        (pa.array([12]), "12"),
        (pa.array([12.0, None]), "12"),
        (pa.array([12.5]), "12.5"),
        (pa.array([2.0**60]), "1.152921504606847e+18"),
        (pa.array([True]), "true"),
        (pa.array([Decimal("12.30")]), "12.30"),
        (pa.array(["x"]).dictionary_encode(), "x"),
        (pa.array(["x"], pa.large_string()), "x"),
        (pa.array([b"bytes"]), "bytes"),
        (pa.array([datetime(1999, 2, 28, 1, 2, 3)], pa.timestamp("ns")), "1999-02-28 01:02:03.000000"),  # noqa: DTZ001
        (pa.array([float("nan")]), "nan"),
    ],
)
def test_values_of_every_type_become_the_text_that_people_write(
    loading: Loading, tmp_path: Path, values: pa.Array, text: str
) -> None:
    count = len(values)
    table = pa.table({"id": [str(n) for n in range(count)], "family": ["x"] * count, "value": values})
    result = load_parquet(loading, tmp_path, table)
    assert rows_of(result.aux.path if result.aux else None)[0]["value"] == text


@pytest.mark.parametrize(
    "values",
    [
        pa.array([date(1999, 2, 28)]),
        pa.array([datetime(1999, 2, 28, 23, 0)], pa.timestamp("s")),  # noqa: DTZ001
        pa.array([datetime(1999, 2, 28, 23, 0)], pa.timestamp("ns")),  # noqa: DTZ001
        pa.array([datetime(1999, 2, 27, 23, 30, tzinfo=UTC)], pa.timestamp("us", "Australia/Perth")),
        pa.array([datetime(1999, 2, 28)], pa.date64()),  # noqa: DTZ001
    ],
)
def test_dates_and_times_by_type_need_no_format(loading: Loading, tmp_path: Path, values: pa.Array) -> None:
    table = pa.table({"id": ["1"], "dob": values})
    columns = {"source_unique_id": "id", "date_of_birth": "dob"}
    result = load_parquet(loading, tmp_path, table, columns=columns, date_formats="%d/%m/%Y")
    assert column_of(rows_of(result.records.path), "date_of_birth") == [date(1999, 2, 28)]


def test_dates_as_text_in_parquet_follow_the_declared_formats(loading: Loading, tmp_path: Path) -> None:
    table = pa.table({"id": ["1", "2"], "dob": ["28/02/1999", "1999-02-28"]})
    columns = {"source_unique_id": "id", "date_of_birth": "dob"}
    result = load_parquet(loading, tmp_path, table, columns=columns, date_formats="%d/%m/%Y")
    assert column_of(rows_of(result.records.path), "date_of_birth") == [date(1999, 2, 28), None]


def test_rejected_rows_of_parquet_are_named_by_row(loading: Loading, tmp_path: Path) -> None:
    table = pa.table({"id": ["1", None, "2", "1"], "family": list("abcd")})
    result = load_parquet(loading, tmp_path, table, allowed=3)
    assert "row 2 has no Source Unique ID" in result.warnings[0]
    assert result.rejects is not None
    assert result.rejects.read_text().splitlines()[0] == "row,reason,source_unique_id"


def test_an_empty_parquet_file_loads_nothing_and_warns(loading: Loading, tmp_path: Path) -> None:
    table = pa.table({"id": pa.array([], pa.string()), "family": pa.array([], pa.string())})
    assert load_parquet(loading, tmp_path, table).warnings == [
        "births.csv: the file holds no rows; nothing is loaded."
    ]


def test_missing_columns_of_parquet_are_named(loading: Loading, tmp_path: Path) -> None:
    with pytest.raises(MissingColumnsError, match=r"'family', which the file lacks\. It has .'id', 'name'"):
        load_parquet(loading, tmp_path, pa.table({"id": ["1"], "name": ["x"]}))


@pytest.mark.parametrize("values", [pa.array([["a"]]), pa.array([{"a": 1}])])
def test_nested_columns_are_refused_by_name(loading: Loading, tmp_path: Path, values: pa.Array) -> None:
    with pytest.raises(UnreadableSourceError, match="the columns tags hold neither texts, numbers nor dates"):
        load_parquet(loading, tmp_path, pa.table({"id": ["1"], "family": ["x"], "tags": values}))


def test_nested_columns_that_are_not_read_do_no_harm(loading: Loading, tmp_path: Path) -> None:
    table = pa.table({"id": ["1"], "family": ["x"], "tags": pa.array([["a"]])})
    assert load_parquet(loading, tmp_path, table, keep_aux=False).rows_loaded_count == 1


def test_bytes_that_are_no_text_are_refused(loading: Loading, tmp_path: Path) -> None:
    table = pa.table({"id": ["1"], "family": pa.array([b"\xff\xfe"])})
    with pytest.raises(UnreadableSourceError, match="cannot be read beyond row 0"):
        load_parquet(loading, tmp_path, table)


@pytest.mark.parametrize("cut", [0, 10, 100])
def test_a_damaged_parquet_file_is_refused(loading: Loading, tmp_path: Path, cut: int) -> None:
    path = tmp_path / "damaged.parquet"
    pq.write_table(pa.table({"id": ["1"] * 100, "family": ["x"] * 100}), path)
    path.write_bytes(path.read_bytes()[:cut])
    with pytest.raises(UnreadableSourceError, match="this is no sound Parquet file"):
        loading.load(path, parquet=True, columns=MAPPED)


def test_text_that_is_declared_as_parquet_is_refused_with_the_remedy(loading: Loading) -> None:
    with pytest.raises(UnreadableSourceError, match="declare its format as FlatFile"):
        loading.load("id,family\n1,A\n" * 10, parquet=True, columns=MAPPED)


def test_progress_of_parquet_counts_rows(loading: Loading, tmp_path: Path) -> None:
    seen: list[Progress] = []
    load_parquet(loading, tmp_path, pa.table({"id": ["1"], "family": ["x"]}), report=seen.append)
    assert seen[0] == Progress("Reading births.csv", 1, 1)


def test_a_field_of_type_bloom_is_read_from_parquet_as_text(loading: Loading, tmp_path: Path) -> None:
    fields = (LinkageField("encoded", FieldType.BLOOM),)
    table = pa.table({"id": ["1"], "bits": ["01000001"]})
    columns = {"source_unique_id": "id", "encoded": "bits"}
    result = load_parquet(loading, tmp_path, table, fields=fields, columns=columns)
    assert column_of(rows_of(result.records.path), "encoded") == ["QQ=="]
