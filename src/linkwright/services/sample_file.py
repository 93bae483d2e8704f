"""Keeps the beginning of a sample file while an Import Format is described by it, for the one person who chose it.

It lies among the files that wait (waiting_data_file.py), to go with these after a day: it holds personal data. Of
text no more than the first MiB is read and kept, unpacked.
"""

import json
import re
import secrets
import shutil
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from linkwright.config import ServerConfig
from linkwright.engine.sample_text import is_parquet_sample
from linkwright.envelopes.gunzip import GZIP_MAGIC, BrokenGzipError, gunzip
from linkwright.errors import LinkwrightError
from linkwright.services.waiting_data_file import sweep_waiting
from linkwright.store.models import User

SAMPLE_BYTES = 1024 * 1024
# its columns stand at its end, so that it is read whole
PARQUET_SAMPLE_BYTES = 32 * 1024 * 1024
_ID = re.compile(r"[0-9a-f]{32}")
_ABOUT = "sample.json"
_PIECE_BYTES = 64 * 1024


class SampleRefusedError(LinkwrightError):
    """A sample cannot be used, or does not wait any more."""


@dataclass(frozen=True)
class Sample:
    """A sample that waits.

    Args:
        id: names it in the form.
        path: of what was kept.
        file_name: as it was called.
        is_parquet: whether it is Parquet, kept whole.
        is_cut: whether the file goes on behind what was kept.
    """

    id: str
    path: Path
    file_name: str
    is_parquet: bool
    is_cut: bool

    def read(self) -> bytes:
        """Return what was kept."""
        return self.path.read_bytes()


@dataclass(frozen=True)
class _About:
    user_id: int
    file_name: str
    is_parquet: bool
    is_cut: bool


def keep_sample(source: Path, file_name: str, config: ServerConfig, user: User) -> Sample:
    """Keep the beginning of a file.

    Raises:
        SampleRefusedError: if it is a damaged gzip, or too large a Parquet file.
        OSError: if there is no room for it.
    """
    content, is_cut = _beginning(source)
    is_parquet = is_parquet_sample(content)
    sweep_waiting(config)
    sample_id = secrets.token_hex(16)
    folder = config.waiting_folder / sample_id
    folder.mkdir(mode=0o700, parents=True)
    about = _About(user.pk, file_name[:255], is_parquet, is_cut and not is_parquet)
    try:
        (folder / "lock").touch(mode=0o600)
        if is_parquet:
            shutil.copyfile(source, folder / "data")
        else:
            (folder / "data").write_bytes(content)
        (folder / _ABOUT).write_text(json.dumps(asdict(about)))
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return _sample(folder, about)


def find_sample(sample_id: str, config: ServerConfig, user: User) -> Sample:
    """Return a sample of a person.

    Raises:
        SampleRefusedError: if it is not there, or somebody else's.
    """
    gone = SampleRefusedError("The sample does not wait any more: it is kept for a day. Choose the file again.")
    if not _ID.fullmatch(sample_id):
        raise gone
    folder = config.waiting_folder / sample_id
    try:
        about = _About(**json.loads((folder / _ABOUT).read_text()))
    except FileNotFoundError as error:
        raise gone from error
    if about.user_id != user.pk:
        raise gone
    return _sample(folder, about)


def drop_sample(sample: Sample) -> None:
    """Delete a sample."""
    shutil.rmtree(sample.path.parent, ignore_errors=True)


def _sample(folder: Path, about: _About) -> Sample:
    return Sample(folder.name, folder / "data", about.file_name, about.is_parquet, about.is_cut)


def _beginning(source: Path) -> tuple[bytes, bool]:
    """Return the first bytes, unpacked, and whether there are more."""
    with source.open("rb") as stream:
        first = stream.read(SAMPLE_BYTES)
    if is_parquet_sample(first) and source.stat().st_size > PARQUET_SAMPLE_BYTES:
        raise SampleRefusedError(
            f"A Parquet sample may have {PARQUET_SAMPLE_BYTES // 1024 // 1024} MiB at most: it is read whole. "
            "Write its first thousand rows to a file of their own, and choose that."
        )
    if not first.startswith(GZIP_MAGIC):
        is_cut = len(first) == SAMPLE_BYTES
        return (_whole_lines(first) if is_cut else first), is_cut
    unpacked, is_cut = bytearray(), False
    try:
        for piece in gunzip(_pieces(source)):
            unpacked += piece
            if len(unpacked) >= SAMPLE_BYTES:
                is_cut = True
                break
    except BrokenGzipError as error:
        # a browser sends the beginning alone, so that the packing ends early
        if not unpacked or len(first) < SAMPLE_BYTES:
            raise SampleRefusedError(f"The gzip packing is damaged ({error}). Choose another file.") from error
        is_cut = True
    content = bytes(unpacked[:SAMPLE_BYTES])
    return (_whole_lines(content) if is_cut else content), is_cut


def _whole_lines(content: bytes) -> bytes:
    """Drop the line that was cut; a text of one long line stays as it is."""
    if is_parquet_sample(content):
        return content
    end = max(content.rfind(b"\n"), content.rfind(b"\r", 0, -2)) + 1
    # the second byte of a line end in utf-16
    is_two_bytes = content[end : end + 1] == b"\0" and content[end - 2 : end - 1] != b"\0"
    return content[: end + is_two_bytes] or content


def _pieces(source: Path) -> Iterator[bytes]:
    with source.open("rb") as stream:
        while piece := stream.read(_PIECE_BYTES):
            yield piece
