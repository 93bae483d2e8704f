"""Owns the clock of a run: how many seconds each of its named stages took.

Must not know what the stages do.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic


class StageClock:
    """Adds up the seconds that are spent in each stage; a stage can be entered many times."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Add the time spent inside to the stage's seconds, also if an error ends it."""
        started = monotonic()
        try:
            yield
        finally:
            self.seconds[name] = self.seconds.get(name, 0.0) + monotonic() - started
