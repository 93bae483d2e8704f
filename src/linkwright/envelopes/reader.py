"""Gives out single data files of an Envelope: as a stream from inside the zip, or as a file on disk.

Owns reading for use. Nothing is unpacked but what is asked for, in bounded memory; gzip is taken off on the way.
What the lines mean is up to the jobs.
"""

import contextlib
import hashlib
import io
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from linkwright.engine.progress import Progress, ReportProgress, silent
from linkwright.envelopes.content import ChunkStream, entry_chunks, unpacked_chunks
from linkwright.envelopes.corruption import CorruptReason, SpoolError, bytes_text, shown
from linkwright.envelopes.directory import Entry, read_directory
from linkwright.envelopes.limits import CHUNK_BYTES, PackageLimits
from linkwright.envelopes.manifest import DataFile, FileFormat
from linkwright.envelopes.package_file import PackageFile

_SUFFIXES = {FileFormat.FLAT_FILE: ".txt", FileFormat.PARQUET: ".parquet"}


@contextmanager
def open_data_file(path: Path, file_name: str, limits: PackageLimits) -> Iterator[BinaryIO]:
    """Open one file of an Envelope for reading, front to back, with gzip taken off.

    Sizes and CRC are checked as the stream is read, the last at its end; the checksum of the manifest is not
    (`verify_package` and `spool_data_file` check it).

    Raises:
        PackageAccessError, CorruptEnvelopeError: here, or at any read of the stream.
    """
    with PackageFile(path) as file:
        entry = _find(file, file_name, limits)
        chunks = unpacked_chunks(file, entry, entry_chunks(file, entry), limits)
        with io.BufferedReader(ChunkStream(chunks), CHUNK_BYTES) as stream:
            yield stream


def spool_data_file(
    path: Path, data_file: DataFile, target_folder: Path, limits: PackageLimits, report: ReportProgress = silent
) -> Path:
    """Write one data file of an Envelope to `target_folder` (made if absent), gzip taken off, and return its path.

    The file appears whole or not at all, and only if its checksum is right; an earlier one is replaced. Its name
    is worked out from the data file's, so that no name from outside reaches the disk, and ends in .txt or
    .parquet. It is not synced: it is for the job that runs.

    Raises:
        SpoolError: the folder cannot be written, or its disk is full. Nothing is left behind.
        PackageAccessError, CorruptEnvelopeError: as in `verify_package`, for this data file.
    """
    target = target_folder / spooled_name(data_file)
    partial = target.with_suffix(".partial")
    with PackageFile(path) as file:
        entry = _find(file, data_file.file_name, limits)
        chunks = unpacked_chunks(file, entry, _checked_chunks(file, entry, data_file, report), limits)
        try:
            target_folder.mkdir(parents=True, exist_ok=True)
            _write(partial, chunks)
            partial.replace(target)
        except OSError as error:
            _remove(partial)
            raise SpoolError(
                f"{shown(data_file.file_name)} cannot be unpacked to the folder {target_folder} "
                f"({error.strerror}). It needs {bytes_text(entry.size_bytes)}, more if it is gzip: free space, "
                "or give Linkwright the right to write to the folder, then retry the job."
            ) from error
        except BaseException:
            _remove(partial)
            raise
    return target


def spooled_name(data_file: DataFile) -> str:
    """Return the name under which a data file is spooled: the same for the same data file, another for another."""
    return hashlib.sha256(data_file.file_name.encode()).hexdigest()[:32] + _SUFFIXES[data_file.file_format]


def _find(file: PackageFile, file_name: str, limits: PackageLimits) -> Entry:
    entry = next((entry for entry in read_directory(file, limits) if entry.name == file_name), None)
    if entry is None:
        raise file.corrupt(
            CorruptReason.FILE_ABSENT,
            f"{shown(file_name)} is not in the zip. Add it, and pack the Envelope again.",
        )
    return entry


def _checked_chunks(
    file: PackageFile, entry: Entry, data_file: DataFile, report: ReportProgress
) -> Iterator[bytes]:
    digest = hashlib.sha256()
    read_bytes = 0
    for chunk in entry_chunks(file, entry):
        digest.update(chunk)
        read_bytes += len(chunk)
        report(Progress(f"Unpacking {entry.name}", read_bytes, entry.size_bytes, "bytes"))
        yield chunk
    if data_file.sha256 not in (None, digest.hexdigest()):
        raise file.corrupt(
            CorruptReason.WRONG_CHECKSUM,
            f"{shown(entry.name)} has the SHA-256 {digest.hexdigest()}, but the manifest says {data_file.sha256}. "
            "Have the Envelope packed and sent again.",
        )


def _write(path: Path, chunks: Iterable[bytes]) -> None:
    with path.open("wb") as target:
        for chunk in chunks:
            target.write(chunk)


def _remove(path: Path) -> None:
    # the error that led here is the one to tell
    with contextlib.suppress(OSError):
        path.unlink(missing_ok=True)
