"""Where the target of an entry of the audit log leads to."""

import re
from dataclasses import dataclass

from django.urls import reverse

_TARGET = re.compile(r"(Envelope|Job) (\d{1,18}) \((.*)\)", re.DOTALL)


@dataclass(frozen=True)
class Target:
    """What an action was done to, as it is shown; `url` is '' if it leads nowhere."""

    text: str
    url: str


def target_of(text: str) -> Target:
    """Return the Envelope or the job of a target with its page, or the text as it stands."""
    found = _TARGET.fullmatch(text)
    if found is None:
        return Target(text, "")
    kind, key, name = found.groups()
    if kind == "Envelope":
        return Target(name, reverse("envelope-jobs", args=[int(key)]))
    return Target(f"Job {key} ({name})", reverse("job-statistics", args=[int(key)]))
