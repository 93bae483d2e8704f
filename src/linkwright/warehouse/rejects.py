"""Owns the rows of a source file that are not loaded: why, from which lines, and how a person is told.

Must not decide whether a file is refused; `load` compares the count with its limit.

Source: SPEC section 5 (Load: rejected with its line number and reason).
"""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple

import duckdb
import pyarrow as pa

from linkwright.disk import sync
from linkwright.engine.identifying import identifying
from linkwright.engine.sql import literal
from linkwright.errors import LinkwrightError
from linkwright.warehouse.parquet_file import remove_if_there

_TABLE = "rejected_rows"
_EXAMPLES_COUNT = 5
_LONGEST_VALUE_SHOWN = 40


def shortened(value: str) -> str:
    """Return a value as a message may show it: its beginning, if it is long."""
    return value if len(value) <= _LONGEST_VALUE_SHOWN else value[: _LONGEST_VALUE_SHOWN - 1] + "…"


class RejectReason(StrEnum):
    """Why a row is not loaded; the value follows '12 rows' in a sentence."""

    WRONG_COLUMNS = "with a wrong number of columns"
    NO_IDENTIFIER = "without a Source Unique ID"
    REPEATED = "with a Source Unique ID that occurs more than once in the file"
    IN_EARLIER_FILE = "with a Source Unique ID that an earlier data file of the Envelope holds"
    LOADED_ALREADY = "with a Source Unique ID that is loaded already"


class TooManyRejectedRowsError(LinkwrightError):
    """More rows of a source file are rejected than Worker.Load.MaxRejectedRows allows."""


class RejectedRow(NamedTuple):
    """One row that is not loaded.

    Args:
        line: where it starts, counted from 1 (for Parquet: the row).
        reason: the kind of fault.
        fault: what is wrong with this row, to follow 'the row': 'has 9 columns instead of 10'.
        source_unique_id: as far as it can be told.
    """

    line: int
    reason: RejectReason
    fault: str
    source_unique_id: str | None


class Rejects:
    """Collects rejected rows in a table of the engine, so that a million of them do no harm.

    Table rejected_rows: line BIGINT, reason VARCHAR (a `RejectReason`), fault VARCHAR, source_unique_id VARCHAR.
    """

    def __init__(
        self, con: duckdb.DuckDBPyConnection, source_name: str, place: str, *, shows_values: bool = True
    ) -> None:
        self._shows_values = shows_values
        self._con = con
        self._source_name = source_name
        self._place = place
        con.execute(
            f"CREATE TABLE {_TABLE} (line BIGINT, reason VARCHAR, fault VARCHAR, source_unique_id VARCHAR)"
        )

    def add(self, rows: Iterable[RejectedRow]) -> None:
        """Add rows that are known one by one."""
        lines, reasons, faults, identifiers = zip(*rows, strict=True)
        piece = pa.table(
            {
                "line": pa.array(lines, pa.int64()),
                "reason": pa.array([str(reason) for reason in reasons], pa.string()),
                "fault": pa.array(faults, pa.string()),
                "source_unique_id": pa.array([text or None for text in identifiers], pa.string()),
            }
        )
        self._con.register("rejected_piece", piece)
        self._con.execute(f"INSERT INTO {_TABLE} SELECT * FROM rejected_piece")
        self._con.unregister("rejected_piece")

    def add_from(self, query: str) -> None:
        """Add the rows of a query: line, reason (a `RejectReason`), fault, source_unique_id."""
        self._con.execute(f"INSERT INTO {_TABLE} SELECT line, reason, fault, source_unique_id FROM ({query})")

    def counts(self) -> Mapping[RejectReason, int]:
        """Count the rejected rows by reason, in the order of `RejectReason`, without those that do not occur."""
        rows = self._con.execute(f"SELECT reason, count(*) FROM {_TABLE} GROUP BY reason").fetchall()
        found = {RejectReason(reason): int(count) for reason, count in rows}
        return {reason: found[reason] for reason in RejectReason if reason in found}

    def described(self) -> str:
        """Say how many rows were rejected for which reason, and what is wrong with the first ones."""
        by_reason = ", ".join(f"{count:,} {reason}" for reason, count in self.counts().items())
        rows = self._con.execute(
            f"SELECT line, fault, source_unique_id FROM {_TABLE} ORDER BY line LIMIT {_EXAMPLES_COUNT}"
        ).fetchall()
        examples = "; ".join(
            f"{self._place} {line} {fault}"
            + (f" ({identifying(repr(shortened(identifier)))})" if identifier and self._shows_values else "")
            for line, fault, identifier in rows
        )
        return f"{by_reason}. First: {examples}"

    def too_many(self, rows_read_count: int, allowed_count: int) -> TooManyRejectedRowsError:
        """Return the error that says that more rows are rejected than are allowed."""
        count = sum(self.counts().values())
        return TooManyRejectedRowsError(
            f"{self._source_name}: {count:,} of {rows_read_count:,} rows are rejected, more than the "
            f"{allowed_count:,} that Worker.Load.MaxRejectedRows allows: {self.described()}. Nothing is loaded. "
            f"Correct the file and submit it again; or raise Worker.Load.MaxRejectedRows to {count} and retry the "
            "job, to load the other rows."
        )

    def discard(self, path: Path) -> None:
        """Leave nothing of the file that `write` makes."""
        remove_if_there(path.with_suffix(".partial"))
        remove_if_there(path)

    def write(self, path: Path) -> Path:
        """Write a CSV file (line, reason, source_unique_id) by line; it appears whole or not at all."""
        partial = path.with_suffix(".partial")
        self._con.execute(
            f"COPY (SELECT line AS {self._place}, fault AS reason, source_unique_id FROM {_TABLE} ORDER BY line) "
            f"TO {literal(partial)} (FORMAT csv, HEADER)"
        )
        sync(partial)
        partial.rename(path)
        sync(path.parent)
        return path
