"""What is read only once while one answer is prepared: who somebody is, what they may do, which lists they see.

A page asks again and again what its reader may see, and between two of these questions nothing that it shows could
have changed by itself. So whoever answers a question that changes nothing opens `one_look`; inside, `once` keeps
the first answer. Everywhere else, and in all that changes something, everything is read anew each time. Holds
nothing across two answers, and nothing across threads.
"""

from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, TypeVar

_Answer = TypeVar("_Answer")
_LOOK: ContextVar[dict[Hashable, Any] | None] = ContextVar("one_look", default=None)


@contextmanager
def one_look() -> Iterator[None]:
    """Keep what `once` reads until the end of the block; a look inside a look is one of its own."""
    token = _LOOK.set({})
    try:
        yield
    finally:
        _LOOK.reset(token)


def is_looking() -> bool:
    """Tell whether answers are kept at this moment."""
    return _LOOK.get() is not None


def once(key: Hashable, read: Callable[[], _Answer]) -> _Answer:
    """Return what was read under this key during this look, or read it; outside of a look it is read."""
    kept = _LOOK.get()
    if kept is None:
        return read()
    if key not in kept:
        kept[key] = read()
    answer: _Answer = kept[key]
    return answer
