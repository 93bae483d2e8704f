"""Reads the commands that a Markdown text shows: in shell blocks and in code spans.

Knows Markdown and shell words; knows no command.
"""

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass

SHELL_LANGUAGES = {"bash", "sh", "shell", "console", ""}
FENCE = re.compile(r"^\s*(```+|~~~+)\s*([\w-]*)")
CODE_SPAN = re.compile(r"`([^`\n]+)`")
ASSIGNMENT = re.compile(r"^[A-Za-z_]\w*=")
OPERATOR = re.compile(r"^[();<>|&]+$")


@dataclass(frozen=True)
class CodeLine:
    """A line of code: number of its first line, text, and the language of its block (None: a code span)."""

    number: int
    text: str
    language: str | None


def code_lines(markdown: str) -> Iterator[CodeLine]:
    """Yield each line of each fenced block, continued lines joined, and each code span outside the blocks."""
    fence, language, begun, begun_at = "", "", "", 0
    for number, line in enumerate(markdown.splitlines(), start=1):
        mark = FENCE.match(line)
        if mark and not fence:
            fence, language = mark.group(1), mark.group(2).lower()
        elif mark and mark.group(1).startswith(fence):
            fence = ""
        elif not fence:
            yield from (CodeLine(number, span, None) for span in CODE_SPAN.findall(line))
        elif line.endswith("\\"):
            begun, begun_at = begun + line[:-1] + " ", begun_at or number
        else:
            yield CodeLine(begun_at or number, begun + line, language)
            begun, begun_at = "", 0


def commands_in(line: str) -> Iterator[tuple[str, ...]]:
    """Yield the words of each command of a shell line, without prompt, assignments, comment and redirections.

    Raises:
        ValueError: if a quotation does not end.
    """
    words: list[str] = []
    lexer = shlex.shlex(line.strip().removeprefix("$ "), posix=True, punctuation_chars=True)
    lexer.commenters = "#"
    # a shell ends a word at blanks and operators alone, not at a colon or a comma
    lexer.whitespace_split = True
    for word in lexer:
        if OPERATOR.match(word):
            if words:
                yield tuple(words)
            words = []
        elif words or not ASSIGNMENT.match(word):
            words.append(word)
    if words:
        yield tuple(words)
