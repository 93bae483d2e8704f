"""The root of every error that Linkwright raises on purpose.

An error message says what is wrong, with which value, what is allowed, and the remedy. Each room defines its
own errors below these; nothing here knows of a room.
"""

from collections.abc import Sequence


class LinkwrightError(Exception):
    """Something is wrong that a person can understand and mend; the text is shown as it stands."""


class FaultsError(LinkwrightError):
    """Several faults found in one go, so that they can be mended in one go.

    Args:
        summary: one line that says what was refused.
        faults: one full sentence each: place, value, what is allowed, remedy.
    """

    def __init__(self, summary: str, faults: Sequence[str]) -> None:
        self.summary = summary
        self.faults = tuple(faults)
        super().__init__("\n".join([summary, *(f"- {fault}" for fault in self.faults)]))


class ConfigurationError(FaultsError):
    """A project file, match configuration or Import Format is refused; every fault is named."""
