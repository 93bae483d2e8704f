"""Builds Envelopes: data and metadata files with their manifest, in a zip that any zip program reads.

Owns writing. What it builds, `verify_package` accepts. The same files in the same order give the same bytes, so
that a checksum tells whether two Envelopes differ.
"""

import contextlib
import hashlib
import io
import os
import secrets
import stat
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from linkwright.disk import sync
from linkwright.engine.progress import Progress, ReportProgress, silent
from linkwright.envelopes.corruption import NAMED_FAULTS_COUNT, BuildError, bytes_text
from linkwright.envelopes.gunzip import GZIP_MAGIC, BrokenGzipError, gunzip
from linkwright.envelopes.limits import CHUNK_BYTES
from linkwright.envelopes.manifest import (
    MANIFEST_NAME,
    DataFile,
    FileFormat,
    Manifest,
    MetadataFile,
    RequestType,
    manifest_faults,
    write_manifest,
)

# the earliest time that a zip can hold: the real one would make every build another
_TIMESTAMP = (1980, 1, 1, 0, 0, 0)
_ON_UNIX = 3
_READABLE_FILE = (stat.S_IFREG | 0o644) << 16
_PACKED_ALREADY = (GZIP_MAGIC, b"PAR1")


@dataclass(frozen=True)
class SourceFile:
    """A data file on disk, and what it is in the Envelope. `name` is its name there, by default its own."""

    path: Path
    event_type_code: str
    file_format: FileFormat = FileFormat.FLAT_FILE
    name: str | None = None


@dataclass(frozen=True)
class MetadataSource:
    """A metadata file on disk, and what it is in the Envelope. `name` as in SourceFile."""

    path: Path
    description: str = ""
    name: str | None = None


def build_package(
    target: Path,
    *,
    linkage_project: str,
    sender: str,
    request_type: RequestType,
    data: Sequence[SourceFile],
    metadata: Sequence[MetadataSource] = (),
    extraction_project: str | None = None,
    with_sha256: bool = True,
    compresses: bool = True,
    report: ReportProgress = silent,
) -> Path:
    """Write an Envelope to `target` and return the path; it appears whole and synced, or not at all.

    A file that is there already is replaced. Data is streamed; gzip and Parquet are not compressed a second time,
    and with `compresses` off nothing is: that is ten times as fast, and no ratio can be too high.

    Raises:
        BuildError: a file is missing or unreadable, a name or code is not allowed or occurs twice, a file is
            broken gzip or changes while it is read, or the target cannot be written. What can be found
            beforehand is named all at once.
    """
    sources: list[SourceFile | MetadataSource] = [*data, *metadata]
    manifest = Manifest(
        linkage_project=linkage_project,
        sender=sender,
        request_type=request_type,
        number_of_data_files=len(data),
        data_files=tuple(DataFile(_name(file), file.file_format, file.event_type_code) for file in data),
        metadata_files=tuple(MetadataFile(_name(file), file.description) for file in metadata),
        extraction_project=extraction_project,
    )
    faults = [fault.text for fault in manifest_faults(manifest)]
    faults += [fault for source in sources if (fault := _source_fault(source.path, target)) is not None]
    if faults:
        summary = f"The Envelope {target} cannot be built. Correct what follows, and build it again."
        raise BuildError(summary, faults[:NAMED_FAULTS_COUNT])
    with _appearing(target) as archive:
        method = zipfile.ZIP_DEFLATED if compresses else zipfile.ZIP_STORED
        checksums = [_add(archive, source.path, _info(_name(source), method), report) for source in sources]
        xml = write_manifest(_with_checksums(manifest, checksums) if with_sha256 else manifest)
        archive.writestr(_info(MANIFEST_NAME, zipfile.ZIP_DEFLATED), xml)
    return target


@contextmanager
def _appearing(target: Path) -> Iterator[zipfile.ZipFile]:
    """Open a new zip that takes its place at `target`, synced, at the end of the block, or else vanishes."""
    partial = target.with_name(f".{secrets.token_hex(8)}.partial")
    try:
        with zipfile.ZipFile(partial, "x") as archive:
            yield archive
        sync(partial)
        partial.replace(target)
        sync(target.parent)
    except OSError as error:
        raise BuildError(
            f"The Envelope {target} cannot be written ({error.strerror}). Free space on that disk, or choose a "
            "folder that exists and where you may write, and build it again.",
            [],
        ) from error
    finally:
        with contextlib.suppress(OSError):
            partial.unlink(missing_ok=True)


def _name(source: SourceFile | MetadataSource) -> str:
    return source.path.name if source.name is None else source.name


def _source_fault(path: Path, target: Path) -> str | None:
    try:
        status = path.stat()
        is_target = target.exists() and path.samefile(target)
    except OSError as error:
        return f"The file {path} cannot be read ({error.strerror}). Correct the path, or put the file there."
    if not stat.S_ISREG(status.st_mode):
        return f"{path} is not a plain file. Give the path of a file."
    if is_target:
        return f"The file {path} would be overwritten by the Envelope. Choose another name for the Envelope."
    if not os.access(path, os.R_OK):
        return f"The file {path} cannot be read (Permission denied). Give yourself the right to read it."
    return None


def _with_checksums(manifest: Manifest, checksums: Sequence[str]) -> Manifest:
    """Return the manifest with the checksums of its data files, which come first in `checksums`."""
    files = zip(manifest.data_files, checksums, strict=False)
    return replace(manifest, data_files=tuple(replace(file, sha256=checksum) for file, checksum in files))


def _add(archive: zipfile.ZipFile, path: Path, info: zipfile.ZipInfo, report: ReportProgress) -> str:
    """Stream one file into the zip, and return its SHA-256; gzip is unpacked on the way, as a check."""
    digest = hashlib.sha256()
    with _Source(path) as source:
        head = source.read(CHUNK_BYTES)
        if head.startswith(_PACKED_ALREADY):
            info.compress_type = zipfile.ZIP_STORED
        # tells zipfile whether ZIP64 is needed; a file that outgrows it is given up before that matters
        info.file_size = source.size_bytes
        with archive.open(info, "w") as entry:

            def written() -> Iterator[bytes]:
                for chunk in source.chunks(head):
                    entry.write(chunk)
                    digest.update(chunk)
                    report(Progress(f"Packing {info.filename}", source.read_bytes, source.size_bytes, "bytes"))
                    yield chunk

            try:
                for _chunk in gunzip(written()) if head.startswith(GZIP_MAGIC) else written():
                    pass
            except BrokenGzipError as error:
                text = f"The file {path} begins like gzip, but cannot be unpacked ({error}). Compress it again."
                raise BuildError(text, []) from error
    return digest.hexdigest()


class _Source(io.FileIO):
    """A file to be packed; its errors are told apart from those of the Envelope that is written."""

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            super().__init__(path, "rb")
            self.size_bytes = os.fstat(self.fileno()).st_size
            self.read_bytes = 0
        except OSError as error:
            raise self._unreadable(error) from error

    def chunks(self, head: bytes) -> Iterator[bytes]:
        """Yield the content, `head` first, which has been read already, and never much more than the first size.

        Raises:
            BuildError: the size is not what it was at first.
        """
        chunk = head
        while chunk and self.read_bytes <= self.size_bytes:
            self.read_bytes += len(chunk)
            yield chunk
            chunk = self.read(CHUNK_BYTES)
        if self.read_bytes != self.size_bytes:
            raise BuildError(
                f"The file {self._path} changed while it was read: it had {bytes_text(self.size_bytes)} at first. "
                "Build the Envelope again when nothing writes to the file.",
                [],
            )

    def read(self, size: int | None = -1, /) -> bytes:
        try:
            return super().read(size) or b""
        except OSError as error:
            raise self._unreadable(error) from error

    def _unreadable(self, error: OSError) -> BuildError:
        text = f"The file {self._path} cannot be read ({error.strerror}). Mend that, and build the Envelope again."
        return BuildError(text, [])


def _info(name: str, method: int) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name, _TIMESTAMP)
    info.compress_type = method
    info.create_system = _ON_UNIX
    info.external_attr = _READABLE_FILE
    return info
