"""What a long computation tells about itself while it runs.

Computations report; what becomes of a report (a row, a bar, nothing) is the caller's affair.
"""

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class Progress:
    """One report: the stage by its name, and how far it is.

    `done` and `total` count `unit`; total is None while the length is unknown.
    """

    stage: str
    done: int = 0
    total: int | None = None
    unit: str = "rows"


class ReportProgress(Protocol):
    """Takes a report. May be called often: the receiver thins out."""

    def __call__(self, progress: Progress, /) -> None: ...


def silent(_progress: Progress, /) -> None:
    """Drop every report, for callers that want none."""
