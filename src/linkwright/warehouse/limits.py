"""What a computation may use, what it leaves on disk, and how it fails. Must not open the engine.

Processes that compute nothing themselves (commands, the supervising worker) know these without loading DuckDB.
"""

from dataclasses import dataclass
from pathlib import Path

from linkwright.errors import LinkwrightError


@dataclass(frozen=True)
class EngineLimits:
    """What one computation may use: memory in MiB, threads, and a folder for what does not fit in memory."""

    scratch_folder: Path
    memory_mib: int = 2048
    threads: int = 2


@dataclass(frozen=True)
class WrittenFile:
    """One Parquet file as it lies on disk: complete, synced, never changed again."""

    path: Path
    rows_count: int
    bytes_count: int


class StorageError(LinkwrightError):
    """The disk is full, a folder cannot be written, or a file that the catalog names is gone or damaged."""


class MemoryLimitError(LinkwrightError):
    """A computation does not fit into the memory that it may use, even with what it can move to disk."""
