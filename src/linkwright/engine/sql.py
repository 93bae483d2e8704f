"""Quoting of identifiers and literals for generated SQL: the only place where text becomes SQL.

Everything that builds SQL passes names and values through here (or binds values), so that a field name or a
threshold can never be read as SQL. Pure text; opens nothing.
"""

from pathlib import Path


def identifier(name: str) -> str:
    """Return `name` as a quoted SQL identifier.

    Raises:
        ValueError: if the name is empty or holds a NUL character.
    """
    if not name or "\0" in name:
        raise ValueError(f"not an SQL identifier: {name!r}")
    return '"' + name.replace('"', '""') + '"'


def literal(value: str | float | bool | Path | None) -> str:
    """Return `value` as an SQL literal; floats keep all their digits."""
    if value is None:
        return "NULL"
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        # repr() round-trips; the cast keeps DuckDB from reading a short number as DECIMAL
        return f"CAST('{value!r}' AS DOUBLE)"
    return "'" + str(value).replace("'", "''") + "'"


def string_list(values: list[str] | list[Path]) -> str:
    """Return values as a DuckDB list literal of strings, for instance of file paths."""
    return "[" + ", ".join(literal(value) for value in values) + "]"
