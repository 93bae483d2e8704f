"""Owns the reading of delimited text, such as CSV: rows, their columns, and the line at which each begins.

Python's csv module decides what a row is: it alone tells the true line of every row when quoted values hold line
ends, and refuses quoting that does not close. Blocks in which nothing is in doubt are left to `plain_rows`.

Source: SPEC section 5 (Load); RFC 4180, as Python's csv module reads it.
"""

import csv
import gc
import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import chain

import pyarrow as pa

from linkwright.engine.fields import SOURCE_UNIQUE_ID
from linkwright.engine.import_format import ImportFormat
from linkwright.warehouse.plain_rows import PlainRows
from linkwright.warehouse.source import (
    Layout,
    Misfit,
    SourceChunk,
    UnreadableSourceError,
    find_layout,
    numbers_from,
    rows_per_chunk,
)
from linkwright.warehouse.source_text import MOST_CHARACTERS_PER_LINE, TextBlocks, lines_count

# Few enough that the values stay in the processor's cache until they are turned: 16,384 take twice as long
_ROWS_PER_PIECE = 2_048

Piece = Sequence[pa.Array | pa.ChunkedArray]


class _Feed:
    """Gives the lines of a block, and goes on with further blocks only if it is asked for more."""

    def __init__(self, block: str, further: Iterator[str]) -> None:
        self.blocks: list[str] = []
        self.lines_count = 0
        self._waiting = chain([block], further)
        self._at_hand = io.StringIO()

    def __iter__(self) -> Iterator[str]:
        for block in self._waiting:
            self.blocks.append(block)
            self.lines_count += lines_count(block)
            self._at_hand = io.StringIO(block, newline="")
            yield from self._at_hand

    def rest(self) -> str:
        """Return what is left of the block at hand."""
        return self._at_hand.read()


class _CsvRows:
    """Reads rows from a block with the csv module, and from further blocks only as far as a row reaches into them.

    Args:
        block: whole lines.
        further: the blocks behind it.
        lines_before: lines in front of the block.
        import_format: separator, quote and escape.
        source_name: for messages.
    """

    def __init__(
        self,
        block: str,
        further: Iterator[str],
        *,
        lines_before: int,
        import_format: ImportFormat,
        source_name: str,
    ) -> None:
        self.feed = _Feed(block, further)
        self._lines_before = lines_before
        self._quote = import_format.quote
        self._source_name = source_name
        self._reader = csv.reader(
            self.feed,
            delimiter=import_format.separator,
            quotechar=import_format.quote,
            escapechar=import_format.escape,
            quoting=csv.QUOTE_NONE if import_format.quote is None else csv.QUOTE_MINIMAL,
            strict=True,
        )

    @property
    def lines_done(self) -> int:
        """Lines up to the end of the last row that was read."""
        return self._lines_before + self._reader.line_num

    def read(self, most: int) -> tuple[list[list[str]], list[int]]:
        """Read rows up to the end of a block.

        Args:
            most: how many rows to return at the most.

        Returns:
            The rows (an empty line is an empty row), and the lines at which they start; none at the text's end.

        Raises:
            UnreadableSourceError: if a quoted value does not end, or goes on behind its closing quote.
        """
        rows: list[list[str]] = []
        starts = [self.lines_done + 1]
        earlier_limit = csv.field_size_limit(MOST_CHARACTERS_PER_LINE)
        try:
            for row in self._reader:
                rows.append(row)
                starts.append(self.lines_done + 1)
                if len(rows) == most or self.is_at_block_end:
                    break
        except csv.Error as error:
            raise UnreadableSourceError(
                f"{self._source_name}: the row that starts at line {starts[-1]} cannot be read. "
                f"{self._cause(str(error))} Correct the file; or, if its values are never quoted, set quote to "
                "null in the Import Format."
            ) from error
        finally:
            csv.field_size_limit(earlier_limit)
        return rows, starts[:-1]

    @property
    def is_at_block_end(self) -> bool:
        """Whether the last row ended with a block, so that the next block starts with a row."""
        return self._reader.line_num == self.feed.lines_count

    def _cause(self, fault: str) -> str:
        if "unexpected end of data" in fault:
            return f"A quoted value ({self._quote}) is opened, but not closed before the file ends."
        if "field larger than field limit" in fault:
            return f"A quoted value ({self._quote}) goes on for {MOST_CHARACTERS_PER_LINE:,} characters."
        if "expected after" in fault:
            return f"Something other than a separator follows a closing quote ({self._quote})."
        return f"The reader says: {fault}."


class DelimitedSource:
    """A delimited text file whose header has been read.

    Raises:
        UnreadableSourceError: if it is empty though it should have a header, or cannot be read as text.
        MissingColumnsError: if columns that the Import Format maps are absent.
    """

    place = "line"
    typed_dates: frozenset[str] = frozenset()

    def __init__(
        self, text: TextBlocks, import_format: ImportFormat, *, keep_unused: bool, source_name: str
    ) -> None:
        self._text = text
        self._source_name = source_name
        self._import_format = import_format
        self._blocks = text.blocks()
        self._waiting = ""
        self._lines_done = 0
        names = self._column_names()
        self._columns_count = len(names)
        self._layout = find_layout(names, import_format, keep_unused=keep_unused, source_name=source_name)
        self._plain_rows = PlainRows(import_format, len(names), self._layout.sources)

    @property
    def layout(self) -> Layout:
        """The columns that the chunks hold."""
        return self._layout

    @property
    def bytes_read_count(self) -> int:
        """Bytes read so far, unpacked."""
        return self._text.bytes_read_count

    def chunks(self) -> Iterator[SourceChunk]:
        """Read the rows, once; empty lines are passed over.

        Raises:
            UnreadableSourceError: if the text cannot be decoded, or a quoted value does not end.
        """
        most_rows = rows_per_chunk(len(self._layout.sources))
        pieces: list[Piece] = []
        misfits: list[Misfit] = []
        rows_count = 0
        for piece, strays in self._pieces():
            pieces.append(piece)
            misfits.extend(strays)
            rows_count += len(piece[0]) + len(strays)
            if rows_count >= most_rows:
                yield _chunk(pieces, misfits)
                pieces, misfits, rows_count = [], [], 0
        if pieces:
            yield _chunk(pieces, misfits)

    def _column_names(self) -> list[str]:
        """Read the header; without one, look at the first row, and let it be read again."""
        rows = self._csv_rows(next(self._blocks, ""))
        first: list[str] = []
        while not first:
            read, _ = rows.read(1)
            if not read:
                break
            (first,) = read
        if self._import_format.header:
            if not first:
                raise UnreadableSourceError(
                    f"{self._source_name}: the file is empty; not even the column names are there. "
                    "Deliver it again."
                )
            self._waiting, self._lines_done = rows.feed.rest(), rows.lines_done
            return [name.strip() for name in first]
        self._waiting = "".join(rows.feed.blocks)
        positions = [source for source in self._import_format.columns.values() if isinstance(source, int)]
        return [""] * (len(first) or max(positions))

    def _pieces(self) -> Iterator[tuple[Piece, Sequence[Misfit]]]:
        """Read the rest of the text in pieces: the lines of the rows, then the columns; and the misfits."""
        while block := self._waiting or next(self._blocks, ""):
            self._waiting = ""
            columns = self._plain_rows.columns(block)
            if columns is not None:
                rows_count = len(columns[0])
                yield [numbers_from(self._lines_done + 1, rows_count), *columns], []
                self._lines_done += rows_count
                continue
            rows = self._csv_rows(block)
            is_at_end = False
            while not is_at_end:
                with _collector_paused():
                    piece = self._turned(*rows.read(_ROWS_PER_PIECE))
                yield piece
                is_at_end = rows.is_at_block_end
            self._lines_done = rows.lines_done

    def _csv_rows(self, block: str) -> _CsvRows:
        return _CsvRows(
            block,
            self._blocks,
            lines_before=self._lines_done,
            import_format=self._import_format,
            source_name=self._source_name,
        )

    def _turned(self, rows: Sequence[list[str]], starts: Sequence[int]) -> tuple[Piece, Sequence[Misfit]]:
        """Turn rows into columns; rows of another length are set apart, empty lines dropped."""
        misfits: list[Misfit] = []
        expected = self._columns_count
        if set(map(len, rows)) != {expected}:
            misfits = [
                self._misfit(start, row)
                for start, row in zip(starts, rows, strict=True)
                if row and len(row) != expected
            ]
            fitting = [index for index, row in enumerate(rows) if len(row) == expected]
            rows, starts = [rows[index] for index in fitting], [starts[index] for index in fitting]
        columns = list(zip(*rows, strict=True)) or [()] * expected
        values = [pa.array(columns[position], pa.string()) for position in self._layout.sources]
        return [pa.array(starts, pa.int64()), *values], misfits

    def _misfit(self, line: int, row: Sequence[str]) -> Misfit:
        identifier = self._layout.sources[self._layout.mapped[SOURCE_UNIQUE_ID]]
        columns = "1 column" if len(row) == 1 else f"{len(row)} columns"
        return Misfit(
            line=line,
            fault=f"has {columns} instead of {self._columns_count}",
            source_unique_id=row[identifier].strip() if identifier < len(row) else "",
        )


@contextmanager
def _collector_paused() -> Iterator[None]:
    """Keep Python's cycle collector from walking over rows, which hold no cycles; it would double the time."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _chunk(pieces: Sequence[Piece], misfits: Sequence[Misfit]) -> SourceChunk:
    lines, *columns = (pa.chunked_array(_flat(arrays)) for arrays in zip(*pieces, strict=True))
    return SourceChunk(lines=lines.combine_chunks(), columns=columns, misfits=misfits)


def _flat(columns: Sequence[pa.Array | pa.ChunkedArray]) -> list[pa.Array]:
    return [part for column in columns for part in getattr(column, "chunks", (column,))]
