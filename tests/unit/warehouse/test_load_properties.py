"""Whatever a CSV file holds, loading gives what a plain walk with Python's csv module gives."""

import csv
import gzip
import io
import tempfile
import unicodedata
from collections import Counter
from pathlib import Path
from typing import NamedTuple

from hypothesis import HealthCheck, event, example, given, settings
from hypothesis import strategies as st

from linkwright.warehouse.load import LoadResult
from tests.unit.warehouse.loading import Loading, rows_of

# Every sign that means something to CSV, in all neighbourhoods; letters whose small form is not in doubt
SIGNS = st.text(alphabet=st.sampled_from("\",;\n\r\t' aZé|"), max_size=8)
ANY_TEXT = st.text(alphabet=st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8)
IDENTIFIERS = st.one_of(st.sampled_from(["", " ", "1", "2", "a", "3\n", '"4"', "5,6"]), ANY_TEXT)
ROWS = st.lists(
    st.one_of(
        st.tuples(IDENTIFIERS, SIGNS, ANY_TEXT),
        st.lists(SIGNS, max_size=5).map(tuple),
    ),
    max_size=12,
)


class Expected(NamedTuple):
    """What a load should give: (identifier, suburb, note) in order, and (line, identifier) of rejects."""

    rows: list[tuple[str, str | None, str | None]]
    rejects: list[tuple[int, str]]


def trimmed(text: str) -> str:
    """Drop what Unicode calls separators and controls from both ends."""
    start, end = 0, len(text)
    while start < end and is_blank(text[start]):
        start += 1
    while end > start and is_blank(text[end - 1]):
        end -= 1
    return text[start:end]


def is_blank(sign: str) -> bool:
    return unicodedata.category(sign) in {"Zs", "Zl", "Zp", "Cc"}


def suburb_of(text: str) -> str | None:
    normal = unicodedata.normalize("NFKC", text)
    visible = "".join(" " if is_blank(sign) else sign for sign in normal if unicodedata.category(sign) != "Cf")
    return " ".join(visible.split()).lower() or None


def walk(text: str, separator: str, quoting: int) -> Expected:
    """Read with the csv module alone, as slowly and plainly as possible."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, quoting=quoting, strict=True)  # type: ignore[arg-type]
    next(reader)
    found: list[tuple[int, list[str]]] = []
    line = reader.line_num + 1
    for row in reader:
        if row:
            found.append((line, row))
        line = reader.line_num + 1
    counts = Counter(trimmed(row[0]) for _, row in found if len(row) == 3)
    rows, rejects = [], []
    for line, row in found:
        identifier = trimmed(row[0])
        if len(row) != 3:
            rejects.append((line, row[0].strip()))
        elif not identifier or counts[identifier] > 1:
            rejects.append((line, identifier))
        else:
            rows.append((identifier, suburb_of(row[1]), row[2] or None))
    return Expected(rows, rejects)


def loaded(result: LoadResult) -> Expected:
    records = rows_of(result.records.path)
    notes = rows_of(result.aux.path if result.aux else None)
    assert [row["record_id"] for row in records] == list(range(1, len(records) + 1))
    assert [row["record_id"] for row in notes] == list(range(1, len(records) + 1))
    rejects: list[tuple[int, str]] = []
    if result.rejects:
        with result.rejects.open(newline="", encoding="utf-8") as file:
            rejects = [(int(row["line"]), row["source_unique_id"]) for row in csv.DictReader(file)]
    rows = [(r["source_unique_id"], r["suburb"], n["note"]) for r, n in zip(records, notes, strict=True)]
    return Expected(rows, rejects)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@example(
    rows=[("1", 'O"B', 'x"y"'), ("2", "\r", "\n"), ("", "", "")], end="\n", separator=",", quoting=0, packed=False
)
@given(
    rows=ROWS,
    end=st.sampled_from(["\n", "\r\n", "\r"]),
    separator=st.sampled_from([",", ";", "\t", "|"]),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
    packed=st.booleans(),
)
def test_random_contents_load_to_what_a_plain_reading_gives(
    rows: list[tuple[str, ...]], end: str, separator: str, quoting: int, packed: bool
) -> None:
    text = io.StringIO()
    writer = csv.writer(text, delimiter=separator, quoting=quoting, lineterminator=end)  # type: ignore[arg-type]
    writer.writerow(["id", "suburb", "note"])
    writer.writerows(rows)
    expected = walk(text.getvalue(), separator, csv.QUOTE_MINIMAL)
    content = text.getvalue().encode()
    with tempfile.TemporaryDirectory() as folder:
        result = Loading(Path(folder)).load(
            gzip.compress(content) if packed else content,
            separator=separator,
            allowed=len(content),
            columns={"source_unique_id": "id", "suburb": "suburb"},
        )
        event(f"rows loaded: {min(result.rows_loaded_count, 3)}, rejected: {min(result.rows_rejected_count, 3)}")
        assert loaded(result) == expected
        assert result.rows_read_count == len(expected.rows) + len(expected.rejects)
