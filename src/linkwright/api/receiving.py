"""Brings the file of a request to disk, in bounded memory: the body itself, or the one file of a form.

Knows nothing of Envelopes. What arrived short, too long or with another checksum is deleted and refused.
"""

import hashlib
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from django.core.files.uploadedfile import TemporaryUploadedFile
from django.http import HttpRequest, UnreadablePostError
from ninja.errors import HttpError

from linkwright.config import load_config
from linkwright.jobs.context import package_limits
from linkwright.services.kept_file import PIECE_BYTES

CHECKSUM_HEADER = "Content-SHA256"
FORM_FIELD = "file"
# what a form adds to its file
_FORM_BYTES = 1024 * 1024
_SHA256 = re.compile(r"[0-9a-fA-F]{64}")


@dataclass(frozen=True)
class ReceivedFile:
    """A file on disk, for as long as the request lasts.

    Args:
        path: where it is.
        sent_name: what the sender calls it, or ''.
        may_be_moved: whether it may be moved away, instead of copied.
    """

    path: Path
    sent_name: str
    may_be_moved: bool


@contextmanager
def received_file(request: HttpRequest) -> Iterator[ReceivedFile]:
    """Receive the request's file; it is gone when the block ends, unless it was moved away.

    Raises:
        HttpError: 400 if it broke off or is not what its checksum says, 411 without a length, 413 if it is too
            long, 415 for a form of another kind, 422 for a form without a file, 507 if the disk is full.
    """
    wanted = _wanted_checksum(request)
    _check_length(request)
    if (request.content_type or "").startswith("multipart/"):
        file = _file_of_form(request)
        path = Path(file.temporary_file_path())
        _check_sum(wanted, _sha256_of(path) if wanted else "")
        yield ReceivedFile(path, file.name or "", may_be_moved=False)
        return
    scratch = load_config().scratch_folder
    try:
        scratch.mkdir(mode=0o700, parents=True, exist_ok=True)
        with TemporaryDirectory(prefix="upload-", dir=scratch) as folder:
            path = Path(folder) / "body"
            _check_sum(wanted, _store_body(request, path))
            yield ReceivedFile(path, "", may_be_moved=True)
    except UnreadablePostError as error:
        raise _broken_off(request, 0) from error


def _wanted_checksum(request: HttpRequest) -> str:
    text = request.headers.get(CHECKSUM_HEADER, "")
    if text and not _SHA256.fullmatch(text):
        raise HttpError(422, f"The header {CHECKSUM_HEADER} is {text[:80]!r}; allowed are 64 hexadecimal digits.")
    return text.lower()


def _check_length(request: HttpRequest) -> None:
    length = _content_length(request)
    if length is None:
        raise HttpError(411, "Send the header Content-Length: a body in chunks of unknown length is not taken.")
    largest = package_limits().max_size_bytes
    if length > largest + _FORM_BYTES:
        raise HttpError(
            413,
            f"The body has {length:,} bytes; at most {largest:,} are allowed (the Setting Envelope.MaxSizeMiB). "
            "Split the data, or have the Setting raised.",
        )


def _content_length(request: HttpRequest) -> int | None:
    text = request.META.get("CONTENT_LENGTH", "")
    return int(text) if re.fullmatch(r"[0-9]{1,18}", str(text)) else None


def _store_body(request: HttpRequest, path: Path) -> str:
    """Write the body to a file, piece by piece; returns its SHA-256."""
    digest, size_bytes = hashlib.sha256(), 0
    try:
        with path.open("xb") as writing:
            while piece := request.read(PIECE_BYTES):
                digest.update(piece)
                size_bytes += len(piece)
                writing.write(piece)
    except UnreadablePostError:
        raise
    except OSError as error:
        raise HttpError(
            507,
            f"The upload could not be stored: {error.strerror}. Have room made, and send it again.",
        ) from error
    if size_bytes != _content_length(request):
        raise _broken_off(request, size_bytes)
    return digest.hexdigest()


def _broken_off(request: HttpRequest, size_bytes: int) -> HttpError:
    announced = _content_length(request)
    return HttpError(
        400, f"The upload broke off: {announced} bytes were announced, {size_bytes} came. Send it again."
    )


def _file_of_form(request: HttpRequest) -> TemporaryUploadedFile:
    files = list(request.FILES.getlist(FORM_FIELD))
    if request.content_type != "multipart/form-data":
        raise HttpError(
            415, f"{request.content_type} is not taken; send multipart/form-data, or the file as the body."
        )
    if len(files) != 1 or not isinstance(files[0], TemporaryUploadedFile):
        raise HttpError(422, f"A form must hold one file that is not empty, in the field {FORM_FIELD!r}.")
    return files[0]


def _check_sum(wanted: str, found: str) -> None:
    if wanted and wanted != found:
        raise HttpError(
            400, f"The file has the SHA-256 {found}, but {CHECKSUM_HEADER} says {wanted}. Send it again."
        )


def _sha256_of(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
