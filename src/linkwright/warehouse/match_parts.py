"""Owns the finished chunks of a matching run on disk: a run that was killed goes on after the last of them.

A chunk is a Parquet file of kept pairs and, written after it, a JSON file of its counts; only with both it is
finished. Parts serve only the very run that they were made for: the folder knows it by a fingerprint. Must not
know what pairs are.

Source: SPEC section 3 (a worker that dies loses and doubles nothing); ARCHITECTURE section 5 (checkpoints).
"""

import json
import shutil
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import duckdb

from linkwright.disk import sync
from linkwright.engine.sql import literal
from linkwright.warehouse.limits import StorageError
from linkwright.warehouse.match_chunks import Tally


class MatchParts:
    """The finished chunks of one run.

    Args:
        folder: of the parts; made, or emptied if it belongs to another run.
        fingerprint: of all that decides what the chunks hold.

    Raises:
        StorageError: from every method, if the folder cannot be read or written.
    """

    def __init__(self, folder: Path, fingerprint: str) -> None:
        self._folder = folder
        try:
            mark = folder / "run"
            if folder.exists() and (not mark.exists() or mark.read_text() != fingerprint):
                shutil.rmtree(folder)
            if not folder.exists():
                folder.mkdir(mode=0o700, parents=True)
                mark.write_text(fingerprint)
        except OSError as error:
            raise _storage_error(folder, error) from error

    def find(self, name: str) -> tuple[Tally, ...] | None:
        """Return the counts of a finished chunk; None if it is not finished."""
        try:
            return tuple(Tally(**row) for row in json.loads(self._counts_path(name).read_text()))
        except FileNotFoundError:
            return None
        except OSError as error:
            raise _storage_error(self._folder, error) from error

    def add(self, con: duckdb.DuckDBPyConnection, name: str, query: str, tallies: Sequence[Tally]) -> None:
        """Write the rows of a query as the pairs of a chunk, and its counts."""
        con.execute(f"COPY ({query}) TO {literal(self._pairs_path(name))} (FORMAT parquet, COMPRESSION lz4)")
        try:
            sync(self._pairs_path(name))
            partial = self._counts_path(name).with_suffix(".partial")
            partial.write_text(json.dumps([asdict(tally) for tally in tallies]))
            partial.rename(self._counts_path(name))
        except OSError as error:
            raise _storage_error(self._folder, error) from error

    def paths(self, names: Sequence[str]) -> list[Path]:
        """Return the pairs files of chunks."""
        return [self._pairs_path(name) for name in names]

    def _pairs_path(self, name: str) -> Path:
        return self._folder / f"{name}.parquet"

    def _counts_path(self, name: str) -> Path:
        return self._folder / f"{name}.json"


def _storage_error(folder: Path, error: OSError) -> StorageError:
    return StorageError(
        f"The finished parts of the matching in {folder} cannot be read or written ({error.strerror}). "
        "Free space on the disk or give Linkwright the right to write there, then retry the job."
    )
