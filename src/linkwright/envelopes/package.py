"""Examines an Envelope (milliseconds: may it be queued?) and verifies it (every byte: may it be loaded?).

Owns the agreement between manifest and zip. Whether the codes exist is the Validate job's affair. Source: SPEC
section 2, 'Corrupt'.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from linkwright.engine.progress import Progress, ReportProgress, silent
from linkwright.envelopes.content import entry_chunks, unpacked_chunks
from linkwright.envelopes.corruption import CorruptEnvelopeError, CorruptReason, Fault, shown
from linkwright.envelopes.directory import Entry, read_directory
from linkwright.envelopes.limits import MAX_MANIFEST_BYTES, PackageLimits
from linkwright.envelopes.manifest import MANIFEST_NAME, DataFile, Manifest, parse_manifest
from linkwright.envelopes.manifest_xml import manifest_too_large
from linkwright.envelopes.names import same_file_key
from linkwright.envelopes.package_file import PackageFile


@dataclass(frozen=True)
class Examination:
    """What an Envelope says about itself; nothing of its data has been read.

    `unlisted_files` lie in the zip but not in the manifest: they are not used, and a person should know.
    """

    manifest: Manifest
    package_bytes: int
    file_sizes_bytes: Mapping[str, int]
    unlisted_files: tuple[str, ...]


@dataclass(frozen=True)
class VerifiedFile:
    """One data file, read to its end: size and SHA-256 as in the zip, and its size with gzip taken off."""

    data_file: DataFile
    size_bytes: int
    sha256: str
    content_bytes: int


@dataclass(frozen=True)
class Verification:
    """An Envelope of which every byte has been read and found right; data files in the manifest's order."""

    examination: Examination
    data_files: tuple[VerifiedFile, ...]


def examine_package(path: Path, limits: PackageLimits) -> Examination:
    """Read an Envelope's directory and manifest, and nothing else: milliseconds even for many GiB.

    Raises:
        PackageAccessError: the file is gone or may not be read.
        CorruptEnvelopeError: any reason that shows without reading the data.
    """
    with PackageFile(path) as file:
        return _examine(file, read_directory(file, limits))


def verify_package(path: Path, limits: PackageLimits, report: ReportProgress = silent) -> Verification:
    """Read every byte of an Envelope, in bounded memory: sizes, CRC, gzip and checksums must all be right.

    `report` is told the bytes read, of all bytes, file by file.

    Raises:
        PackageAccessError: the file is gone or may not be read.
        CorruptEnvelopeError: any reason. Files with a wrong checksum are all named at once.
    """
    with PackageFile(path) as file:
        entries = read_directory(file, limits)
        examination = _examine(file, entries)
        data_files = {data_file.file_name: data_file for data_file in examination.manifest.data_files}
        reader = _Reader(file, limits, report, total_bytes=sum(entry.size_bytes for entry in entries))
        verified = {
            entry.name: reader.read(entry, data_files[entry.name]) for entry in entries if entry.name in data_files
        }
        for entry in entries:
            if entry.name not in data_files:
                reader.read_plain(entry)
    _check_checksums(file, list(verified.values()))
    return Verification(examination, tuple(verified[name] for name in data_files))


class _Reader:
    """Reads entries to their ends, and keeps count of all bytes for progress and for the size limit."""

    def __init__(
        self, file: PackageFile, limits: PackageLimits, report: ReportProgress, *, total_bytes: int
    ) -> None:
        self._file = file
        self._limits = limits
        self._report = report
        self._total_bytes = total_bytes
        self._read_bytes = 0
        # what all files have, unpacked; a gzip replaces its packed size by its unpacked one
        self._unpacked_bytes = total_bytes

    def read(self, entry: Entry, data_file: DataFile) -> VerifiedFile:
        digest = hashlib.sha256()

        def hashed() -> Iterator[bytes]:
            for chunk in self._counted(entry):
                digest.update(chunk)
                yield chunk

        others_bytes = self._unpacked_bytes - entry.size_bytes
        chunks = unpacked_chunks(self._file, entry, hashed(), self._limits, used_bytes=others_bytes)
        content_bytes = sum(len(chunk) for chunk in chunks)
        self._unpacked_bytes = others_bytes + content_bytes
        return VerifiedFile(data_file, entry.size_bytes, digest.hexdigest(), content_bytes)

    def read_plain(self, entry: Entry) -> None:
        for _chunk in self._counted(entry):
            pass

    def _counted(self, entry: Entry) -> Iterator[bytes]:
        for chunk in entry_chunks(self._file, entry):
            self._read_bytes += len(chunk)
            self._report(Progress(f"Verifying {entry.name}", self._read_bytes, self._total_bytes, "bytes"))
            yield chunk


def _examine(file: PackageFile, entries: Sequence[Entry]) -> Examination:
    manifest = _read_manifest(file, entries)
    sizes = {entry.name: entry.size_bytes for entry in entries}
    listed = [data_file.file_name for data_file in manifest.data_files]
    listed += [metadata_file.file_name for metadata_file in manifest.metadata_files]
    absent = [name for name in listed if name not in sizes]
    if absent:
        found = {same_file_key(name): name for name in sizes}
        faults = [_absent(name, found.get(same_file_key(name))) for name in absent]
        summary = (
            "files that manifest.xml lists are not in the zip. Add them, or correct the manifest, and pack again."
        )
        raise CorruptEnvelopeError.of_faults(summary, faults, CorruptReason.FILE_ABSENT).inside(file.package_name)
    known = {MANIFEST_NAME, *listed}
    return Examination(
        manifest=manifest,
        package_bytes=file.package_bytes,
        file_sizes_bytes=sizes,
        unlisted_files=tuple(name for name in sizes if name not in known),
    )


def _absent(name: str, similar: str | None) -> Fault:
    hint = "" if similar is None else f" The zip holds {shown(similar)}: names must be equal, letter by letter."
    return Fault(CorruptReason.FILE_ABSENT, f"{shown(name)} is not in the zip.{hint}")


def _read_manifest(file: PackageFile, entries: Sequence[Entry]) -> Manifest:
    entry = next((entry for entry in entries if entry.name == MANIFEST_NAME), None)
    if entry is None:
        raise file.corrupt(CorruptReason.NO_MANIFEST, _no_manifest_text(entries))
    if entry.size_bytes > MAX_MANIFEST_BYTES:
        raise manifest_too_large(entry.size_bytes).inside(file.package_name)
    xml = b"".join(entry_chunks(file, entry))
    try:
        return parse_manifest(xml)
    except CorruptEnvelopeError as error:
        raise error.inside(file.package_name) from error


def _no_manifest_text(entries: Sequence[Entry]) -> str:
    text = "there is no manifest.xml at the top of the zip."
    for entry in entries:
        folder, _, name = entry.name.rpartition("/")
        if name.lower() == MANIFEST_NAME:
            if folder:
                return f"{text} It lies in the folder {shown(folder)}: pack the files, not their folder."
            return f"{text} There is {shown(name)}: write its name in lower case."
    return f"{text} Add one that lists the data files; `linkwright build` writes it by itself."


def _check_checksums(file: PackageFile, verified: Sequence[VerifiedFile]) -> None:
    faults = [
        Fault(
            CorruptReason.WRONG_CHECKSUM,
            f"{shown(found.data_file.file_name)} has the SHA-256 {found.sha256}, but the manifest says "
            f"{found.data_file.sha256}.",
        )
        for found in verified
        if found.data_file.sha256 not in (None, found.sha256)
    ]
    if faults:
        summary = (
            "the content of files is not what the sender's checksums say. Have the Envelope packed and sent again."
        )
        raise CorruptEnvelopeError.of_faults(summary, faults, CorruptReason.WRONG_CHECKSUM).inside(
            file.package_name
        )
