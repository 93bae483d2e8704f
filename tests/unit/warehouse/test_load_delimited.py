"""Delimited text gives the rows and lines of Python's csv module, by whichever way a block of it is read."""

import csv
import io
import tempfile
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from hypothesis import event, example, given, settings
from hypothesis import strategies as st

from linkwright.engine.fields import STANDARD_FIELDS
from linkwright.engine.import_format import Encoding, ImportFormat, parse_import_format
from linkwright.engine.progress import silent
from linkwright.warehouse.delimited_source import DelimitedSource
from linkwright.warehouse.plain_rows import PlainRows
from linkwright.warehouse.source import UnreadableSourceError
from linkwright.warehouse.source_text import TextBlocks, line_ends_count, lines_count

UNREADABLE = "unreadable"


class Found(NamedTuple):
    """Rows with their lines, and the lines of rows of another length; or the line at which reading failed."""

    rows: list[tuple[int, tuple[str, ...]]]
    misfits: list[int]
    failed: str | None = None


def format_of(**data: Any) -> ImportFormat:
    return parse_import_format({"columns": {"source_unique_id": 1, "surname": 2}} | data, STANDARD_FIELDS)


def read(text: str, *, block_bytes_count: int = 1024, **data: Any) -> Found:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "source"
        path.write_bytes(text.encode())
        blocks = TextBlocks(path, "births.csv", Encoding.UTF_8, silent, block_bytes_count=block_bytes_count)
        rows: list[tuple[int, tuple[str, ...]]] = []
        misfits: list[int] = []
        try:
            source = DelimitedSource(blocks, format_of(**data), keep_unused=True, source_name="births.csv")
            for chunk in source.chunks():
                in_order = sorted(range(len(chunk.columns)), key=source.layout.sources.__getitem__)
                values = zip(*(chunk.columns[index].to_pylist() for index in in_order), strict=True)
                rows.extend(zip(chunk.lines.to_pylist(), values, strict=True))
                misfits.extend(misfit.line for misfit in chunk.misfits)
        except UnreadableSourceError as error:
            return Found([], [], str(error).split("line ")[1].split(" ")[0])
    return Found(rows, misfits)


def walk(text: str, **dialect: Any) -> Found:
    reader = csv.reader(io.StringIO(text, newline=""), strict=True, **dialect)
    rows: list[tuple[int, tuple[str, ...]]] = []
    misfits: list[int] = []
    width, start = None, 1
    try:
        for row in reader:
            width = width or len(row) or None
            if row and len(row) == width:
                rows.append((start, tuple(row)))
            elif row:
                misfits.append(start)
            start = reader.line_num + 1
    except csv.Error:
        return Found([], [], str(start))
    return Found(rows[1:], misfits)


ROUGH_TEXT = st.text(alphabet=st.sampled_from('",\n\r a1é\ufeff'), max_size=60)
VALUES = st.text(alphabet=st.sampled_from('",\n\r ab1é\ufeff\u2028'), max_size=6)


@settings(max_examples=400, deadline=None)
@example(body='1,"a""b"\n2,""\n"3",""""\n', block_bytes_count=1024)
@example(body='1,a\n"2\n",b\n3,c\n', block_bytes_count=3)
@example(body="1,a\r\n\r\n2,b\r3,c", block_bytes_count=2)
@example(body='1,"a"b\n', block_bytes_count=1024)
@example(body="\ufeff1,a\n\ufeff2,b\n", block_bytes_count=6)
@given(body=ROUGH_TEXT, block_bytes_count=st.integers(1, 40))
def test_any_text_is_read_as_the_csv_module_reads_it(body: str, block_bytes_count: int) -> None:
    text = f"id,name\n{body}"
    expected = walk(text)
    event(f"failed: {expected.failed is not None}, misfits: {bool(expected.misfits)}")
    assert read(text, block_bytes_count=block_bytes_count) == expected


@settings(max_examples=200, deadline=None)
@given(
    rows=st.lists(st.lists(VALUES, min_size=3, max_size=3), max_size=8),
    end=st.sampled_from(["\n", "\r\n"]),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC]),
    separator=st.sampled_from([",", ";", "\t", "§"]),
    block_bytes_count=st.integers(1, 200),
)
def test_whatever_is_written_is_read_back(
    rows: list[list[str]], end: str, quoting: Any, separator: str, block_bytes_count: int
) -> None:
    text = io.StringIO()
    writer = csv.writer(text, delimiter=separator, quoting=quoting, lineterminator=end)
    # Python before 3.13 does not quote a lone carriage return
    rows = [[value.replace("\r", "\r\n") for value in row] for row in rows]
    writer.writerows([["id", "name", "note"], *rows])
    found = read(text.getvalue(), separator=separator, block_bytes_count=block_bytes_count)
    assert [list(row) for _, row in found.rows] == rows
    assert found == walk(text.getvalue(), delimiter=separator)


@settings(max_examples=100, deadline=None)
@given(body=ROUGH_TEXT, block_bytes_count=st.integers(1, 40))
def test_text_without_quotes_is_read_as_it_stands(body: str, block_bytes_count: int) -> None:
    text = f"id,name\n{body}"
    expected = walk(text, quoting=csv.QUOTE_NONE)
    assert read(text, quote=None, block_bytes_count=block_bytes_count) == expected


def plain(text: str, columns_count: int = 2, **data: Any) -> list[list[str]] | None:
    rows = PlainRows(format_of(**data), columns_count, range(columns_count))
    columns = rows.columns(text)
    return None if columns is None else [column.to_pylist() for column in columns]


@pytest.mark.parametrize(
    ("text", "columns"),
    [
        ("1,a\n2,b\n", [["1", "2"], ["a", "b"]]),
        ("1,a\r\n2,b", [["1", "2"], ["a", "b"]]),
        ('"1","a, b"\n2,"say ""hi"""\n', [["1", "2"], ["a, b", 'say "hi"']]),
        ('1,""\n2,""""\n', [["1", "2"], ["", '"']]),
        (",\n NULL ,NA\n", [["", " NULL "], ["", "NA"]]),
    ],
)
def test_plain_rows_are_read_fast(text: str, columns: list[list[str]]) -> None:
    assert plain(text) == columns


@pytest.mark.parametrize(
    "text",
    [
        '1,"a\nb"\n',
        "1,a\n\n2,b\n",
        "1,a\r2,b\n",
        '1,a"b\n',
        '1,"a"b\n',
        '1, "a"\n',
        '1,"a\n',
        "1,a,b\n",
        "1\n",
        "\ufeff1,a\n",
        "",
    ],
)
def test_rows_in_doubt_are_left_to_the_csv_module(text: str) -> None:
    assert plain(text) is None


def test_an_escape_sign_and_signs_beyond_ascii_are_left_to_the_csv_module() -> None:
    assert plain("1,a\n", escape="\\") is None
    assert plain("1§a\n", separator="§") is None
    assert plain("1,a\n", quote="»") is None


@settings(deadline=None)
@given(text=st.text(alphabet=st.sampled_from("a\r\n"), max_size=12))
def test_lines_are_counted_as_python_counts_them(text: str) -> None:
    lines = list(io.StringIO(text, newline=""))
    assert lines_count(text) == len(lines)
    assert line_ends_count(text) == sum(line.endswith(("\n", "\r")) for line in lines)
