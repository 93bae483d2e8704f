"""Runs something in a thread of the worker, beside the jobs, for as long as a block of the worker's own lasts."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def running_beside(name: str, work: Callable[[threading.Event], None], *, ends_within_s: float) -> Iterator[None]:
    """Do some work until the block ends.

    Args:
        name: of the thread.
        work: is given what tells it to stop; it looks there often.
        ends_within_s: how long it is waited for. A thread that hangs for longer keeps no worker from ending.
    """
    stop = threading.Event()
    thread = threading.Thread(target=work, args=(stop,), name=name, daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(ends_within_s)
