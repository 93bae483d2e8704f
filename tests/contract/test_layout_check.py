"""The limits of the source tree catch what they are there to catch, and nothing else."""

from pathlib import Path

import pytest

from checks.layout import (
    FILE_LINES_LIMIT,
    FUNCTION_LINES_LIMIT,
    file_length_faults,
    function_length_faults,
    layout_faults,
    name_faults,
)

FILE = Path("src/linkwright/engine/scoring.py")


def function_of(lines_count: int, *, head: str = "def score() -> None:") -> str:
    return "\n".join([head, *["    x = 1"] * (lines_count - 1)]) + "\n"


def test_a_file_one_line_below_the_limit_is_allowed_and_at_the_limit_is_not() -> None:
    assert list(file_length_faults(FILE, "x = 1\n" * (FILE_LINES_LIMIT - 1))) == []
    (fault,) = file_length_faults(FILE, "x = 1\n" * FILE_LINES_LIMIT)
    assert "scoring.py: 400 lines" in fault


def test_a_function_one_line_below_the_limit_is_allowed_and_at_the_limit_is_not() -> None:
    assert list(function_length_faults(FILE, function_of(FUNCTION_LINES_LIMIT - 1))) == []
    (fault,) = function_length_faults(FILE, function_of(FUNCTION_LINES_LIMIT))
    assert "scoring.py:1: score has 50 lines" in fault


def test_coroutines_and_methods_count_as_functions() -> None:
    coroutine = function_of(FUNCTION_LINES_LIMIT, head="async def score() -> None:")
    method = "class Scorer:\n" + "".join(f"    {line}\n" for line in function_of(60).splitlines())
    assert len(list(function_length_faults(FILE, coroutine))) == 1
    assert len(list(function_length_faults(FILE, method))) == 1


@pytest.mark.parametrize(
    "path",
    [
        "utils.py",
        "web/helpers.py",
        "common/fields.py",
        "queue_manager.py",
        "tests/test_helpers.py",
        "utils.test.js",
    ],
)
def test_a_name_that_says_nothing_is_refused(path: str) -> None:
    assert len(list(name_faults(Path(path)))) == 1


@pytest.mark.parametrize("path", ["engine/scoring.py", "web/static/commonmark.js", "tests/unit/test_utilities.py"])
def test_a_name_that_only_resembles_one_is_allowed(path: str) -> None:
    assert list(name_faults(Path(path))) == []


def test_the_whole_tree_is_read_but_generated_migrations_are_not_measured(tmp_path: Path) -> None:
    long_function = function_of(FILE_LINES_LIMIT)
    for path in ("src/a/scoring.py", "src/a/migrations/0001_initial.py", "tests/test_a.py", "docs/long.py"):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(long_function)
    (tmp_path / "src/a/page.html").write_text("<p>\n" * FILE_LINES_LIMIT)
    faults = layout_faults(tmp_path)
    assert [fault.split(":")[0] for fault in faults] == [
        "src/a/page.html",
        "src/a/scoring.py",
        "src/a/scoring.py",
        "tests/test_a.py",
        "tests/test_a.py",
    ]
