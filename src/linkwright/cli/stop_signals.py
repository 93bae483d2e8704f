"""Turns the signals that ask a process to end into an event that its loops wait for."""

import signal
import threading
from types import FrameType


def set_on_signals(asked: threading.Event) -> None:
    """Set `asked` when SIGTERM or SIGINT comes. Call it from the main thread."""

    def handle(_sign: int, _frame: FrameType | None) -> None:
        # A handler runs inside whatever the main thread does, and that may be `asked.wait()`, which holds the
        # event's lock for a moment: set here, it would wait for itself, for ever. Another thread can wait.
        threading.Thread(target=asked.set, name="stop-signal", daemon=True).start()

    for sign in (signal.SIGTERM, signal.SIGINT):
        signal.signal(sign, handle)
