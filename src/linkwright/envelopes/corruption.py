"""Why an Envelope cannot be used, and how a person is told.

Owns the reasons of the status Corrupt and the errors of this room. It opens no file. Source: SPEC section 2,
'Corrupt'.
"""

from collections.abc import Sequence
from enum import StrEnum
from typing import NamedTuple, Self

from linkwright.errors import FaultsError, LinkwrightError

# A hostile manifest can hold a hundred thousand faults; nobody reads more than these.
NAMED_FAULTS_COUNT = 50
_SHOWN_CHARACTERS = 120
_BYTE_UNITS = ((1024**4, "TiB"), (1024**3, "GiB"), (1024**2, "MiB"), (1024, "KiB"))


class CorruptReason(StrEnum):
    """What makes an Envelope Corrupt; the value is stored and must not change."""

    NOT_A_ZIP = "not_a_zip"
    DAMAGED = "damaged"
    ENCRYPTED = "encrypted"
    NO_MANIFEST = "no_manifest"
    UNREADABLE_MANIFEST = "unreadable_manifest"
    FORBIDDEN_XML = "forbidden_xml"
    FILE_ABSENT = "file_absent"
    WRONG_COUNT = "wrong_count"
    WRONG_CHECKSUM = "wrong_checksum"
    UNSAFE_NAME = "unsafe_name"
    DUPLICATE_NAME = "duplicate_name"
    TOO_LARGE = "too_large"
    TOO_COMPRESSED = "too_compressed"
    UNSUPPORTED_COMPRESSION = "unsupported_compression"
    OVERLAPPING_ENTRIES = "overlapping_entries"


class Fault(NamedTuple):
    """One thing that is wrong: its reason, and a sentence with place, value, what is allowed, and remedy."""

    reason: CorruptReason
    text: str


class CorruptEnvelopeError(FaultsError):
    """The Envelope cannot be used as it is; trying again with the same file never helps.

    Args:
        reason: the case, for the database and for tests.
        summary: what is wrong and what to do, in full sentences.
        faults: the single places, where several were found in one go.
    """

    def __init__(self, reason: CorruptReason, summary: str, faults: Sequence[str] = ()) -> None:
        self.reason = reason
        super().__init__(summary, faults)

    @classmethod
    def of_faults(cls, summary: str, faults: Sequence[Fault], mixed: CorruptReason) -> Self:
        """Return one error for `faults` (at least one): with their reason if all share it, else with `mixed`."""
        reasons = {fault.reason for fault in faults}
        reason = reasons.pop() if len(reasons) == 1 else mixed
        texts = [fault.text for fault in faults[:NAMED_FAULTS_COUNT]]
        if len(faults) > NAMED_FAULTS_COUNT:
            texts.append(f"There are {len(faults) - NAMED_FAULTS_COUNT:,} more faults of this kind.")
        return cls(reason, summary, texts)

    def inside(self, package_name: str) -> "CorruptEnvelopeError":
        """Return the same error, its text beginning with the Envelope's file name."""
        return CorruptEnvelopeError(self.reason, f"{package_name}: {self.summary}", self.faults)


class PackageAccessError(LinkwrightError):
    """The Envelope's file is gone, or this process may not read it. Not Corrupt: it can be mended and retried."""


class SpoolError(LinkwrightError):
    """A data file could not be written to the folder for temporary files: disk full, or no right to write."""


class BuildError(FaultsError):
    """An Envelope cannot be built from what was given; every fault is named."""


def shown(text: str) -> str:
    """Return text from outside in quotes, cut to a readable length, with control characters escaped."""
    return repr(text if len(text) <= _SHOWN_CHARACTERS else text[:_SHOWN_CHARACTERS] + "…")


def bytes_text(size_bytes: int) -> str:
    """Return a size for people: '1.5 GiB (1,610,612,736 bytes)'."""
    exact = "1 byte" if size_bytes == 1 else f"{size_bytes:,} bytes"
    for unit_bytes, unit in _BYTE_UNITS:
        if size_bytes >= unit_bytes:
            return f"{size_bytes / unit_bytes:,.1f} {unit} ({exact})"
    return exact
