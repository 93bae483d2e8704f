"""The worker's lock: exactly one process in the whole system runs jobs, and it knows that it does.

On SQLite an flock in the data folder, on PostgreSQL a session's advisory lock on a connection of its own. Both
are let go by the operating system or the database the moment the process dies, in whatever way.
"""

import fcntl
import os
from pathlib import Path
from typing import IO, Protocol

from django.db import DatabaseError, connection
from django.db.backends.base.base import BaseDatabaseWrapper

from linkwright.errors import LinkwrightError

# any constant serves; this one spells 'linkwrig' in ASCII
ADVISORY_LOCK_KEY = int.from_bytes(b"linkwrig", "big", signed=True)


class LockError(LinkwrightError):
    """The lock's file cannot be opened."""


class WorkerLock(Protocol):
    """Held by one process at a time, for its life."""

    def try_acquire(self) -> bool:
        """Take the lock if it is free."""

    def is_held(self) -> bool:
        """Tell whether this process still holds it: a lost database connection loses it."""

    def release(self) -> None:
        """Let it go."""


class FileLock:
    """An flock on a file; the file holds the pid of its holder, for people to read."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._stream: IO[str] | None = None

    def try_acquire(self) -> bool:
        """Take the lock if it is free.

        Raises:
            LockError: if the file cannot be opened.
        """
        try:
            stream = self._path.open("a+")
        except OSError as error:
            raise LockError(
                f"The worker's lock {self._path} cannot be opened ({error.strerror}). "
                "Give the user that runs Linkwright the right to write there."
            ) from error
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            stream.close()
            return False
        self._stream = stream
        if not self.is_held():
            self.release()
            return False
        stream.truncate(0)
        stream.write(str(os.getpid()))
        stream.flush()
        return True

    def is_held(self) -> bool:
        """Tell whether this process holds the lock: a file that was deleted or replaced locks nobody out."""
        if self._stream is None:
            return False
        try:
            return os.path.samestat(os.fstat(self._stream.fileno()), self._path.stat())
        except OSError:
            return False

    def release(self) -> None:
        """Let the lock go."""
        if self._stream is not None:
            self._stream.close()
            self._stream = None


class AdvisoryLock:
    """A PostgreSQL advisory lock on its own connection: it lives and dies with that session."""

    def __init__(self) -> None:
        # kept from one try to the next: a standby tries ten times a second
        self._connection: BaseDatabaseWrapper | None = None
        self._held = False

    def try_acquire(self) -> bool:
        """Take the lock if it is free.

        Raises:
            DatabaseError: if the database cannot be asked.
        """
        if self._held:
            return True
        if self._connection is None:
            self._connection = connection.copy()
        try:
            with self._connection.cursor() as cursor:
                cursor.execute("SELECT pg_try_advisory_lock(%s)", [ADVISORY_LOCK_KEY])
                row = cursor.fetchone()
        except DatabaseError:
            self.release()
            raise
        self._held = row is not None and bool(row[0])
        return self._held

    def is_held(self) -> bool:
        """Ask the session that holds the lock; when it is gone, so is the lock."""
        if self._connection is None or not self._held:
            return False
        try:
            with self._connection.cursor() as cursor:
                cursor.execute("SELECT 1")
        except DatabaseError:
            self.release()
            return False
        return True

    def release(self) -> None:
        """Let the lock go by closing its session."""
        self._held = False
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def worker_lock(lock_file: Path) -> WorkerLock:
    """Return the lock that fits the database in use."""
    return AdvisoryLock() if connection.vendor == "postgresql" else FileLock(lock_file)
