"""Runs other commands of Linkwright beside this one: started again when they die, ended when this one ends.

Each has a session of its own, so that a Ctrl-C in the terminal reaches this process alone, which ends the others
in good order; and each holds the reading end of a pipe that closes when this process dies, however it dies.
"""

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import typer

from linkwright.cli.stop_signals import set_on_signals

LOOK_EVERY_S = 0.2
RESTART_AFTER_S = 1.0
END_WITHIN_S = 8.0
EXIT_REFUSED = 2


@dataclass
class Companion:
    """One command beside this one.

    Args:
        arguments: of `linkwright`, without the hidden option --parent-pipe, which every companion takes.
        quiet: drop what it says; its errors are still shown.
        over: set when it is to end, and when it has refused to start.
    """

    arguments: list[str]
    quiet: bool
    over: threading.Event = field(default_factory=threading.Event)

    def keep(self) -> None:
        """Run the command until `over` is set; start it again when it dies."""
        reading, writing = os.pipe()
        while not self.over.is_set():
            process = self._start(reading)
            while process.poll() is None and not self.over.wait(LOOK_EVERY_S):
                pass
            if process.poll() is None:
                _end(process)
            elif process.returncode == EXIT_REFUSED:
                self.over.set()
            elif not self.over.is_set():
                name, code = self.arguments[0], process.returncode
                typer.echo(f"`linkwright {name}` ended with exit code {code}; starting it again.", err=True)
                self.over.wait(RESTART_AFTER_S)
        os.close(writing)
        os.close(reading)

    def _start(self, pipe: int) -> "subprocess.Popen[bytes]":
        return subprocess.Popen(
            [sys.executable, "-m", "linkwright", *self.arguments, "--parent-pipe", str(pipe)],
            pass_fds=[pipe],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL if self.quiet else None,
            start_new_session=True,
        )


def _end(process: "subprocess.Popen[bytes]") -> None:
    process.terminate()
    try:
        process.wait(timeout=END_WITHIN_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


@contextmanager
def beside(*arguments: str, quiet: bool = False) -> Iterator[Companion]:
    """Run `linkwright` with these arguments while the block runs."""
    companion = Companion(list(arguments), quiet)
    keeper = threading.Thread(target=companion.keep, name=f"keeper of {arguments[0]}", daemon=True)
    keeper.start()
    try:
        yield companion
    finally:
        companion.over.set()
        keeper.join(timeout=END_WITHIN_S + RESTART_AFTER_S)


def wait_for_signal(*companions: Companion) -> None:
    """Wait until somebody asks this process to end, or a companion has refused to start."""
    asked = threading.Event()
    set_on_signals(asked)
    while not asked.wait(LOOK_EVERY_S) and not any(companion.over.is_set() for companion in companions):
        pass
