"""Messages that outlive a redirect: kept in the session until the next page shows them."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from django.http import HttpRequest

_SESSION_KEY = "flashes"


@dataclass(frozen=True)
class Flash:
    """One message: what happened, and details below it. `level` is 'success' or 'error'."""

    level: str
    text: str
    details: tuple[str, ...] = ()


def add_flash(request: HttpRequest, level: str, text: str, details: Sequence[str] = ()) -> None:
    """Keep a message for the next page."""
    kept: list[dict[str, Any]] = request.session.get(_SESSION_KEY, [])
    request.session[_SESSION_KEY] = [*kept, asdict(Flash(level, text, tuple(details)))]


def take_flashes(request: HttpRequest) -> list[Flash]:
    """Return the kept messages, once."""
    if _SESSION_KEY not in request.session:
        return []
    kept = request.session.pop(_SESSION_KEY)
    return [Flash(item["level"], item["text"], tuple(item["details"])) for item in kept]
