"""Lays a draft out as the fields of the editor's form, each with its choices, and puts faults beside their place.

A draft may be wrong in any way that plain data can be; what cannot be shown as fields is edited as text. Pure;
knows no request and no table.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from linkwright.engine.blocking import transforms_for
from linkwright.engine.comparison_methods import BOUND_RULES, METHOD_RULES, LevelKind, Method
from linkwright.engine.comparisons import FREQUENCY_TYPES
from linkwright.engine.fields import FieldType, LinkageField
from linkwright.services.save_match import DraftFault
from linkwright.web.match_view import WeightBar, weight_bar
from linkwright.web.match_words import LEVEL_CHOICES, METHOD_WORDS, TRANSFORM_WORDS, level_weight

Row = Mapping[str, Any]
_BAR_SCALE = 20.0
"""The match weight (log2) that fills a bar of the editor: there the scale must not jump while somebody types."""


@dataclass(frozen=True)
class Choice:
    """One choice of a list."""

    value: str
    label: str
    is_chosen: bool


@dataclass(frozen=True)
class Part:
    """One part of the draft.

    Args:
        place: as `strategies.0`.
        values: as typed.
        choices: per field what can be chosen.
        parts: what it is made of, by kind.
        help: what the chosen method does.
        shows: the fields that the choices ask for.
        weight: of a level.
        faults: sentences, as far as they are beside this part.
    """

    place: str
    values: Row
    choices: Mapping[str, Sequence[Choice]] = field(default_factory=dict)
    parts: Mapping[str, Sequence["Part"]] = field(default_factory=dict)
    help: str = ""
    shows: frozenset[str] = frozenset()
    weight: WeightBar | None = None
    faults: Sequence[str] = ()

    @property
    def slot(self) -> str:
        """The place as the end of an element's id."""
        return self.place.replace(".", "-")

    @property
    def shows_weight(self) -> bool:
        """Whether it is a level."""
        return "when" in self.choices

    @property
    def is_open(self) -> bool:
        """Whether something in it has a fault: then it is shown open."""
        return bool(self.faults) or any(one.is_open for parts in self.parts.values() for one in parts)


class Layout:
    """Lays out one draft.

    Args:
        fields: the project's linkage fields.
        faults: of the draft, if it was checked.
    """

    def __init__(self, fields: Sequence[LinkageField], faults: Sequence[DraftFault] = ()) -> None:
        self._fields = {one.name: one for one in fields}
        self._faults = faults

    def strategies(self, definition: Row) -> list[Part]:
        """Return the parts of a draft, with the faults beside them.

        Raises:
            TypeError: if the draft is not made of lists and mappings as a match configuration is.
        """
        laid = [self._strategy(f"strategies.{number}", one) for number, one in _mappings(definition, "strategies")]
        sorted_faults = faults_by_place(self._faults, places_of(laid))
        return [_with_faults(part, sorted_faults) for part in laid]

    def _strategy(self, place: str, values: Row) -> Part:
        rules = values.get("blocking_rules", [])
        if not isinstance(rules, list) or not all(isinstance(rule, list) for rule in rules):
            raise TypeError("blocking rules are lists of lists")
        return Part(
            place,
            values,
            parts={
                "rules": [self._rule(f"{place}.blocking_rules.{number}", one) for number, one in enumerate(rules)],
                "comparisons": [
                    self._comparison(f"{place}.comparisons.{number}", one)
                    for number, one in _mappings(values, "comparisons")
                ],
            },
        )

    def _rule(self, place: str, rule: Sequence[Any]) -> Part:
        parts = [self._expression(f"{place}.{number}", one) for number, one in enumerate(rule)]
        return Part(place, {}, parts={"expressions": parts})

    def _expression(self, place: str, written: Any) -> Part:
        values: Row = {"field": written} if isinstance(written, str) else _mapping(written)
        name, transform = str(values.get("field", "")), str(values.get("transform") or "")
        blocking = [one for one in self._fields.values() if one.type is not FieldType.BLOOM]
        known = self._fields.get(name)
        offered = [(one.value, TRANSFORM_WORDS[one]) for one in (transforms_for(known.type) if known else ())]
        shown = {"length"} if transform in {"prefix", "suffix"} else set()
        shown |= {"swapped_with"} if transform == "swapped" else set()
        return Part(
            place,
            values,
            choices={
                "field": _choices([(one.name, one.name) for one in blocking], name),
                "transform": _choices([("", "the same value"), *offered], transform),
                "swapped_with": _choices(self._names(), str(values.get("swapped_with") or "")),
            },
            shows=frozenset(shown),
        )

    def _comparison(self, place: str, values: Row) -> Part:
        name, method = str(values.get("field", "")), str(values.get("method", ""))
        known = self._fields.get(name)
        methods = [one for one in Method if known is None or known.type in METHOD_RULES[one].field_types]
        frequency = values.get("term_frequency")
        shown = {"swapped_with"} if method == Method.NAME else set()
        shown |= {"frequency"} if known is not None and known.type in FREQUENCY_TYPES else set()
        shown |= {"frequency_values"} if isinstance(frequency, Mapping) else set()
        is_adjusted = isinstance(frequency, Mapping)
        return Part(
            place,
            {**values, "name": values.get("name", name), "frequency": frequency if is_adjusted else {}},
            choices={
                "field": _choices(
                    [(one.name, f"{one.name} ({one.type.value})") for one in self._fields.values()], name
                ),
                "method": _choices([(one.value, one.value) for one in methods], method),
                "swapped_with": _choices(self._names(), str(values.get("swapped_with") or "")),
            },
            parts={
                "levels": [
                    _level(f"{place}.levels.{number}", one, method, is_adjusted=is_adjusted)
                    for number, one in _mappings(values, "levels")
                ]
            },
            help=METHOD_WORDS[Method(method)] if method in set(Method) else "",
            shows=frozenset(shown),
        )

    def _names(self) -> list[tuple[str, str]]:
        named = [one.name for one in self._fields.values() if one.type in {FieldType.NAME, FieldType.TEXT}]
        return [("", "choose"), *((name, name) for name in named)]


def places_of(parts: Sequence[Part]) -> dict[str, Part]:
    """Return every part that faults are shown beside, by its place."""
    found: dict[str, Part] = {}
    for part in parts:
        found[part.place] = part
        for name, inner in part.parts.items():
            if name != "expressions":
                found |= places_of(inner)
    return found


def faults_by_place(faults: Sequence[DraftFault], places: Mapping[str, Part]) -> dict[str, list[str]]:
    """Sort faults to the nearest part that they are in; '' holds those of the whole."""
    found: dict[str, list[str]] = {}
    for fault in faults:
        place = fault.place
        while place and place not in places:
            place = place.rpartition(".")[0]
        # beside its part the fault need not say again which part that is
        within = fault.place[len(place) :].split(".")
        inner = " ".join(part.replace("_", " ") for part in within if not part.isdecimal()).strip()
        sentence = fault.text.partition(": ")[2] if fault.place else fault.text
        found.setdefault(place, []).append(f"{inner}: {sentence}" if inner else sentence)
    return found


def _with_faults(part: Part, faults: Mapping[str, Sequence[str]]) -> Part:
    inner = {name: [_with_faults(one, faults) for one in parts] for name, parts in part.parts.items()}
    return replace(part, parts=inner, faults=faults.get(part.place, ()))


def _level(place: str, values: Row, method: str, *, is_adjusted: bool) -> Part:
    kind = str(values.get("when", ""))
    offered = METHOD_RULES[Method(method)].kinds if method in set(Method) else tuple(LevelKind)
    rule = BOUND_RULES.get(LevelKind(kind)) if kind in set(LevelKind) else None
    weight = level_weight(values.get("m_probability"), values.get("u_probability"))
    can_adjust = is_adjusted and kind not in {LevelKind.EXACT, LevelKind.ELSE}
    return Part(
        place,
        {**values, "bound": values.get(rule.key, "") if rule else ""},
        choices={"when": _choices([(one.value, LEVEL_CHOICES[one]) for one in offered], kind)},
        shows=frozenset(({"bound"} if rule else set()) | ({"term_frequency"} if can_adjust else set())),
        weight=None if weight is None else weight_bar(weight, _BAR_SCALE),
    )


def _choices(offered: Sequence[tuple[str, str]], chosen: str) -> list[Choice]:
    """Return what can be chosen; what is chosen already is among it even if it cannot be, so that it is seen."""
    known = {value for value, _label in offered}
    extra = [] if chosen in known else [(chosen, f"{chosen} (not possible)" if chosen else "choose")]
    return [Choice(value, label, value == chosen) for value, label in [*extra, *offered]]


def _mapping(value: Any) -> Row:
    if not isinstance(value, Mapping):
        raise TypeError(f"{value!r} is no mapping")
    return value


def _mappings(data: Row, key: str) -> list[tuple[int, Row]]:
    values = data.get(key, [])
    if not isinstance(values, list | tuple):
        raise TypeError(f"{key} is no list")
    return [(number, _mapping(value)) for number, value in enumerate(values)]
