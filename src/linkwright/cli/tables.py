"""How commands show data on a terminal or to another program: as it is, and never as a command to the terminal."""

import sys

from rich.console import Console
from rich.text import Text

_WIDE = 220


def data_console() -> Console:
    """Return a console that takes nothing in the data for markup.

    What goes to a file or another program is not folded to a terminal's width.
    """
    width = None if sys.stdout.isatty() else _WIDE
    return Console(width=width, markup=False, emoji=False, highlight=False)


def cell(text: str) -> Text:
    """Return a text of several lines for a table of any console: as it is, whatever stands in it."""
    return Text("\n".join(shown(line) for line in text.splitlines()))


def shown(text: str) -> str:
    """Return a text that no terminal takes for a command: what cannot be printed is replaced."""
    return "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in text)
