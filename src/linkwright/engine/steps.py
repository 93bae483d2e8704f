"""Owns the form of generated SQL: named steps, each reading tables or the steps before it.

A chain of steps is one statement, but each step can be run and looked at by itself. Must not know what the steps
are about, nor run them.

Source: STYLE.md (SQL as named steps that can be run one by one), as in Splink's pipelines.
"""

from collections.abc import Sequence
from typing import NamedTuple

from linkwright.engine.sql import identifier


class Step(NamedTuple):
    """One named query; later steps read its rows under its name."""

    name: str
    sql: str


def chain_sql(steps: Sequence[Step]) -> str:
    """Join steps to one query that returns the rows of the last.

    Returns:
        The step's own text if there is only one; otherwise a WITH statement, a line per step.

    Raises:
        ValueError: if there is no step.
    """
    if not steps:
        raise ValueError("a chain of SQL steps needs at least one step")
    *earlier, last = steps
    if not earlier:
        return last.sql
    named = ",\n".join(f"{identifier(step.name)} AS (\n{step.sql}\n)" for step in earlier)
    return f"WITH {named}\n{last.sql}"
