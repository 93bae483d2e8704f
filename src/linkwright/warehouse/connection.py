"""Opens DuckDB with limits, and writes a query's rows to one immutable Parquet file.

Every other file of this room gets its connection and its files here. Nothing outside `warehouse` may import
duckdb.
"""

import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager
from pathlib import Path

import duckdb
import pyarrow as pa

from linkwright.disk import sync
from linkwright.engine.sql import literal
from linkwright.warehouse.limits import EngineLimits, MemoryLimitError, StorageError, WrittenFile

MIB = 1024 * 1024
PROGRAM_MIB = 250
"""What the program takes before it computes: Python with its libraries."""
_TELL_EVERY_S = 0.25
_LEAST_ENGINE_MIB = 100


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
    except (duckdb.Error, pa.ArrowException, FileNotFoundError) as error:
        told = _storage_text(error, limits.scratch_folder)
        if not told:
            raise
        raise StorageError(told) from error
    finally:
        con.close()


# what a failed statement adds: the place in its text
_STATEMENT = re.compile(r"\s*\n?\s*LINE \d+:.*", re.DOTALL)
_DATA_FILE = re.compile(r"""["']([^"'\n]+\.(?:parquet|index|partial))["']""")
_FULL = ("no space left", "disk full", "failed to offload", "max_temp_directory_size")
_GONE = ("no files found", "no such file", "does not exist")
# how DuckDB and Arrow speak of a file that does not hold what it should
_DAMAGED = (
    "magic bytes",
    "parquet",
    "thrift",
    "decompress",
    "snappy",
    "zstd",
    "corrupt",
    "deserialize",
    "invalid page",
)


def _storage_text(error: Exception, scratch_folder: Path) -> str:
    """Say what is wrong with the disk or a file, and what to do; '' if the error is about something else."""
    reason = _STATEMENT.sub("", str(error)).strip()
    lower = reason.lower()
    found = _DATA_FILE.search(reason)
    file = Path(found[1]) if found else None
    if isinstance(error, FileNotFoundError) and error.filename:
        file = Path(error.filename)
    if any(sign in lower for sign in _FULL):
        return (
            f"There is no space left on the disk of {scratch_folder.parent}. Free space there, then retry the job."
        )
    if file is not None and any(sign in lower for sign in _GONE):
        return gone_text(file)
    if file is not None and any(sign in lower for sign in _DAMAGED):
        return damaged_text(file, reason)
    if isinstance(error, duckdb.IOException):
        return (
            f"Reading or writing failed: {reason}. Free space on the disk or restore the file, then retry the job."
        )
    return ""


def gone_text(file: Path) -> str:
    """Say that a data file is not there, and what to do."""
    return f"{file.name} is gone from {file.parent}. Restore it from a backup, then retry the job."


def damaged_text(file: Path, reason: str) -> str:
    """Say that a data file is damaged, and what to do."""
    # the reason repeats where the file lies
    told = reason.replace(f"{file.parent}/", "").rstrip(".")
    return f"{file.name} in {file.parent} is damaged ({told}). Restore it from a backup, then retry the job."


def keep_within(con: duckdb.DuckDBPyConnection, memory_mib: int, taken_bytes: int) -> None:
    """Leave the engine what remains of the memory limit when others have taken theirs.

    Args:
        con: the engine.
        memory_mib: of the whole computation.
        taken_bytes: by arrays outside the engine. The program itself takes `PROGRAM_MIB` more.
    """
    left_mib = max(memory_mib - PROGRAM_MIB - taken_bytes // MIB, _LEAST_ENGINE_MIB)
    con.execute(f"SET memory_limit = '{left_mib}MiB'")


def write_parquet(
    con: duckdb.DuckDBPyConnection, query: str, path: Path, tell: Callable[[float], None] | None = None
) -> WrittenFile:
    """Write the rows of `query` to `path`, synced to disk; the file appears whole or not at all.

    Args:
        con: the engine.
        query: its text.
        path: of the file.
        tell: told now and then which part of the work is done, 0 to 1; what it raises ends the writing.

    Raises:
        StorageError: (from `open_engine`) if the disk is full or the folder cannot be written.
    """
    partial = path.with_suffix(".partial")
    copy = f"COPY ({query}) TO {literal(partial)} (FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1)"
    if tell is None:
        con.execute(copy)
    else:
        _execute_telling(con, copy, tell)
    rows_count = int(con.execute(f"SELECT count(*) FROM read_parquet({literal(partial)})").fetchall()[0][0])
    sync(partial)
    partial.rename(path)
    sync(path.parent)
    return WrittenFile(path=path, rows_count=rows_count, bytes_count=path.stat().st_size)


def _execute_telling(con: duckdb.DuckDBPyConnection, statement: str, tell: Callable[[float], None]) -> None:
    """Execute one long statement in a thread of its own, and tell here how far it is by the engine's own count."""
    con.execute("SET enable_progress_bar = true; SET enable_progress_bar_print = false")
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(con.execute, statement)
        try:
            while wait([running], _TELL_EVERY_S).not_done:
                # below nothing while the engine does not know yet
                if (percent := con.query_progress()) > 0:
                    tell(min(percent / 100, 1.0))
        except BaseException:
            con.interrupt()
            raise
    running.result()
