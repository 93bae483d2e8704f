"""Owns the reading of fixed-width text: a line is a row, and each column a range of its characters.

Source: SPEC section 1 (Import Format: also fixed-width), section 5 (Load).
"""

from collections.abc import Iterator
from itertools import islice

import pyarrow as pa
import pyarrow.compute as pc

from linkwright.engine.fields import SOURCE_UNIQUE_ID
from linkwright.engine.import_format import CharacterRange, ImportFormat
from linkwright.warehouse.source import Layout, Misfit, SourceChunk, rows_per_chunk, unique_names
from linkwright.warehouse.source_text import TextBlocks


class FixedWidthSource:
    """A fixed-width text file.

    A line that ends early has empty values, since many systems cut blanks at its end; unless the Import Format
    gives the width of a line: then every line must have it. Empty lines are passed over.
    """

    place = "line"
    typed_dates: frozenset[str] = frozenset()

    def __init__(self, text: TextBlocks, import_format: ImportFormat, *, keep_unused: bool) -> None:
        self._text = text
        self._line_width = import_format.line_width
        mapped = {
            target: source
            for target, source in import_format.columns.items()
            if isinstance(source, CharacterRange)
        }
        others = import_format.other_columns if keep_unused else {}
        self._ranges = [*mapped.values(), *others.values()]
        self._identifier = mapped[SOURCE_UNIQUE_ID]
        self._layout = Layout(
            sources=tuple(range(len(self._ranges))),
            mapped={target: index for index, target in enumerate(mapped)},
            unused={name: len(mapped) + index for index, name in enumerate(unique_names(list(others)))},
        )

    @property
    def layout(self) -> Layout:
        """The columns that the chunks hold."""
        return self._layout

    @property
    def bytes_read_count(self) -> int:
        """Bytes read so far, unpacked."""
        return self._text.bytes_read_count

    def chunks(self) -> Iterator[SourceChunk]:
        """Read the rows, once.

        Raises:
            UnreadableSourceError: if the text cannot be decoded.
        """
        numbered = enumerate((line.rstrip("\r\n") for line in self._text.lines()), start=1)
        while part := list(islice(numbered, rows_per_chunk(len(self._ranges)))):
            misfits = [self._misfit(number, line) for number, line in part if line and not self._fits(line)]
            rows = [(number, line) for number, line in part if line and self._fits(line)]
            lines = pa.array([line for _, line in rows], pa.string())
            yield SourceChunk(
                lines=pa.array([number for number, _ in rows], pa.int64()),
                columns=[
                    pa.chunked_array([pc.utf8_slice_codeunits(lines, place.start - 1, place.end)])
                    for place in self._ranges
                ],
                misfits=misfits,
            )

    def _fits(self, line: str) -> bool:
        return self._line_width is None or len(line) == self._line_width

    def _misfit(self, number: int, line: str) -> Misfit:
        return Misfit(
            line=number,
            fault=f"has {len(line)} characters instead of {self._line_width}",
            source_unique_id=line[self._identifier.start - 1 : self._identifier.end].strip(),
        )
