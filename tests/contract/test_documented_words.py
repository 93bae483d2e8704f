"""Every word that an operator can meet is explained: statuses, job kinds, actions, roles, types, Settings."""

import re
from enum import Enum
from pathlib import Path

import pytest
from typer.main import get_command

from checks.command_shapes import command_shape
from checks.documented_commands import documentation_files
from linkwright.cli import app
from linkwright.engine.fields import FieldType
from linkwright.envelopes.manifest import RequestType
from linkwright.store.models import BatchKind, BatchState, JobKind, Role, Severity
from linkwright.store.queries.shown_status import ShownStatus
from linkwright.store.settings import SETTINGS

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
GLOSSARY = (DOCS / "glossary.md").read_text(encoding="utf-8")


def first_column(markdown: str) -> list[str]:
    """Return the first cell of each row of the first table, without the mark of what is not there yet."""
    first_table = re.search(r"(?:^\|.*\n)+", markdown, re.MULTILINE)
    assert first_table is not None
    return [row.split("|")[1].replace("†", "").strip() for row in first_table.group().splitlines()[2:]]


def test_the_glossary_is_alphabetical_and_names_each_word_once() -> None:
    words = first_column(GLOSSARY)
    assert len(words) > 50
    # 'Group' the job stands beside 'group' the people's records
    assert words == sorted(words, key=lambda word: (word.lower(), word != word.lower()))
    assert len(words) == len(set(words))


@pytest.mark.parametrize(
    "words", [ShownStatus, JobKind, RequestType, Role, FieldType, Severity, BatchKind, BatchState]
)
def test_the_glossary_explains_every_value_that_is_stored_or_shown(words: type[Enum]) -> None:
    missing = [word.value for word in words if not re.search(rf"(?<!\w){re.escape(word.value)}(?!\w)", GLOSSARY)]
    assert missing == []


def test_every_setting_is_documented() -> None:
    documentation = "\n".join(path.read_text(encoding="utf-8") for path in DOCS.rglob("*.md"))
    assert [name for name in SETTINGS if f"`{name}`" not in documentation] == []


def test_decisions_are_numbered_without_gaps_and_have_all_their_parts() -> None:
    decisions = sorted((DOCS / "decisions").glob("*.md"))
    numbers = [int(path.name[:4]) for path in decisions]
    assert numbers == list(range(1, len(numbers) + 1))
    for number, path in zip(numbers, decisions, strict=True):
        text = path.read_text(encoding="utf-8")
        assert text.startswith(f"# {number}. "), path.name
        parts = re.findall(r"^\*\*(\w+)\.\*\*", text, re.MULTILINE)
        assert parts == ["Question", "Choice", "Rejected", "Consequences"], path.name


def test_every_command_is_documented() -> None:
    documentation = "\n".join(path.read_text(encoding="utf-8") for path in documentation_files(ROOT))
    commands = command_shape(get_command(app)).commands
    assert len(commands) >= 10
    assert [name for name in commands if f"linkwright {name}" not in documentation] == []
