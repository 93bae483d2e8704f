"""The fields of the editor's form as a match configuration in plain data, and the steps that change its parts.

The draft lives in the form alone: every answer carries it whole. What was filled in wrongly stays as it was typed,
so that the check can name it. Pure; knows no request and no table.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from linkwright.engine.comparison_methods import BOUND_RULES, METHOD_RULES, LevelKind, Method
from linkwright.engine.default_configuration import (
    DEFAULT_MATCH_THRESHOLD,
    DEFAULT_PRIOR,
    DEFAULT_REVIEW_THRESHOLD,
)
from linkwright.engine.fields import FieldType, LinkageField
from linkwright.engine.strategy import OversizedBlocks
from linkwright.errors import LinkwrightError

Definition = dict[str, Any]
_NAME = re.compile(r"(prior|oversized_blocks|strategies(\.[a-z_]+|\.\d{1,4}){1,8})")
_STEP = re.compile(r"(add|remove|up|down) (strategies(?:\.[a-z_]+|\.\d{1,4}){0,7})")
_NUMBERS = {"prior", "match_threshold", "review_threshold", "bound", "length", "m_probability", "u_probability"}
_NUMBERS |= {"frequency_weight", "frequency_minimum_u"}


class StepError(LinkwrightError):
    """The part that a step names is not there: the form is an older one."""


def read_form(fields: Iterable[tuple[str, str]]) -> Definition:
    """Gather the fields of a form, named by their place as `strategies.0.comparisons.1.field`.

    Returns:
        What `parse_match_configuration` takes; empty fields are left out.
    """
    tree: dict[str, Any] = {}
    for name, text in fields:
        if not _NAME.fullmatch(name) or not text.strip():
            continue
        *parents, last = name.split(".")
        here = tree
        for part in parents:
            here = here.setdefault(part, {})
            if not isinstance(here, dict):
                break
        else:
            here[last] = _number(text.strip()) if last in _NUMBERS else text.strip()
    # what is so anyway need not be written: the draft of a version that does not say it is that version
    if tree.get("oversized_blocks") == OversizedBlocks.SPLIT:
        del tree["oversized_blocks"]
    known = ((key, tree[key]) for key in ("prior", "oversized_blocks") if key in tree)
    return {**dict(known), "strategies": [_strategy(one) for one in _ordered(tree.get("strategies"))]}


def take_step(definition: Definition, step: str, fields: Sequence[LinkageField]) -> str:
    """Add, remove or move a part, in place.

    Args:
        definition: of the draft.
        step: as `add strategies.0.comparisons` or `up strategies.0.blocking_rules.2`.
        fields: the project's linkage fields, to choose from for new parts.

    Returns:
        The place of the part that was added or moved, else of the one that it was in.

    Raises:
        StepError: if there is no such part.
    """
    found = _STEP.fullmatch(step)
    if found is None:
        raise StepError(f"{step!r} is no step. Reload the page.")
    verb, place = found.groups()
    path = place.split(".")
    try:
        if verb == "add":
            return _add(definition, path, fields)
        *parents, last = path
        parts, index = _at(definition, parents), int(last)
        part = parts[index]
        if verb == "remove":
            del parts[index]
            return ".".join(parents[:-1])
        to = max(0, index - 1) if verb == "up" else min(len(parts) - 1, index + 1)
        parts.insert(to, parts.pop(index))
        del part
        return ".".join([*parents, str(to)])
    except (KeyError, IndexError, TypeError, ValueError, AttributeError) as error:
        raise StepError(f"The draft has no part {place!r} any more. Reload the page.") from error


def _number(text: str) -> float | str:
    """Return a number, whole if it is written so; what is none stays text, for the check to name."""
    plain = text.replace("−", "-")
    for kind in (int, float):
        try:
            return kind(plain)
        except ValueError:
            continue
    return text


def _ordered(parts: object) -> list[dict[str, Any]]:
    """Return the parts under numbers in their order; gaps, which a removal by hand leaves, close."""
    if not isinstance(parts, Mapping):
        return []
    numbered = [(int(key), value) for key, value in parts.items() if key.isdecimal() and isinstance(value, dict)]
    return [value for _number, value in sorted(numbered, key=lambda pair: pair[0])]


def _picked(part: Mapping[str, Any], *names: str) -> Definition:
    return {name: part[name] for name in names if name in part}


def _strategy(part: Mapping[str, Any]) -> Definition:
    rules = [[_expression(one) for one in _ordered(rule)] for rule in _ordered(part.get("blocking_rules"))]
    comparisons = [_comparison(one) for one in _ordered(part.get("comparisons"))]
    return {
        **_picked(part, "name"),
        "blocking_rules": rules,
        # the fields of thresholds stay on the page while there are no comparisons; then they mean nothing
        **(_picked(part, "match_threshold", "review_threshold") if comparisons else {}),
        **({"comparisons": comparisons} if comparisons else {}),
    }


def _expression(part: Mapping[str, Any]) -> Definition | str:
    told = _picked(part, "field", "transform")
    transform = part.get("transform")
    if transform in {"prefix", "suffix"}:
        told |= _picked(part, "length")
    if transform == "swapped":
        told |= _picked(part, "swapped_with")
    return str(told["field"]) if set(told) == {"field"} else told


def _comparison(part: Mapping[str, Any]) -> Definition:
    told = _picked(part, "name", "field", "method")
    if told.get("name") == told.get("field"):
        told.pop("name", None)
    if part.get("method") == Method.NAME:
        told |= _picked(part, "swapped_with")
    if "frequency" in part:
        wanted = (("weight", "frequency_weight"), ("minimum_u", "frequency_minimum_u"))
        told["term_frequency"] = {key: part[name] for key, name in wanted if name in part}
    has_frequency = "term_frequency" in told
    levels = [_level(one, has_frequency=has_frequency) for one in _ordered(part.get("levels"))]
    return {**told, "levels": levels}


def _level(part: Mapping[str, Any], *, has_frequency: bool) -> Definition:
    told = _picked(part, "when")
    rule = BOUND_RULES.get(LevelKind(told["when"])) if told.get("when") in set(LevelKind) else None
    if rule is not None and "bound" in part:
        told[rule.key] = part["bound"]
    if has_frequency and "term_frequency" in part and told.get("when") != LevelKind.ELSE:
        told["term_frequency"] = True
    return told | _picked(part, "m_probability", "u_probability")


def _at(definition: Definition, path: Sequence[str]) -> Any:
    here: Any = definition
    for part in path:
        here = here[int(part)] if part.isdecimal() else here.setdefault(part, [])
    return here


def _add(definition: Definition, path: list[str], fields: Sequence[LinkageField]) -> str:
    parts = _at(definition, path)
    usable = [field for field in fields if field.type is not FieldType.BLOOM]
    match path:
        case ["strategies"]:
            parts.append({"name": _new_name(parts), "blocking_rules": [[usable[0].name]]})
        case [*_, "blocking_rules"]:
            parts.append([_unused([rule[0] for rule in parts if rule], usable)])
        case [*_, "blocking_rules", _rule]:
            parts.append(_unused(parts, usable))
        case ["strategies", index, "comparisons"]:
            parts.append(_new_comparison(parts, fields))
            strategy = _at(definition, ["strategies", index])
            strategy.setdefault("match_threshold", DEFAULT_MATCH_THRESHOLD)
            strategy.setdefault("review_threshold", DEFAULT_REVIEW_THRESHOLD)
        case [*parents, "levels"]:
            comparison = _at(definition, parents)
            parts.insert(max(0, len(parts) - 1), _new_level(comparison, parts))
            return ".".join([*path, str(max(0, len(parts) - 2))])
        case _:
            raise StepError(f"Nothing can be added at {'.'.join(path)!r}. Reload the page.")
    return ".".join([*path, str(len(parts) - 1)])


def _new_name(strategies: Sequence[Mapping[str, Any]]) -> str:
    taken = {one.get("name") for one in strategies}
    return next(name for number in range(1, len(taken) + 2) if (name := f"strategy_{number}") not in taken)


def _unused(taken: Iterable[Any], fields: Sequence[LinkageField]) -> str:
    names = {one if isinstance(one, str) else one.get("field") for one in taken}
    return next((field.name for field in fields if field.name not in names), fields[0].name)


def _new_comparison(comparisons: Sequence[Mapping[str, Any]], fields: Sequence[LinkageField]) -> Definition:
    name = _unused([one.get("field") for one in comparisons], fields)
    field_type = next(field.type for field in fields if field.name == name)
    method = Method.DICE if field_type is FieldType.BLOOM else Method.EXACT
    return {
        "field": name,
        "method": method.value,
        "levels": [
            {"when": "exact", "m_probability": 0.9, "u_probability": 0.01},
            {"when": "else", "m_probability": 0.1, "u_probability": 0.99},
        ],
    }


def _new_level(comparison: Mapping[str, Any], levels: Sequence[Mapping[str, Any]]) -> Definition:
    method = Method(comparison["method"]) if comparison.get("method") in set(Method) else Method.EXACT
    taken = {level.get("when") for level in levels}
    offered = [kind for kind in METHOD_RULES[method].kinds if kind is not LevelKind.ELSE]
    kind = next((one for one in offered if one.value not in taken), offered[-1])
    rule = BOUND_RULES.get(kind)
    bound = {} if rule is None else {rule.key: 1 if rule.is_whole else min(0.9, rule.highest)}
    return {"when": kind.value, **bound, "m_probability": 0.01, "u_probability": 0.01}


def empty_definition(fields: Sequence[LinkageField]) -> Definition:
    """Return a draft to begin with where there is nothing: one strategy with one rule."""
    definition: Definition = {"prior": DEFAULT_PRIOR, "strategies": []}
    _add(definition, ["strategies"], fields)
    return definition
