"""Owns what differs between two match configurations, part by part: strategy, rule, comparison, level, number.

Parts are told apart by what they are, not by where they stand: strategies and comparisons by name, rules by their
words, levels by their condition. Another order is told as such. Must not know versions, or who changed what.

Source: SPEC section 1 (match configuration).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

from linkwright.engine.blocking import rule_text
from linkwright.engine.comparisons import Comparison, ComparisonLevel
from linkwright.engine.explanation import level_text
from linkwright.engine.strategy import MatchConfiguration, Strategy

_Part = TypeVar("_Part")
NOT_SET = "not set"


class Change(StrEnum):
    """What became of a part or a value."""

    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"
    MOVED = "moved"


@dataclass(frozen=True)
class Difference:
    """One difference.

    Args:
        place: the parts that it is in, outermost first, such as `strategy person`, `comparison surname`; the part
            itself is the last if it was added or removed.
        change: what became of it.
        what: the value that changed, or the parts whose order changed; empty for a part added or removed.
        old: the value before, in words; empty if there was none.
        new: the value after, likewise.
    """

    place: tuple[str, ...]
    change: Change
    what: str = ""
    old: str = ""
    new: str = ""

    def __str__(self) -> str:
        where = ", ".join(self.place)
        if self.change in {Change.ADDED, Change.REMOVED}:
            detail = f" ({self.new or self.old})" if self.new or self.old else ""
            return f"{where}: {self.change}{detail}"
        of_what = f"{where}: {self.what}" if where else self.what
        return f"{of_what} {self.old} → {self.new}"


def configuration_differences(old: MatchConfiguration, new: MatchConfiguration) -> tuple[Difference, ...]:
    """List what differs, in the order of the new configuration; what was removed comes after.

    Returns:
        Nothing if both mean the same.
    """
    return (
        *_values((), (("prior", old.prior, new.prior), ("oversized blocks", *_blocks(old, new)))),
        *_parts((), "strategy", (old.strategies, new.strategies), (lambda one: one.name, _strategy)),
    )


def _blocks(old: MatchConfiguration, new: MatchConfiguration) -> tuple[str, str]:
    return old.oversized_blocks.value, new.oversized_blocks.value


def _strategy(place: tuple[str, ...], old: Strategy, new: Strategy) -> list[Difference]:
    thresholds = (
        ("match threshold", old.match_threshold, new.match_threshold),
        ("review threshold", old.review_threshold, new.review_threshold),
    )
    return [
        *_values(place, thresholds),
        *_parts(place, "blocking rule", (old.blocking_rules, new.blocking_rules), (rule_text, None)),
        *_parts(place, "comparison", (old.comparisons, new.comparisons), (lambda one: one.name, _comparison)),
    ]


def _comparison(place: tuple[str, ...], old: Comparison, new: Comparison) -> list[Difference]:
    one, other = old.term_frequency, new.term_frequency
    values = (
        ("field", old.field, new.field),
        ("method", old.method.value, new.method.value),
        ("second field", old.swapped_with, new.swapped_with),
        ("term frequency weight", one and one.weight, other and other.weight),
        ("term frequency minimum u", one and one.minimum_u, other and other.minimum_u),
    )
    levels = ([(old, level) for level in old.levels], [(new, level) for level in new.levels])
    return [*_values(place, values), *_parts(place, "level", levels, (_level_words, _level))]


def _level_words(part: tuple[Comparison, ComparisonLevel]) -> str:
    item, level = part
    return level_text(item, item.level_number(item.levels.index(level)))


def _level(
    place: tuple[str, ...], old: tuple[Comparison, ComparisonLevel], new: tuple[Comparison, ComparisonLevel]
) -> list[Difference]:
    (_item, one), (_other_item, other) = old, new
    values = (
        ("m", one.m_probability, other.m_probability),
        ("u", one.u_probability, other.u_probability),
        ("term frequency", one.term_frequency, other.term_frequency),
    )
    return _values(place, values)


def _values(place: tuple[str, ...], values: Sequence[tuple[str, object, object]]) -> list[Difference]:
    return [
        Difference(place, Change.CHANGED, what, _words(old), _words(new))
        for what, old, new in values
        if old != new
    ]


def _words(value: object) -> str:
    if value is None:
        return NOT_SET
    if isinstance(value, bool):
        return "yes" if value else "no"
    # the shortest text that reads back as the same number
    return f"{value!r}".removesuffix(".0") if isinstance(value, float) else str(value)


def _parts(
    place: tuple[str, ...],
    kind: str,
    sides: tuple[Sequence[_Part], Sequence[_Part]],
    told: tuple[Callable[[_Part], str], Callable[[tuple[str, ...], _Part, _Part], list[Difference]] | None],
) -> list[Difference]:
    """Compare two lists of parts.

    Args:
        place: of the lists.
        kind: of the parts, in a word.
        sides: the parts before and after.
        told: what a part is called, and what compares two parts of that name, if they can differ.
    """
    name_of, compare = told
    old = {name_of(part): part for part in sides[0]}
    new = {name_of(part): part for part in sides[1]}
    found: list[Difference] = []
    for name, part in new.items():
        here = (*place, f"{kind} {name}")
        if name not in old:
            found.append(Difference(here, Change.ADDED, new=_summary(part)))
        elif compare is not None:
            found.extend(compare(here, old[name], part))
    removed = [(name, part) for name, part in old.items() if name not in new]
    found.extend(
        Difference((*place, f"{kind} {name}"), Change.REMOVED, old=_summary(part)) for name, part in removed
    )
    before, after = ([name for name in side if name in old and name in new] for side in (old, new))
    if before != after:
        order = Difference(place, Change.MOVED, f"order of each {kind}", ", ".join(before), ", ".join(after))
        found.append(order)
    return found


def _summary(part: object) -> str:
    """Say what a part is that only one side has."""
    match part:
        case Strategy():
            return f"{len(part.blocking_rules)} blocking rules, {len(part.comparisons)} comparisons"
        case Comparison():
            return f"{part.method.value} of {part.field}, {len(part.levels)} levels"
        case (Comparison(), ComparisonLevel() as level):
            return f"m {_words(level.m_probability)}, u {_words(level.u_probability)}"
        case _:
            return ""
