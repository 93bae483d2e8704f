"""Ends this process when its parent is gone: an orphan would work on, unseen, beside the next worker."""

import ctypes
import os
import signal
import sys
import threading
from multiprocessing import connection, parent_process

_POLL_S = 5.0
# from linux/prctl.h
_PR_SET_PDEATHSIG = 1
# names the worker's process id to its fork server
CREATOR_VARIABLE = "LINKWRIGHT_WORKER_PID"


def die_with_parent() -> None:
    """Kill this process's group as soon as the process that started it (through multiprocessing) has died."""
    die_with_creator()
    parent = parent_process()
    if parent is None:
        return
    sentinel = parent.sentinel

    def watch() -> None:
        # readable means that the parent's end of the pipe is closed: the kernel did it, whatever the death was
        while not connection.wait([sentinel], timeout=_POLL_S):
            pass
        os.killpg(os.getpgid(0), signal.SIGKILL)

    threading.Thread(target=watch, name="parent-watch", daemon=True).start()


def die_with_creator(creator_pid: int | None = None) -> None:
    """Let the kernel kill this process at once when the one that forked it is gone, where the kernel can do that.

    Ends this process now if it knows its creator's id, and that one is gone already.

    A job is forked by the fork server, which is forked by the worker. The thread that watches the worker needs the
    interpreter, which a long computation may hold; the kernel needs nobody. It also covers a fork server that dies
    alone: the worker then cannot tell whether its child still runs.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if creator_pid is not None and os.getppid() != creator_pid:
        os.kill(os.getpid(), signal.SIGKILL)


def die_with_pipe(descriptor: int) -> None:
    """Kill this process as soon as the other end of the pipe `descriptor` is closed."""

    def watch() -> None:
        while os.read(descriptor, 1):
            pass
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch, name="parent-watch", daemon=True).start()
