"""The data files of an Envelope that lists records instead of holding them: lines of text, one record each."""

from collections.abc import Iterator
from pathlib import Path

from linkwright.envelopes.limits import PackageLimits
from linkwright.envelopes.manifest import DataFile, FileFormat
from linkwright.envelopes.package import examine_package
from linkwright.envelopes.reader import open_data_file
from linkwright.jobs.context import JobContext, JobError

Lines = Iterator[tuple[int, str]]


def read_lines(context: JobContext, limits: PackageLimits) -> Iterator[tuple[DataFile, Lines]]:
    """Return the lines of each data file, numbered from 1, without those that are empty, blanks at both ends cut.

    Raises:
        JobError: if a file is not text in UTF-8.
    """
    yield from lines_of(context.envelope_path, limits)


def lines_of(envelope_path: Path, limits: PackageLimits) -> Iterator[tuple[DataFile, Lines]]:
    """As `read_lines`, of a received Envelope wherever it lies."""
    manifest = examine_package(envelope_path, limits).manifest
    for data_file in manifest.data_files:
        if data_file.file_format is not FileFormat.FLAT_FILE:
            raise JobError(
                f"{data_file.file_name} is declared as {data_file.file_format.value}; a list of records is a text "
                "file (FlatFile) with one record a line. Send it so."
            )
        yield data_file, _lines(envelope_path, data_file, limits)


def _lines(envelope_path: Path, data_file: DataFile, limits: PackageLimits) -> Lines:
    with open_data_file(envelope_path, data_file.file_name, limits) as stream:
        for number, raw in enumerate(stream, start=1):
            try:
                line = raw.decode("utf-8-sig" if number == 1 else "utf-8").strip()
            except UnicodeDecodeError as error:
                raise JobError(
                    f"{data_file.file_name}, line {number}: no text in UTF-8. Save it as UTF-8 and send it again."
                ) from error
            if line:
                yield number, line
