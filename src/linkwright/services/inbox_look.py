"""Looks at the inbox and remembers: which files have stopped changing, in the order of their names.

Owns the decision by name, kind and time alone; opens no file and moves none. Network shares tell nobody of
changes, so it looks again and again.
"""

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from linkwright.services.inbox_settings import REASON_ENDING, REJECTED

# what copying programs call a file that they have not finished
_UNFINISHED_ENDINGS = (".part", ".partial", ".tmp", ".temp", ".filepart", ".crdownload", ".download", "~")
_UNFINISHED_BEGINNINGS = (".", "~")
_SPECIAL_TEXTS = {
    stat.S_IFLNK: "a symbolic link, which Linkwright never follows. Put the file itself into the inbox.",
    stat.S_IFIFO: "a named pipe and not a file. Put a file into the inbox.",
    stat.S_IFSOCK: "a socket and not a file. Put a file into the inbox.",
}
_DEVICE_TEXT = "a device and not a file. Put a file into the inbox."


@dataclass(frozen=True)
class Settled:
    """An entry that has stopped changing.

    Args:
        path: where it lies; its name can be any bytes.
        unchanged_s: for how long it has been the same.
        special_text: what it is instead of a plain file, and what to do; '' for a plain file.
    """

    path: Path
    unchanged_s: float
    special_text: str


@dataclass(frozen=True)
class Look:
    """One look.

    Args:
        settled: in the order of their names, byte by byte.
        settling_count: files that are still being watched.
        subfolders_count: folders, which are not looked into.
        rejected_count: files in the folder of what was rejected.
    """

    settled: tuple[Settled, ...] = ()
    settling_count: int = 0
    subfolders_count: int = 0
    rejected_count: int = 0


# device, inode, size, mtime, kind
_Mark = tuple[int, int, int, int, int]


@dataclass
class InboxMemory:
    """What the looks so far have seen: each entry's mark, and since when it has that mark."""

    _seen: dict[str, tuple[_Mark, float]] = field(default_factory=dict)

    def look(self, folder: Path, *, settle_s: float, now_s: float) -> Look:
        """Look once.

        Args:
            folder: the inbox.
            settle_s: how long an entry must have been the same.
            now_s: of a clock that only goes forward.

        Raises:
            OSError: if the folder cannot be read. What was seen is forgotten: nobody knows what happened since.
        """
        try:
            marks, subfolders_count = _marks(folder)
            rejected_count = _rejected_count(folder)
        except OSError:
            self._seen.clear()
            raise
        seen = {}
        for name, mark in marks:
            before = self._seen.get(name)
            seen[name] = before if before and before[0] == mark else (mark, now_s)
        self._seen = seen
        settled = [
            Settled(folder / name, now_s - since_s, _special_text(mark))
            for name, (mark, since_s) in seen.items()
            if now_s - since_s >= settle_s
        ]
        settled.sort(key=lambda one: os.fsencode(one.path.name))
        return Look(
            settled=tuple(settled),
            settling_count=len(seen) - len(settled),
            subfolders_count=subfolders_count,
            rejected_count=rejected_count,
        )

    def forget(self, path: Path) -> None:
        """Forget an entry that was taken or rejected: another of this name is a new one."""
        self._seen.pop(path.name, None)


def _marks(folder: Path) -> tuple[list[tuple[str, _Mark]], int]:
    marks, subfolders_count = [], 0
    for name, status in _entries(folder):
        if stat.S_ISDIR(status.st_mode):
            subfolders_count += name != REJECTED
            continue
        kind = stat.S_IFMT(status.st_mode)
        marks.append((name, (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, kind)))
    return marks, subfolders_count


def _entries(folder: Path) -> Iterator[tuple[str, os.stat_result]]:
    with os.scandir(folder) as entries:
        for entry in entries:
            if is_unfinished_name(entry.name):
                continue
            try:
                status = entry.stat(follow_symlinks=False)
            except FileNotFoundError:
                continue
            yield entry.name, status


def is_unfinished_name(name: str) -> bool:
    """Tell whether a name says that the file is hidden or not finished: it is ignored until it is renamed."""
    return name.startswith(_UNFINISHED_BEGINNINGS) or name.lower().endswith(_UNFINISHED_ENDINGS)


def _special_text(mark: _Mark) -> str:
    kind = mark[4]
    return "" if kind == stat.S_IFREG else _SPECIAL_TEXTS.get(kind, _DEVICE_TEXT)


def _rejected_count(folder: Path) -> int:
    """Count what was rejected: the reasons do, one a file."""
    try:
        with os.scandir(folder / REJECTED) as entries:
            return sum(entry.name.endswith(REASON_ENDING) for entry in entries)
    except (FileNotFoundError, NotADirectoryError):
        return 0
