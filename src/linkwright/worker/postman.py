"""Sends mails beside the jobs, in a thread of the active worker: a slow mail server holds nothing up.

Nothing that goes wrong here ends the worker or fails a job.
"""

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from django.db import DatabaseError, InterfaceError, connections
from django.utils import timezone

from linkwright.services.deliver_mail import deliver_due, forget_old_mail, has_due_mail
from linkwright.worker.beside import running_beside

logger = logging.getLogger(__name__)

LOOK_EVERY_S = 1.0
FORGET_EVERY_S = 3600.0
# a mail under way is waited for so long; one that is cut off is sent again later
ENDS_WITHIN_S = 2.0


@contextmanager
def posting() -> Iterator[None]:
    """Send what is due, until the block ends."""
    with running_beside("postman", _work, ends_within_s=ENDS_WITHIN_S):
        yield


def send_the_rest() -> None:
    """Send what is due now: for a worker that ends because nothing is left to do."""
    _look(threading.Event())


def _work(stop: threading.Event) -> None:
    looks_count = 0
    while not stop.wait(LOOK_EVERY_S):
        if looks_count % int(FORGET_EVERY_S / LOOK_EVERY_S) == 0:
            _guarded(lambda: forget_old_mail(timezone.now()))
        _look(stop)
        looks_count += 1
    connections.close_all()


def _look(stop: threading.Event) -> None:
    def deliver() -> None:
        now = timezone.now()
        if has_due_mail(now):
            deliver_due(now, stop.is_set)

    _guarded(deliver)


def _guarded(act: Callable[[], object]) -> None:
    try:
        act()
    except (DatabaseError, InterfaceError) as error:
        # the worker's own loop says so, and waits for it
        logger.warning("mails wait: the database cannot be used: %s", str(error).strip())
        connections.close_all()
    except Exception:
        logger.exception("mails wait: an error that nobody foresaw")
