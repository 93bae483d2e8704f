"""Opens DuckDB with limits, and writes a query's rows to one immutable Parquet file.

Every other file of this room gets its connection and its files here. Nothing outside `warehouse` may import
duckdb.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import duckdb

from linkwright.engine.sql import literal
from linkwright.errors import LinkwrightError

MIB = 1024 * 1024
PROGRAM_MIB = 250
"""What the program takes before it computes: Python with its libraries."""
_LEAST_ENGINE_MIB = 100


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


@contextmanager
def open_engine(limits: EngineLimits) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open an in-memory DuckDB that keeps to `limits` and never reaches for the network.

    Raises:
        StorageError: if the scratch folder cannot be written, or the disk is full while a query spills.
    """
    try:
        limits.scratch_folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StorageError(
            f"The folder {limits.scratch_folder} cannot be made ({error.strerror}). "
            "Free space or give Linkwright the right to write there, then retry the job."
        ) from error
    con = duckdb.connect(
        ":memory:",
        config={
            "memory_limit": f"{limits.memory_mib}MiB",
            "threads": limits.threads,
            "temp_directory": str(limits.scratch_folder),
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
        },
    )
    try:
        yield con
    except duckdb.OutOfMemoryException as error:
        raise MemoryLimitError(
            f"The computation needs more than its {limits.memory_mib} MiB: {error}. "
            "Raise Worker.Memory.LimitMiB if the machine has more, then retry the job."
        ) from error
    except duckdb.IOException as error:
        raise StorageError(
            f"Reading or writing {limits.scratch_folder.parent} failed: {error}. "
            "Free space on the disk or restore the file, then retry the job."
        ) from error
    finally:
        con.close()


def keep_within(con: duckdb.DuckDBPyConnection, memory_mib: int, taken_bytes: int) -> None:
    """Leave the engine what remains of the memory limit when others have taken theirs.

    Args:
        con: the engine.
        memory_mib: of the whole computation.
        taken_bytes: by arrays outside the engine. The program itself takes `PROGRAM_MIB` more.
    """
    left_mib = max(memory_mib - PROGRAM_MIB - taken_bytes // MIB, _LEAST_ENGINE_MIB)
    con.execute(f"SET memory_limit = '{left_mib}MiB'")


def write_parquet(con: duckdb.DuckDBPyConnection, query: str, path: Path) -> WrittenFile:
    """Write the rows of `query` to `path`, synced to disk; the file appears whole or not at all.

    Raises:
        StorageError: (from `open_engine`) if the disk is full or the folder cannot be written.
    """
    partial = path.with_suffix(".partial")
    con.execute(f"COPY ({query}) TO {literal(partial)} (FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1)")
    rows_count = int(con.execute(f"SELECT count(*) FROM read_parquet({literal(partial)})").fetchall()[0][0])
    sync(partial)
    partial.rename(path)
    sync(path.parent)
    return WrittenFile(path=path, rows_count=rows_count, bytes_count=path.stat().st_size)


def sync(path: Path) -> None:
    """Force a file's or a folder's content to disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
