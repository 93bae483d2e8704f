"""Which file names an Envelope may hold: such as stay in their folder on every system, once each.

Decides about names only and opens no file. Source: SPEC section 2 ('names that leave the folder').
"""

import re
import unicodedata
from collections.abc import Iterable

from linkwright.envelopes.corruption import CorruptReason, Fault, shown

MAX_NAME_BYTES = 1024
_MAX_PART_BYTES = 255
_MAX_PARTS_COUNT = 20
_DRIVE = re.compile(r"[A-Za-z]:")
# control characters, halves of surrogate pairs, line and paragraph separators
_UNPRINTABLE_CATEGORIES = frozenset({"Cc", "Cs", "Zl", "Zp"})


def name_fault(name: str) -> str | None:
    """Return why a file of this name cannot be accepted, as the end of a sentence, or None if it can."""
    parts = name.split("/")
    checks = (
        (not name.strip(), "is empty"),
        ("\0" in name, "holds a NUL character"),
        (
            any(unicodedata.category(character) in _UNPRINTABLE_CATEGORIES for character in name),
            "holds a control character",
        ),
        ("\\" in name, "holds a backslash (folders are separated by '/')"),
        (name.startswith("/"), "is an absolute path"),
        (_DRIVE.match(name) is not None, "names a drive"),
        (".." in parts, "leaves the folder by '..'"),
        ("." in parts or "" in parts, "holds an empty part or the part '.'"),
        (len(parts) > _MAX_PARTS_COUNT, f"lies more than {_MAX_PARTS_COUNT - 1} folders deep"),
        (
            _is_too_long(name, parts),
            f"is longer than {MAX_NAME_BYTES} bytes, or a part of it than {_MAX_PART_BYTES}",
        ),
    )
    return next((reason for applies, reason in checks if applies), None)


def names_faults(names: Iterable[str], folders: Iterable[str] = ()) -> list[Fault]:
    """Name every file name that cannot be accepted, and every one that occurs twice.

    Two names are the same if they differ only in upper and lower case or in the encoding of accents, because one
    file would overwrite the other on systems that do not tell them apart. A file cannot also be a folder: neither
    one that is given in `folders` (each ending in '/'; these may occur twice), nor one that another name needs.
    """
    faults: list[Fault] = []
    files: dict[str, str] = {}
    needed_folders: dict[str, str] = {}
    for name in names:
        key = same_file_key(name)
        if (reason := name_fault(name)) is not None:
            faults.append(_unsafe(name, reason))
        elif key in files:
            faults.append(Fault(CorruptReason.DUPLICATE_NAME, _duplicate_text(files[key], name)))
        else:
            files[key] = name
            for folder in _folders_of(key):
                needed_folders.setdefault(folder, name)
    for folder in folders:
        if (reason := name_fault(folder.removesuffix("/"))) is not None:
            faults.append(_unsafe(folder, reason))
        else:
            needed_folders.setdefault(same_file_key(folder.removesuffix("/")), folder)
    faults += [_both(files[key], name) for key, name in needed_folders.items() if key in files]
    return faults


def _unsafe(name: str, reason: str) -> Fault:
    text = f"The file name {shown(name)} {reason}. Rename the file, and pack the Envelope again."
    return Fault(CorruptReason.UNSAFE_NAME, text)


def _both(file: str, name: str) -> Fault:
    if name.endswith("/"):
        text = f"{shown(file)} is a file, and there is also the folder {shown(name)}."
    else:
        text = f"{shown(file)} is a file and also the folder of {shown(name)}."
    return Fault(CorruptReason.DUPLICATE_NAME, f"{text} Rename one of them, and pack the Envelope again.")


def _duplicate_text(earlier: str, name: str) -> str:
    if earlier == name:
        return (
            f"The file name {shown(name)} occurs twice. Give each file its own name, and pack the Envelope again."
        )
    return (
        f"The file names {shown(earlier)} and {shown(name)} differ only in case or accents. "
        "Rename one of them, and pack the Envelope again."
    )


def same_file_key(name: str) -> str:
    """Return what two names share if they could mean the same file: case and the encoding of accents dropped."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())


def _folders_of(name: str) -> Iterable[str]:
    """Yield the folders above a name: 'a' and 'a/b' for 'a/b/c'."""
    parts = name.split("/")[:-1]
    return ("/".join(parts[: index + 1]) for index in range(len(parts)))


def _is_too_long(name: str, parts: list[str]) -> bool:
    longest_part_bytes = max(len(part.encode("utf-8", "replace")) for part in parts)
    return len(name.encode("utf-8", "replace")) > MAX_NAME_BYTES or longest_part_bytes > _MAX_PART_BYTES
