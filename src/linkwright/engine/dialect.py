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
        """The similarity of two texts, 0 to 1, by `jaro`, `jaro_winkler` or `jaccard`."""
        ...

    def distance(self, method: str, left: str, right: str) -> str:
        """The edits between two texts, 0 or more, by `levenshtein` or `damerau_levenshtein`."""
        ...

    def shared_count(self, left: str, right: str) -> str:
        """The number of different values that two lists share."""
        ...

    def bits(self, text: str) -> str:
        """The bits of an encoded value, which is stored in base64."""
        ...

    def set_count(self, bits: str) -> str:
        """The number of bits that are set."""
        ...

    def dice(self, left: str, right: str, counts: str) -> str:
        """Dice's coefficient of the bits set in two different values, 0 to 1; 0 if they are of unequal length.

        `counts` is the number of bits set in both values together.
        """
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
        return f"jaccard({left}, {right})" if method == "jaccard" else f"{method}_similarity({left}, {right})"

    def distance(self, method: str, left: str, right: str) -> str:
        return f"{method}({left}, {right})"

    def shared_count(self, left: str, right: str) -> str:
        return f"len(list_intersect({left}, {right}))"

    def bits(self, text: str) -> str:
        return f"CAST(from_base64({text}) AS BIT)"

    def set_count(self, bits: str) -> str:
        return f"bit_count({bits})"

    def dice(self, left: str, right: str, counts: str) -> str:
        # bits of unequal length cannot be put over each other: DuckDB raises an error
        shared = f"2 * bit_count({left} & {right}) / ({counts})"
        return f"CASE WHEN length({left}) = length({right}) THEN {shared} ELSE 0.0 END"


DUCKDB: Dialect = DuckDB()
