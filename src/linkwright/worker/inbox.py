"""The thread that watches the inbox while this process holds the worker's lock.

It has a database connection of its own, waits for a database that is gone, and never brings the worker down.
Beside the worker's lock it holds one of its own for as long as it lives: a thread that hangs on a dead network
share, in a worker that has lost its lock, can never work beside the next one.
"""

import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

from django.db import DatabaseError, InterfaceError, connections

from linkwright.config import ServerConfig
from linkwright.queue.lock import FileLock
from linkwright.services.inbox_settings import read_inbox_settings
from linkwright.services.watch_inbox import InboxWatch
from linkwright.worker.beside import running_beside

logger = logging.getLogger(__name__)

# how soon a changed setting is noticed
TICK_S = 1.0
ENDS_WITHIN_S = 5.0


class _EndedError(Exception):
    """The worker stops, or the lock is lost: whatever is half done is finished by the next watch."""


@contextmanager
def watching_inbox(config: ServerConfig) -> Iterator[None]:
    """Watch the inbox in a thread while the block runs."""
    with running_beside("inbox", partial(_watch, config), ends_within_s=ENDS_WITHIN_S):
        yield


def _watch(config: ServerConfig, stop: threading.Event) -> None:
    lock = FileLock(config.inbox_lock_file)

    def go_on() -> None:
        if stop.is_set() or not lock.is_held():
            raise _EndedError

    watch = InboxWatch(config, go_on)
    looked_s = 0.0
    try:
        while not stop.is_set():
            try:
                looked_s = _tick(config, lock, watch, looked_s)
            except _EndedError:
                continue
            except (DatabaseError, InterfaceError) as error:
                logger.warning("inbox: the database cannot be used: %s; trying again", str(error).strip())
                connections.close_all()
            except Exception:
                # a fault that nobody foresaw must not end the watch for good, nor the worker
                logger.exception("inbox: the look failed in a way that nobody foresaw; trying again")
            stop.wait(TICK_S)
    finally:
        lock.release()
        connections.close_all()


def _tick(config: ServerConfig, lock: FileLock, watch: InboxWatch, looked_s: float) -> float:
    """Look, if it is time; returns when the last look was."""
    if not lock.is_held() and not lock.try_acquire():
        return looked_s
    settings, now_s = read_inbox_settings(config), time.monotonic()
    if looked_s and now_s - looked_s < settings.poll_s:
        return looked_s
    watch.look(settings, now_s)
    return now_s
