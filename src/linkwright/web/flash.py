"""Messages that outlive a redirect: kept in the session until the next page shows them."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from django.http import HttpRequest

_SESSION_KEY = "flashes"


@dataclass(frozen=True)
class Flash:
    """One message: what happened, details below it, and where to go on. `level` is 'success' or 'error'."""

    level: str
    text: str
    details: tuple[str, ...] = ()
    next_url: str = ""
    next_text: str = ""


def add_flash(
    request: HttpRequest,
    level: str,
    text: str,
    details: Sequence[str] = (),
    *,
    leads_to: tuple[str, str] = ("", ""),
) -> None:
    """Keep a message for the next page; `leads_to`: the address and the words of a link beside it."""
    kept: list[dict[str, Any]] = request.session.get(_SESSION_KEY, [])
    request.session[_SESSION_KEY] = [*kept, asdict(Flash(level, text, tuple(details), *leads_to))]


def take_flashes(request: HttpRequest) -> list[Flash]:
    """Return the kept messages, once."""
    if _SESSION_KEY not in request.session:
        return []
    kept = request.session.pop(_SESSION_KEY)
    return [Flash(**{**item, "details": tuple(item["details"])}) for item in kept]
