"""Keyset pages: a slice of a list that is found by the key of its neighbour, never by counting. Never writes."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

Row = TypeVar("Row")

PAGE_SIZE = 50


@dataclass(frozen=True)
class Page(Generic[Row]):
    """One page of a list, and the cursors of its neighbours ('' = there is none)."""

    rows: Sequence[Row]
    newer: str = ""
    older: str = ""
