"""Marks the identifying values inside a text, so that the same text can be told with and without them.

Whoever writes a message marks the values of persons that it names; whoever stores it takes it apart, so that what
is read by everybody is the text without them. The marks are two characters that Unicode sets aside for a
program's own use and that are never part of a text (noncharacters). Source: SPEC section 6, 'see identifying
values'.
"""

import re
from dataclasses import dataclass

_BEGIN, _END = "\ufdd0", "\ufdd1"
HIDDEN = "[hidden]"
# a mark whose end was cut off hides the rest
_MARKED = re.compile(f"{_BEGIN}[^{_END}]*(?:{_END}|$)")
_MARKS = str.maketrans("", "", _BEGIN + _END)


@dataclass(frozen=True)
class Told:
    """A text for everybody, and the same with its identifying values; the latter is empty if it names none."""

    text: str
    with_values: str


def identifying(value: str) -> str:
    """Mark a value; marks inside it, which could end it too early, are taken out."""
    return f"{_BEGIN}{value.translate(_MARKS)}{_END}"


def concealed(text: str) -> str:
    """Return a text with `[hidden]` in the place of each marked value."""
    return _MARKED.sub(HIDDEN, text).translate(_MARKS)


def revealed(text: str) -> str:
    """Return a text with its values and without the marks."""
    return text.translate(_MARKS)


def take_apart(text: str) -> Told:
    """Return both readings of a text."""
    return Told(concealed(text), revealed(text) if _BEGIN in text else "")
