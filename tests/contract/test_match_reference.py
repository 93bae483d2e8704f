"""The reference of the match and grouping configuration is as the code says, and lacks nothing."""

import re
from pathlib import Path

import pytest
from pydantic import BaseModel

from checks import match_reference
from checks.match_reference import SECTIONS, described_arguments, main, reference_text
from linkwright.engine.blocking import Transform
from linkwright.engine.comparison_methods import BOUND_RULES, METHOD_RULES, LevelKind, Method

PAGE = reference_text()


def rows_of(heading: str) -> dict[str, list[str]]:
    """Return the rows of the table below a heading, by their first cell."""
    _before, _heading, after = PAGE.partition(f"# {heading}\n")
    table = re.search(r"(?:^\|.*\n)+", after, re.MULTILINE)
    assert table is not None
    rows = [[cell.strip() for cell in row.strip("|\n").split(" | ")] for row in table.group().splitlines()[2:]]
    return {row[0].strip("`"): row[1:] for row in rows}


def test_the_page_in_the_documentation_is_as_the_code_says() -> None:
    assert main([]) == 0


def test_every_key_of_every_part_is_there_with_its_meaning() -> None:
    for title, model in SECTIONS:
        rows = rows_of(title)
        assert list(rows) == list(model.model_fields)
        assert all(meaning for _allowed, _default, meaning in rows.values())


def test_bounds_and_defaults_are_those_of_the_models() -> None:
    assert rows_of("match")["prior"][:2] == ["number, over 0, under 1", "required"]
    assert rows_of("match")["oversized_blocks"][:2] == ["`split`, `skip`, `fail`", "`split`"]
    assert rows_of("strategies")["blocking_rules"][0] == (
        "a list of 1 to 100 lists of 1 or more [blocking_rules](#blocking_rules)"
    )
    assert rows_of("strategies")["review_threshold"][1] == "the match threshold"
    assert rows_of("blocking_rules")["length"][:2] == ["whole number, 1 or more, 100 or less", "none"]
    assert rows_of("comparisons")["name"][1] == "the field's name"
    assert rows_of("levels")["m_probability"][0] == "number, 1e-300 or more, 1 or less"
    assert rows_of("term_frequency")["weight"][:2] == ["number, over 0, 1 or less", "`1`"]
    assert rows_of("grouping")["largest_expected_group"][:2] == ["whole number, 1 or more", "`50`"]


def test_every_method_level_and_transform_is_there() -> None:
    assert list(rows_of("methods")) == [method.value for method in Method]
    assert list(rows_of("when")) == [kind.value for kind in LevelKind]
    assert list(rows_of("transforms")) == [transform.value for transform in Transform]
    for method, rule in METHOD_RULES.items():
        assert rows_of("methods")[method][1] == ", ".join(f"`{kind}`" for kind in rule.kinds)
    for kind, bound in BOUND_RULES.items():
        assert rows_of("when")[kind][0].startswith(f"`{bound.key}`: ")


def test_a_page_that_is_out_of_date_is_told_and_can_be_renewed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(match_reference, "ROOT", tmp_path)
    monkeypatch.setattr(match_reference, "REFERENCE", tmp_path / "reference.md")
    assert main([]) == 1
    assert capsys.readouterr().out == (
        "reference.md is not as the code says. Renew it with: python -m checks.match_reference --write\n"
    )
    assert main(["--write"]) == 0
    assert main([]) == 0
    (tmp_path / "reference.md").write_text(PAGE.replace("split", "cut"))
    assert main([]) == 1


def test_the_arguments_of_a_docstring_are_read_over_several_lines() -> None:
    arguments = "    one: the first,\n        and more.\n    two: the second.\n"
    docstring = f"What it is.\n\nArgs:\n{arguments}\nRaises:\n    X: y.\n"
    assert described_arguments(docstring) == {"one": "the first, and more.", "two": "the second."}


def test_a_key_without_a_description_is_refused() -> None:
    class Bare(BaseModel):
        """One thing.

        Args:
            told: this.
        """

        told: int
        untold: int

    with pytest.raises(ValueError, match="the docstring of Bare does not describe untold"):
        match_reference._keys_table(Bare)
