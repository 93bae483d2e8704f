"""Writes docs/match-reference.md from the code that reads match and grouping configurations, and holds it to that.

`python -m checks.match_reference --write` renews the file; without the option it is only compared. Keys, types,
bounds and defaults are those of the models, their meaning that of the models' docstrings.
"""

import inspect
import re
import sys
import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from linkwright.engine.blocking import BlockingExpression, Transform, transforms_for
from linkwright.engine.comparison_methods import BOUND_RULES, METHOD_RULES, BoundRule, LevelKind, Method
from linkwright.engine.comparisons import SUM_TOLERANCE, Comparison, ComparisonLevel, TermFrequency
from linkwright.engine.fields import FieldType
from linkwright.engine.grouping import GroupingConfiguration
from linkwright.engine.strategy import MatchConfiguration, Strategy

ROOT = Path(__file__).resolve().parent.parent
REFERENCE = ROOT / "docs" / "match-reference.md"
RENEW = "python -m checks.match_reference --write"
SECTIONS: tuple[tuple[str, type[BaseModel]], ...] = (
    ("match", MatchConfiguration),
    ("strategies", Strategy),
    ("blocking_rules", BlockingExpression),
    ("comparisons", Comparison),
    ("levels", ComparisonLevel),
    ("term_frequency", TermFrequency),
    ("grouping", GroupingConfiguration),
)
INTRODUCTION = f"""
What stands under `match` and `grouping` of a project in the [project file](project-file.md). How scores and groups
come about is told in [linkage.md](linkage.md). This page is written from the code by
`{RENEW}`; a check holds it to that.

A configuration is read as a whole: every fault is named at once, with its path, its value, what is allowed and the
remedy. A changed match configuration becomes a new version, which holds for later Envelopes. Unknown keys are
faults.
"""
SUMS = (
    "Every pair is in one level: the m probabilities of a comparison's levels add up to 1, and so do the u "
    f"probabilities (within {SUM_TOLERANCE})."
)
FILLED_IN = {(Comparison, "name"): "the field's name", (Strategy, "review_threshold"): "the match threshold"}
"""Defaults that depend on other keys, which a model's schema does not show."""

_BOUNDS = {
    "gt": "over {:g}",
    "exclusiveMinimum": "over {:g}",
    "ge": "{:g} or more",
    "minimum": "{:g} or more",
    "lt": "under {:g}",
    "exclusiveMaximum": "under {:g}",
    "le": "{:g} or less",
    "maximum": "{:g} or less",
}
_TYPES = {"number": "number", "integer": "whole number", "boolean": "`true` or `false`", "string": "name"}


def reference_text() -> str:
    """Return the whole page."""
    parts = ["# Match and grouping configuration: reference", INTRODUCTION.strip()]
    for title, model in SECTIONS:
        parts += [f"## {title}", *_summary(model), _keys_table(model)]
        if model is BlockingExpression:
            parts += ["### transforms", *_summary(Transform), _transforms_table()]
        if model is ComparisonLevel:
            parts.append(_wrapped(SUMS))
            parts += ["### methods", *_summary(Method), _methods_table()]
            parts += ["### when", *_summary(LevelKind), _kinds_table()]
    return "\n\n".join(parts) + "\n"


def described_arguments(docstring: str) -> dict[str, str]:
    """Return the text of each argument of a docstring in Google's form, on one line each."""
    _before, _args, section = docstring.partition("\nArgs:\n")
    described: dict[str, str] = {}
    name = ""
    for line in section.splitlines():
        start = re.fullmatch(r" {4}(\w+): (.*)", line)
        if start:
            name = start[1]
            described[name] = start[2]
        elif name and line.startswith(" " * 8):
            described[name] += f" {line.strip()}"
        elif line.strip():
            break
    return described


def _docstring(owner: type) -> str:
    docstring = inspect.getdoc(owner)
    if not docstring:
        raise ValueError(f"{owner.__name__} has no docstring. Write one: the reference is made of it.")
    return docstring


def _summary(owner: type) -> list[str]:
    """Return the paragraphs of a docstring up to its arguments."""
    text = _docstring(owner).partition("\nArgs:\n")[0].strip()
    return [_wrapped(paragraph) for paragraph in text.split("\n\n")]


def _wrapped(paragraph: str) -> str:
    return "\n".join(
        textwrap.wrap(" ".join(paragraph.split()), 120, break_long_words=False, break_on_hyphens=False)
    )


def _keys_table(model: type[BaseModel]) -> str:
    schema = model.model_json_schema()
    definitions = schema.get("$defs", {})
    described = described_arguments(_docstring(model))
    undescribed = model.model_fields.keys() - described.keys()
    if undescribed:
        raise ValueError(f"the docstring of {model.__name__} does not describe {', '.join(sorted(undescribed))}")
    required = set(schema.get("required", ()))
    rows = [
        (
            f"`{name}`",
            _allowed(schema["properties"][name], definitions),
            FILLED_IN.get((model, name))
            or ("required" if name in required else _default(schema["properties"][name])),
            described[name],
        )
        for name in model.model_fields
    ]
    return _table(("key", "value", "default", "meaning"), rows)


def _allowed(value: Mapping[str, Any], definitions: Mapping[str, Any]) -> str:
    """Say what a key's value may be."""
    if "anyOf" in value:
        (value,) = (choice for choice in value["anyOf"] if choice.get("type") != "null")
    if "$ref" in value:
        name = value["$ref"].rpartition("/")[2]
        words = definitions[name].get("enum")
        return ", ".join(f"`{word}`" for word in words) if words else _section_link(name)
    if value["type"] == "array":
        least, most = value.get("minItems", 0), value.get("maxItems")
        count = f"{least} to {most}" if most else (f"{least} or more" if least else "any number")
        return f"a list of {count} {_allowed(value['items'], definitions).replace('a list', 'lists')}"
    # what is at least a number over 0 need not be said to be over 0
    told = value.keys() - ({"gt"} if "ge" in value else set())
    bounds = [text.format(value[key]) for key, text in _BOUNDS.items() if key in told]
    return ", ".join((_TYPES[value["type"]], *bounds))


def _section_link(name: str) -> str:
    """Refer to the section of a model by the name of the class."""
    title = next(title for title, model in SECTIONS if model.__name__ == name)
    return f"[{title}](#{title})"


def _default(value: Mapping[str, Any]) -> str:
    default = value.get("default")
    if default is None or default == []:
        return "none"
    if isinstance(default, bool):
        return f"`{str(default).lower()}`"
    return f"`{default:g}`" if isinstance(default, int | float) else f"`{default}`"


def _transforms_table() -> str:
    needs = {
        Transform.PREFIX: "`length`",
        Transform.SUFFIX: "`length`",
        Transform.SWAPPED: "`swapped_with`",
    }
    rows = [
        (
            f"`{transform}`",
            _field_types(kind for kind in FieldType if transform in transforms_for(kind)),
            needs.get(transform, ""),
        )
        for transform in Transform
    ]
    return _table(("transform", "fields of type", "needs"), rows)


def _methods_table() -> str:
    rows = [
        (f"`{method}`", _field_types(rule.field_types), ", ".join(f"`{kind}`" for kind in rule.kinds))
        for method, rule in METHOD_RULES.items()
    ]
    return _table(("method", "fields of type", "levels"), rows)


def _kinds_table() -> str:
    rows = [
        (
            f"`{kind}`",
            _bound(BOUND_RULES.get(kind)),
            ", ".join(f"`{method}`" for method, rule in METHOD_RULES.items() if kind in rule.kinds),
        )
        for kind in LevelKind
    ]
    return _table(("when", "bound", "methods"), rows)


def _bound(rule: BoundRule | None) -> str:
    if rule is None:
        return ""
    highest = f", {rule.highest:g} or less" if rule.highest != float("inf") else ""
    return f"`{rule.key}`: {'whole number, 1 or more' if rule.is_whole else 'number, over 0'}{highest}"


def _field_types(kinds: Iterable[FieldType]) -> str:
    chosen = set(kinds)
    left_out = [kind for kind in FieldType if kind not in chosen]
    if len(left_out) < len(chosen):
        return f"all but {', '.join(_words(left_out))}"
    return ", ".join(_words(kind for kind in FieldType if kind in chosen))


def _words(kinds: Iterable[StrEnum]) -> Iterator[str]:
    return (f"`{kind}`" for kind in kinds)


def _table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |" for line in lines)


def main(arguments: Sequence[str]) -> int:
    """Write the page if asked to, else say whether it is as the code; return the exit code."""
    text = reference_text()
    if "--write" in arguments:
        REFERENCE.write_text(text, encoding="utf-8")
        return 0
    if not REFERENCE.is_file() or REFERENCE.read_text(encoding="utf-8") != text:
        print(f"{REFERENCE.relative_to(ROOT)} is not as the code says. Renew it with: {RENEW}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
