"""What the watch over the inbox saw last: written by the worker into the data folder, read by pages and commands.

A file and not a row: it may change every few seconds, is worth little after a restart, and must be readable while
the database is gone.
"""

import json
import os
from dataclasses import asdict, dataclass, replace
from datetime import datetime

from linkwright.config import ServerConfig


@dataclass(frozen=True)
class InboxStatus:
    """One look, as people are told of it.

    Args:
        folder: that is watched.
        problem: why the folder or files in it cannot be used, and what to do; '' if all is well.
        settling_count: files that still change, or have not been the same for long enough.
        unfinished_count: files that have stopped changing, but are cut short or cannot be read; they wait longer.
        subfolders_count: folders in it, which are not looked into.
        rejected_count: files in `rejected/`.
        last_envelope_id: of the Envelope taken last; 0 if none was.
        last_name: the name that the file had.
        last_at: ISO 8601.
    """

    folder: str = ""
    problem: str = ""
    settling_count: int = 0
    unfinished_count: int = 0
    subfolders_count: int = 0
    rejected_count: int = 0
    last_envelope_id: int = 0
    last_name: str = ""
    last_at: str = ""

    @property
    def waiting_count(self) -> int:
        """Files that are not taken yet."""
        return self.settling_count + self.unfinished_count

    @property
    def last_taken_at(self) -> datetime | None:
        """When a file was taken last."""
        return datetime.fromisoformat(self.last_at) if self.last_at else None

    def without_last(self) -> "InboxStatus":
        """Return the same for somebody who may not know of that Envelope's project."""
        return replace(self, last_envelope_id=0, last_name="")


def read_inbox_status(config: ServerConfig) -> InboxStatus:
    """Return what was seen last; an empty status if nothing was, or nothing that can be read."""
    try:
        return InboxStatus(**json.loads(config.inbox_status_file.read_text()))
    except (OSError, ValueError, TypeError):
        return InboxStatus()


def write_inbox_status(config: ServerConfig, status: InboxStatus) -> None:
    """Put a new status in the place of the last one."""
    fresh = config.inbox_status_file.with_suffix(".new")
    fresh.write_text(json.dumps(asdict(status)))
    fresh.replace(config.inbox_status_file)


def inbox_status_mark(config: ServerConfig) -> int:
    """Return a number that changes with the status."""
    try:
        return os.stat(config.inbox_status_file).st_mtime_ns  # noqa: PTH116 - asked by every poll of every page
    except OSError:
        return 0
