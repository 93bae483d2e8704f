"""Faults that are put in a job's way, and taken out of it again."""

import errno
import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from django.db import OperationalError, connection

from linkwright.worker import child


@dataclass(frozen=True)
class Fault:
    """One fault, and the words in which an operator must be told of it and of the remedy."""

    name: str
    told: tuple[str, ...]
    remedy: tuple[str, ...] = ("retry",)


@contextmanager
def full_disk(disk: Path) -> Iterator[None]:
    """Leave no byte on a small disk."""
    ballast = disk / "ballast"
    with ballast.open("wb", buffering=0) as stream:
        try:
            while True:
                stream.write(bytes(4096))
        except OSError as error:
            assert error.errno == errno.ENOSPC  # noqa: PT017 - it is how the loop ends
    try:
        yield
    finally:
        ballast.unlink()


@contextmanager
def vanished(path: Path) -> Iterator[None]:
    """Let a file not be there for a while."""
    elsewhere = path.parent.parent / f"{path.name}.elsewhere"
    shutil.move(path, elsewhere)
    try:
        yield
    finally:
        shutil.move(elsewhere, path)


@contextmanager
def changed(path: Path, change: Callable[[bytes], bytes]) -> Iterator[None]:
    """Let a file hold something else for a while."""
    content = path.read_bytes()
    path.write_bytes(change(content))
    try:
        yield
    finally:
        path.write_bytes(content)


def cut(content: bytes) -> bytes:
    """Return the first half: a copy that was broken off."""
    return content[: len(content) // 2]


def overwritten(content: bytes) -> bytes:
    """Return the content with its middle lost, as a bad block leaves it: the size is right."""
    third = len(content) // 3
    return content[:third] + os.urandom(third) + content[2 * third :]


@contextmanager
def locked_database() -> Iterator[None]:
    """Let another program hold the writer's place for longer than anybody waits."""
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA busy_timeout = 50")
    other = sqlite3.connect(str(connection.settings_dict["NAME"]), isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        other.rollback()
        other.close()
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA busy_timeout = 30000")


@contextmanager
def refused_commit() -> Iterator[None]:
    """Let the database fail in the moment of the commit, and be there again at once."""

    def refuse(*_job: object, **_result: object) -> None:
        raise OperationalError("server closed the connection unexpectedly")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(child, "complete_job", refuse)
        yield


class KilledError(BaseException):
    """Ends a job at once, as a signal does: nobody in the job catches it."""


@contextmanager
def killed() -> Iterator[None]:
    """Kill the job when its work is done, just before it is committed."""

    def die(*_job: object, **_result: object) -> None:
        raise KilledError

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(child, "complete_job", die)
        # a process that is killed cleans nothing up
        patch.setattr(shutil, "rmtree", lambda *_folder, **_how: None)
        yield
