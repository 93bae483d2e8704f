"""Owns the seam between generated SQL and the engine that runs it: every function whose name or meaning differs.

The rest of the SQL is what DuckDB and Spark both understand. Must not know what is linked, nor open an engine.

Source: DuckDB 2's function reference; the thresholds on these functions mean what they mean in Splink 5, which
calls the same ones (splink.internals.dialects).
"""

from collections.abc import Sequence
from typing import Protocol


class Dialect(Protocol):
    """SQL text for what engines spell differently. Arguments are SQL expressions; so is what comes back."""

    def block_key(self, values: Sequence[str]) -> str:
        """A 64-bit integer, equal for equal values; seldom, but possibly, equal for different ones."""
        ...

    def prefix(self, text: str, length: int) -> str:
        """The first `length` characters."""
        ...

    def suffix(self, text: str, length: int) -> str:
        """The last `length` characters."""
        ...

    def year(self, date: str) -> str:
        """The year as an integer."""
        ...

    def month(self, date: str) -> str:
        """The month as an integer, 1 to 12."""
        ...

    def day(self, date: str) -> str:
        """The day of the month as an integer."""
        ...

    def distinct_tokens(self, text: str) -> str:
        """The different words of a text, which blanks separate, as a list."""
        ...

    def share_element(self, left: str, right: str) -> str:
        """Whether two lists have an element in common."""
        ...

    def days_apart(self, left: str, right: str) -> str:
        """The days between two dates, never negative."""
        ...

    def text(self, value: str) -> str:
        """The value as text; a date as yyyy-mm-dd."""
        ...

    def similarity(self, method: str, left: str, right: str) -> str:
        """The similarity of two texts, 0 to 1, by `jaro` or `jaro_winkler`."""
        ...

    def distance(self, method: str, left: str, right: str) -> str:
        """The edits between two texts, 0 or more, by `levenshtein` or `damerau_levenshtein`."""
        ...


class DuckDB:
    """SQL for DuckDB 2."""

    def block_key(self, values: Sequence[str]) -> str:
        return f"hash({', '.join(values)})"

    def prefix(self, text: str, length: int) -> str:
        return f"left({text}, {length})"

    def suffix(self, text: str, length: int) -> str:
        return f"right({text}, {length})"

    def year(self, date: str) -> str:
        return f"year({date})"

    def month(self, date: str) -> str:
        return f"month({date})"

    def day(self, date: str) -> str:
        return f"day({date})"

    def distinct_tokens(self, text: str) -> str:
        return f"list_distinct(string_split({text}, ' '))"

    def share_element(self, left: str, right: str) -> str:
        return f"list_has_any({left}, {right})"

    def days_apart(self, left: str, right: str) -> str:
        return f"abs({left} - {right})"

    def text(self, value: str) -> str:
        return f"CAST({value} AS VARCHAR)"

    def similarity(self, method: str, left: str, right: str) -> str:
        return f"{method}_similarity({left}, {right})"

    def distance(self, method: str, left: str, right: str) -> str:
        return f"{method}({left}, {right})"


DUCKDB: Dialect = DuckDB()
