"""Owns the fast reading of delimited text: blocks of rows in which nothing is in doubt are read by Arrow.

Arrow reads several times as fast as Python's csv module, but is lenient with quotes, and knows no lines. Here it
is given only what both read alike: rows of one line each, all with the right number of columns, in which every
quote either encloses a whole value or is doubled. The caller reads everything else with the csv module.

Source: RFC 4180; Python's csv module (strict), which the tests compare with.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.csv as pa_csv

from linkwright.engine.import_format import ImportFormat

_LINE_FEED, _CARRIAGE_RETURN = ord("\n"), ord("\r")
_MARK = "\ufeff"

Bytes = npt.NDArray[np.uint8]
Places = npt.NDArray[np.intp]


class PlainRows:
    """Reads blocks of whole lines.

    Args:
        import_format: separator, quote and escape; if any of them is unusual, no block is read.
        columns_count: what every row has to have.
        wanted: positions of the columns to return, counted from 0.
    """

    def __init__(self, import_format: ImportFormat, columns_count: int, wanted: Sequence[int]) -> None:
        separator, quote = import_format.separator, import_format.quote
        self._is_usual = f"{separator}{quote}".isascii() and import_format.escape is None
        self._separator = ord(separator)
        self._quote = ord(quote) if quote else None
        self._names = [str(position) for position in range(columns_count)]
        self._wanted = [self._names[position] for position in wanted]

    def columns(self, block: str) -> list[pa.ChunkedArray] | None:
        """Return the wanted columns of a block, one row per line; None if it is not plain."""
        if not self._is_usual or block.startswith(_MARK):
            return None
        data = block.encode() if block.endswith("\n") else f"{block}\n".encode()
        rows_count = self._plain_lines_count(np.frombuffer(data, np.uint8))
        if not rows_count:
            return None
        try:
            table = self._read(data)
        except pa.ArrowInvalid:
            return None
        return table.columns if table.num_rows == rows_count else None

    def _read(self, data: bytes) -> pa.Table:
        return pa_csv.read_csv(
            pa.BufferReader(data),
            pa_csv.ReadOptions(use_threads=False, block_size=len(data) + 1, column_names=self._names),
            pa_csv.ParseOptions(
                delimiter=chr(self._separator),
                quote_char=False if self._quote is None else chr(self._quote),
                ignore_empty_lines=False,
            ),
            pa_csv.ConvertOptions(
                check_utf8=False,
                column_types=dict.fromkeys(self._wanted, pa.string()),
                include_columns=self._wanted,
            ),
        )

    def _plain_lines_count(self, data: Bytes) -> int:
        """Count the lines; 0 if one of them is empty, is part of a longer row, or is quoted in a doubtful way."""
        ends = np.flatnonzero(data == _LINE_FEED)
        returns = np.flatnonzero(data == _CARRIAGE_RETURN)
        if not _are_followed_by(data, returns, {_LINE_FEED}):
            return 0
        shortest = int(np.diff(ends, prepend=-1).min())
        if shortest == 1 or (shortest == 2 and len(returns)):  # noqa: PLR2004  # only the line end itself
            return 0
        if self._quote is not None:
            quotes = np.flatnonzero(data == self._quote)
            if len(quotes) and not self._are_sound(data, quotes, ends):
                return 0
        return len(ends)

    def _are_sound(self, data: Bytes, quotes: Places, ends: Places) -> bool:
        """Whether quotes enclose whole values, are doubled inside them, and no line ends within them."""
        if len(quotes) % 2 or (np.searchsorted(quotes, ends) % 2).any():
            return False
        opening, closing = quotes[0::2], quotes[1::2]
        # A closing quote with an opening one right behind it is a doubled quote within a value
        doubled = opening[1:] == closing[:-1] + 1
        before = opening[1:][~doubled] if opening[0] == 0 else opening[np.concatenate(([True], ~doubled))]
        after = closing[np.concatenate((~doubled, [True]))]
        starts = data[before - 1]
        return bool(
            ((starts == self._separator) | (starts == _LINE_FEED)).all()
            and _are_followed_by(data, after, {self._separator, _LINE_FEED, _CARRIAGE_RETURN})
        )


def _are_followed_by(data: Bytes, places: Places, allowed: set[int]) -> bool:
    # The last byte is a line feed, so that every place has one behind it
    return bool(np.isin(data[places + 1], list(allowed)).all())
