"""Owns what every kind of source file gives to the loader: columns of text, in chunks, with line numbers.

Must not know how a kind is read (one file each: `delimited_source`, `fixed_width_source`, `parquet_source`), nor
what becomes of the values.

Source: SPEC section 5 (Load).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Protocol

import numpy as np
import pyarrow as pa

from linkwright.engine.fields import RECORD_ID
from linkwright.engine.identifying import identifying
from linkwright.engine.import_format import ImportFormat
from linkwright.errors import FaultsError, LinkwrightError

_MOST_CELLS_PER_CHUNK = 1_500_000
_MOST_ROWS_PER_CHUNK = 122_880
_FEWEST_ROWS_PER_CHUNK = 1_024
_MOST_NAMES_SHOWN = 30


class UnreadableSourceError(LinkwrightError):
    """A source file cannot be read as its Import Format says."""


class MissingColumnsError(FaultsError):
    """Columns that the Import Format maps are not in the source file, or are not there exactly once."""


@dataclass(frozen=True)
class Misfit:
    """A row that does not fit into the file's columns.

    Args:
        line: where it starts, counted from 1.
        fault: what is wrong, to follow 'the row': 'has 9 columns instead of 10'.
        source_unique_id: as far as it can be told, or ''.
    """

    line: int
    fault: str
    source_unique_id: str


@dataclass(frozen=True)
class SourceChunk:
    """Some rows, in the file's order.

    Args:
        lines: int64, the line (for Parquet: the row) at which each row starts, counted from 1.
        columns: one string array per column that the layout reads, all as long as `lines`.
        misfits: rows that are not among them.
    """

    lines: pa.Array
    columns: Sequence[pa.ChunkedArray]
    misfits: Sequence[Misfit] = ()


@dataclass(frozen=True)
class Layout:
    """Which source columns are read, and what for.

    Args:
        sources: positions of the source columns that are read, counted from 0.
        mapped: linkage field, source_unique_id or source_person_id → index in `sources`.
        unused: name of a column in the aux file → index in `sources`.
        renamed: pairs of a source column's name and the other name that it has in the aux file.
    """

    sources: tuple[int, ...]
    mapped: Mapping[str, int]
    unused: Mapping[str, int]
    renamed: tuple[tuple[str, str], ...] = field(default=())


class Source(Protocol):
    """A source file that has been opened: its columns are known, its rows are still to be read."""

    @property
    def layout(self) -> Layout:
        """The columns that the chunks hold."""
        ...

    @property
    def place(self) -> str:
        """What a row's number counts: line or row."""
        ...

    @property
    def typed_dates(self) -> frozenset[str]:
        """Linkage fields whose column holds dates by type, so that they are written yyyy-mm-dd here."""
        ...

    @property
    def bytes_read_count(self) -> int:
        """Bytes read so far, unpacked."""
        ...

    def chunks(self) -> Iterator[SourceChunk]:
        """Read the rows, once.

        Raises:
            UnreadableSourceError: if the file is not as the Import Format says.
        """
        ...


def rows_per_chunk(columns_count: int) -> int:
    """Return how many rows to handle at a time, so that a wide file needs no more memory than a narrow one."""
    fitting = _MOST_CELLS_PER_CHUNK // max(columns_count, 1)
    return min(max(fitting, _FEWEST_ROWS_PER_CHUNK), _MOST_ROWS_PER_CHUNK)


def numbers_from(first: int, count: int) -> pa.Array:
    """Return `count` consecutive int64 numbers."""
    return pa.array(np.arange(first, first + count, dtype=np.int64))


def find_layout(
    names: Sequence[str], import_format: ImportFormat, *, keep_unused: bool, source_name: str
) -> Layout:
    """Find the columns that an Import Format maps, by name or by position.

    Args:
        names: the file's columns in order; '' for a column without a name.
        import_format: its columns are names or positions from 1, not character ranges.
        keep_unused: whether the columns that nothing is mapped to are read too.
        source_name: for messages.

    Raises:
        MissingColumnsError: naming every column that is absent or ambiguous.
    """
    faults: list[str] = []
    positions: dict[str, int] = {}
    for target, source in import_format.columns.items():
        if isinstance(source, int):
            if source > len(names):
                faults.append(
                    f"{target} is mapped to column {source}, but the file has {len(names)} columns. "
                    "Correct the position, or the separator."
                )
            positions[target] = source - 1
        else:
            found = [position for position, name in enumerate(names) if name == source]
            if len(found) == 1:
                positions[target] = found[0]
            else:
                faults.append(
                    f"{target} is mapped to the column {source!r}, {_not_once(str(source), found, names)}"
                )
    if faults:
        raise MissingColumnsError(f"{source_name} does not have the columns that its Import Format maps.", faults)
    used = set(positions.values())
    others = [position for position in range(len(names)) if position not in used] if keep_unused else []
    sources = (*sorted(used), *others)
    index = {position: place for place, position in enumerate(sources)}
    unused = unique_names([names[position] or f"column_{position + 1}" for position in others])
    return Layout(
        sources=sources,
        mapped={target: index[position] for target, position in positions.items()},
        unused={name: index[position] for name, position in zip(unused, others, strict=True)},
        renamed=tuple(
            (names[position], name)
            for name, position in zip(unused, others, strict=True)
            if names[position] and name != names[position]
        ),
    )


def _not_once(wanted: str, found: Sequence[int], names: Sequence[str]) -> str:
    if found:
        places = " and ".join(str(position + 1) for position in found)
        return f"which the file has at the positions {places}. Map it by position, or rename one of them."
    near = get_close_matches(wanted.lower(), [name.lower() for name in names], n=1)
    meant = next((name for name in names if near and name.lower() == near[0]), None)
    # of a file without a header, the first row stands here
    listed = identifying(", ".join(repr(name) for name in names[:_MOST_NAMES_SHOWN]))
    more = f" and {len(names) - _MOST_NAMES_SHOWN} more" if len(names) > _MOST_NAMES_SHOWN else ""
    remedy = (
        f"Did you mean {identifying(repr(meant))}?"
        if meant
        else "Correct the Import Format (its separator, too), or the file."
    )
    return f"which the file lacks. It has {listed}{more}. {remedy}"


def unique_names(names: Sequence[str]) -> list[str]:
    """Number the names that occur again, in any case of letters, and those that the aux file has for its own."""
    taken = {RECORD_ID}
    unique: list[str] = []
    for name in names:
        candidate, number = name, 1
        while candidate.lower() in taken:
            number += 1
            candidate = f"{name}_{number}"
        taken.add(candidate.lower())
        unique.append(candidate)
    return unique
