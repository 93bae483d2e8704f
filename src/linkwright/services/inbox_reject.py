"""Moves what cannot be taken into `rejected/` below the inbox, with the reason as a text beside it.

Renames only: what is moved is never opened or followed. The reason is written first; a crash between the two
leaves a reason that the next try writes over.
"""

import os
import secrets
import stat
from pathlib import Path

from django.utils import timezone

from linkwright.errors import LinkwrightError
from linkwright.services.inbox_settings import REASON_ENDING, REJECTED
from linkwright.services.receive_envelope import shown_name
from linkwright.store.audit_log import INBOX, record_action

_LONGEST_NAME_BYTES = 255


class RejectError(LinkwrightError):
    """There is no folder to move rejected files to."""


def reject(path: Path, reason: str) -> Path:
    """Move an entry of the inbox to `rejected/`, and record it; returns where it is now.

    Args:
        path: of any kind, with any name.
        reason: full sentences: what is wrong, what to do.

    Raises:
        RejectError: if something that is not a folder stands in the way.
        OSError: if it cannot be moved; it is where it was.
    """
    folder = path.parent / REJECTED
    folder.mkdir(exist_ok=True)
    if not stat.S_ISDIR(folder.lstat().st_mode):
        raise RejectError(f"{folder} is not a folder. Rename it, so that rejected files can be put there.")
    header = f"{shown_name(path.name)} was not taken.\n"
    name = _free_name(folder, path.name, header)
    now = timezone.now()
    text = f"{header}\n{reason}\n\nThen put it into the inbox again.\nRejected {now:%Y-%m-%d %H:%M:%S} UTC\n"
    reason_path = folder / f"{name}{REASON_ENDING}"
    # what stands there under this name is ours, and never followed
    reason_path.unlink(missing_ok=True)
    descriptor = os.open(reason_path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o660)
    with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
        stream.write(text)
    path.rename(folder / name)
    record_action(INBOX, "reject file", shown_name(path.name), reason=reason, detail={"folder": str(path.parent)})
    return folder / name


def _free_name(folder: Path, name: str, header: str) -> str:
    """Return a name under which neither a file nor its reason lies there yet."""

    def is_free(candidate: str) -> bool:
        reason_path = folder / f"{candidate}{REASON_ENDING}"
        return not os.path.lexists(folder / candidate) and _is_free_or_ours(reason_path, header)

    candidate = _cut(name, REASON_ENDING)
    while not is_free(candidate):
        suffix = f"-{timezone.now():%Y%m%dT%H%M%S}-{secrets.token_hex(3)}"
        candidate = _cut(name, f"{suffix}{REASON_ENDING}") + suffix
    return candidate


def _is_free_or_ours(reason_path: Path, header: str) -> bool:
    if not os.path.lexists(reason_path):
        return True
    if not stat.S_ISREG(reason_path.lstat().st_mode):
        return False
    with reason_path.open("rb") as stream:
        return stream.read(len(header.encode())) == header.encode()


def _cut(name: str, ending: str) -> str:
    """Cut a name at its end so that it fits into a file system together with an ending."""
    return os.fsdecode(os.fsencode(name)[: _LONGEST_NAME_BYTES - len(ending)])
