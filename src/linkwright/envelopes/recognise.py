"""Tells what a file from outside is, before anybody asks whether it is right: an Envelope, unfinished, or foreign.

An Envelope is a zip whose directory lists a manifest.xml, whatever else is wrong with it: somebody meant it for
Linkwright, so it is registered, if need be as Corrupt, and operators see it. Reads the directory only.
Source: SPEC section 2 (Ways in: the inbox folder).
"""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from linkwright.envelopes.corruption import CorruptEnvelopeError, CorruptReason, PackageAccessError
from linkwright.envelopes.directory import read_names
from linkwright.envelopes.manifest import MANIFEST_NAME
from linkwright.envelopes.package_file import PackageFile

# a file system that reserves a file's whole length before its content comes shows zeros
_HEAD_BYTES = 4


class Kind(StrEnum):
    """What a file is."""

    ENVELOPE = "an Envelope"
    # may become one: cut short, empty, or not to be read yet
    UNFINISHED = "unfinished"
    FOREIGN = "no Envelope"


@dataclass(frozen=True)
class Recognition:
    """What a file is, and in a full sentence why and what to do, unless it is an Envelope."""

    kind: Kind
    text: str = ""


def recognise(path: Path) -> Recognition:
    """Look at a plain file's head and directory: milliseconds, whatever its size."""
    try:
        with PackageFile(path) as file:
            if not any(file.read_at(0, _HEAD_BYTES)):
                size = "empty" if file.package_bytes == 0 else "filled with zeros at its beginning"
                return Recognition(
                    Kind.UNFINISHED, f"The file is {size}: it was not copied to its end. Copy it again."
                )
            names = read_names(file)
    except PackageAccessError as error:
        return Recognition(Kind.UNFINISHED, str(error))
    except CorruptEnvelopeError as error:
        is_zip = error.reason is not CorruptReason.NOT_A_ZIP
        return Recognition(Kind.UNFINISHED if is_zip else Kind.FOREIGN, str(error))
    if MANIFEST_NAME in names:
        return Recognition(Kind.ENVELOPE)
    return Recognition(
        Kind.FOREIGN,
        "The zip holds no manifest.xml at its top, so it is no Envelope. If its files are data, pack them with "
        "`linkwright build`, or submit them on the project's page.",
    )
