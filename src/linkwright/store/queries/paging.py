"""Keyset pages: a slice of a list that is found by the key of its neighbour, never by counting. Never writes."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar

Row = TypeVar("Row")

PAGE_SIZE = 50


@dataclass(frozen=True)
class Page(Generic[Row]):
    """One page of a list, and the cursors of its neighbours ('' = there is none).

    A page that was asked for what is rare may stop before it is full, with `is_partial`: then the cursor goes on
    from where it has stopped looking, `searched_to`. `beside` are rows that were read along with it: what stands
    beside a list costs no statement of its own.
    """

    rows: Sequence[Row]
    newer: str = ""
    older: str = ""
    is_partial: bool = False
    searched_to: datetime | None = None
    beside: Sequence[Row] = ()
