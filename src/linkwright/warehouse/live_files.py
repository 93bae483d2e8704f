"""Owns the list of files that are a project's live data, and what a record in them is called.

Must not know the catalog, nor open a file: whoever only names them need not load the engine.

Source: ARCHITECTURE section 4 (records, pairs, assignments, ends).
"""

from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple


class RecordKey(NamedTuple):
    """A record as its provider knows it; as text `EVENT_TYPE:SOURCE_UNIQUE_ID`."""

    event_type: str
    source_unique_id: str

    def __str__(self) -> str:
        return f"{self.event_type}:{self.source_unique_id}"


@dataclass(frozen=True)
class LiveFiles:
    """What a project consists of.

    Args:
        records: records files.
        pairs: pairs files.
        assignments: assignments files, the oldest batch first.
        ended: ends files.
    """

    records: tuple[Path, ...]
    pairs: tuple[Path, ...]
    assignments: tuple[Path, ...]
    ended: tuple[Path, ...]
