"""Owns a comparison and its levels: what one field's agreement is told apart by, and how often each level occurs.

Refuses levels that no pair could reach, and probabilities that cannot be. Must not know strategies, thresholds or
SQL.

Source: SPEC section 1 (match configuration); Fellegi and Sunter (1969); levels, term frequencies as in Splink 5.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationInfo,
    field_validator,
    model_validator,
)

from linkwright.engine.comparison_methods import (
    BOUND_RULES,
    METHOD_RULES,
    TEXT_TYPES,
    LevelCondition,
    LevelKind,
    Method,
)
from linkwright.engine.fields import FieldType
from linkwright.engine.level_ladder import unreachable_faults
from linkwright.engine.strategy_faults import PartFault, PartFaultsError, choice, field_of

SUM_TOLERANCE = 0.05
"""How far the m or the u probabilities of one comparison may be from adding up to 1: rounding, no more."""

FREQUENCY_TYPES = TEXT_TYPES | {FieldType.DATE}
"""The types of field whose values can be adjusted for how frequent they are."""


def _refuse_truth_value(value: Any) -> Any:
    if isinstance(value, bool):
        raise ValueError(f"{value} is no number. Give one.")  # noqa: TRY004  pydantic collects ValueErrors only
    return value


Number = Annotated[float, BeforeValidator(_refuse_truth_value), Field(allow_inf_nan=False)]
# Splink takes nothing smaller either: the ratio of two would leave the range of a double
Probability = Annotated[Number, Field(gt=0, ge=1e-300, le=1)]
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,62}$")]
_Bound = Annotated[Number | None, Field(validate_default=True)]


class TermFrequency(BaseModel):
    """That agreement on a rare value weighs more than agreement on a frequent one.

    In the levels that it applies to, a pair's weight changes by weight * log2(u / f): u is the u_probability of
    the level `exact`, f the frequency of the value (of two values the more frequent one's), or minimum_u if that
    is greater. A value of unknown frequency takes the other's; if both are unknown, nothing changes.

    Args:
        weight: over 0, to 1; how much of the adjustment is made.
        minimum_u: 0 to 1; what a value's frequency is at least taken for, so that one typing error weighs no more
            than it should.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    # with 0 there is nothing to allow for; Splink, asked for 0, makes the whole adjustment
    weight: Annotated[Number, Field(gt=0, le=1)] = 1.0
    minimum_u: Annotated[Number, Field(ge=0, le=1)] = 0.0


class ComparisonLevel(BaseModel):
    """One level of agreement, and how often it occurs.

    Args:
        when: the condition.
        at_least: the smallest similarity (over 0, to 1) for `similarity` and `similarity_both`; the smallest
            number of words for `shared_tokens`.
        at_most: the largest number of edits, days, months or years, for `distance`, `edits` and `within_...`; the
            largest difference for `within_absolute`; percent of the greater value, for `within_percent`.
        length: characters, for `same_prefix`.
        term_frequency: whether the comparison's adjustment is for this level too; it always is for `exact`.
        m_probability: how often records of one person are in this level.
        u_probability: how often records of two persons are in this level.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    when: LevelKind
    at_least: _Bound = None
    at_most: _Bound = None
    length: _Bound = None
    term_frequency: bool = False
    m_probability: Probability
    u_probability: Probability

    @field_validator("at_least", "at_most", "length")
    @classmethod
    def _belongs_to_its_kind(cls, value: float | None, info: ValidationInfo) -> float | None:
        if "when" not in info.data:
            return value
        kind: LevelKind = info.data["when"]
        rule = BOUND_RULES.get(kind)
        if rule is None or rule.key != info.field_name:
            if value is not None:
                owners = sorted(other for other, bound in BOUND_RULES.items() if bound.key == info.field_name)
                raise ValueError(f"{value:g} belongs to {', '.join(owners)} only. Remove it.")
            return None
        if value is None:
            raise ValueError(f"is missing; {kind} needs it. Add the bound of the level.")
        if rule.is_whole and value != int(value):
            raise ValueError(f"{value} is no whole number. Give one, such as 3.")
        if value < (1 if rule.is_whole else math.ulp(0.0)):
            lowest = "1 or more" if rule.is_whole else "greater than 0"
            raise ValueError(f"{value:g} is out of bounds. It must be {lowest}.")
        if value > rule.highest:
            raise ValueError(f"{value:g} is out of bounds. It must be {rule.highest:g} or less.")
        return int(value) if rule.is_whole else value

    @property
    def condition(self) -> LevelCondition:
        """The condition with its bound, as `comparison_methods` takes it."""
        bounds = (self.at_least, self.at_most, self.length)
        return LevelCondition(self.when, next((bound for bound in bounds if bound is not None), None))

    @property
    def match_weight(self) -> float:
        """log2(m/u): what the level adds to a pair's match weight."""
        return math.log2(self.m_probability / self.u_probability)


class Comparison(BaseModel):
    """How one field of two records is compared.

    A pair is in the first level whose condition it meets. If one of the values of `field` is missing, it is in
    none of them, and the comparison adds nothing, whatever `swapped_with` holds. A missing value of that meets no
    condition that looks at it.

    Args:
        name: unique in its strategy; the field's name if left out.
        field: the linkage field.
        method: which levels there can be.
        swapped_with: the second field, for the method `name` only: the surname of a given name, for instance.
        term_frequency: how the frequency of values is allowed for; left out for not at all. It needs a level
            `exact`, and a field of text or a date.
        levels: from the closest agreement to the last, which is always `else`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Name
    field: str
    method: Method
    swapped_with: str | None = Field(default=None, validate_default=True)
    term_frequency: TermFrequency | None = None
    levels: tuple[ComparisonLevel, ...] = Field(min_length=2, max_length=100)

    @model_validator(mode="before")
    @classmethod
    def _named_by_its_field(cls, data: Any) -> Any:
        if isinstance(data, Mapping) and isinstance(data.get("field"), str):
            return {"name": data["field"], **data}
        return data

    @field_validator("field")
    @classmethod
    def _is_known(cls, value: str, info: ValidationInfo) -> str:
        field_of(value, info)
        return value

    @field_validator("method")
    @classmethod
    def _fits_its_field(cls, value: Method, info: ValidationInfo) -> Method:
        if "field" not in info.data:
            return value
        field = field_of(info.data["field"], info)
        if field.type not in METHOD_RULES[value].field_types:
            fitting = [method for method, rule in METHOD_RULES.items() if field.type in rule.field_types]
            instead = f"Choose one of {', '.join(fitting)}." if fitting else "Choose another field."
            raise ValueError(
                f"{value.value!r} cannot compare {field.name!r}, a field of type {field.type}. {instead}"
            )
        return value

    @field_validator("swapped_with")
    @classmethod
    def _is_another_field(cls, value: str | None, info: ValidationInfo) -> str | None:
        if "method" not in info.data or "field" not in info.data:
            return value
        if info.data["method"] is not Method.NAME:
            if value is not None:
                raise ValueError(f"{value!r} belongs to the method name only. Remove it, or choose name.")
            return None
        if value is None:
            raise ValueError("is missing; name needs it. Add the field that values may have been swapped with.")
        other = field_of(value, info)
        fitting = METHOD_RULES[Method.NAME].field_types
        if other.name == info.data["field"] or other.type not in fitting:
            types = " or ".join(sorted(fitting))
            raise ValueError(
                f"{value!r}, a field of type {other.type}, cannot be swapped with {info.data['field']!r}. Choose "
                f"another field, of type {types}."
            )
        return value

    @field_validator("term_frequency")
    @classmethod
    def _counts_values(cls, value: TermFrequency | None, info: ValidationInfo) -> TermFrequency | None:
        if value is None or "field" not in info.data:
            return value
        field = field_of(info.data["field"], info)
        if field.type not in FREQUENCY_TYPES:
            raise ValueError(
                f"it cannot be given for {field.name!r}, a field of type {field.type}. It is for fields of type "
                f"{', '.join(sorted(FREQUENCY_TYPES))}. Remove it."
            )
        return value

    @field_validator("levels")
    @classmethod
    def _make_a_ladder(
        cls, levels: tuple[ComparisonLevel, ...], info: ValidationInfo
    ) -> tuple[ComparisonLevel, ...]:
        faults = _sum_faults(levels)
        if levels[-1].when is not LevelKind.ELSE:
            faults.append(((), f"the last level is {levels[-1].when.value!r}. End with a level 'else'."))
        method: Method | None = info.data.get("method")
        faults.extend(unreachable_faults(method, [level.condition for level in levels]))
        if method is not None:
            faults.extend(_foreign_level_faults(method, levels))
        if "term_frequency" in info.data:
            faults.extend(_frequency_faults(levels, has_adjustment=info.data["term_frequency"] is not None))
        if faults:
            raise PartFaultsError(faults)
        return levels

    @property
    def conditions(self) -> tuple[LevelCondition, ...]:
        """The conditions of the levels, in order."""
        return tuple(level.condition for level in self.levels)

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns of the records files that the comparison reads."""
        return (self.field,) if self.swapped_with is None else (self.field, self.swapped_with)

    @property
    def adjusted_levels(self) -> tuple[int, ...]:
        """The numbers of the levels that the frequency of values is allowed for in."""
        if self.term_frequency is None:
            return ()
        return tuple(
            self.level_number(index)
            for index, level in enumerate(self.levels)
            if level.when is LevelKind.EXACT or level.term_frequency
        )

    @property
    def exact_u_probability(self) -> float | None:
        """The u_probability of the level `exact`, None if there is none."""
        return next((level.u_probability for level in self.levels if level.when is LevelKind.EXACT), None)

    @property
    def highest_weight(self) -> float:
        """The most that the comparison can add to a match weight; infinity if that depends on frequencies."""
        adjusted = self.adjusted_levels
        highest = 0.0
        for index, level in enumerate(self.levels):
            weight = level.match_weight
            if self.level_number(index) in adjusted:
                weight += self._highest_adjustment()
            highest = max(highest, weight)
        return highest

    def _highest_adjustment(self) -> float:
        adjustment, exact_u = self.term_frequency, self.exact_u_probability
        if adjustment is None or exact_u is None:
            return 0.0
        if adjustment.minimum_u == 0:
            return math.inf
        # a value of unknown frequency keeps the level's own weight
        return max(0.0, adjustment.weight * math.log2(exact_u / adjustment.minimum_u))

    def level_number(self, index: int) -> int:
        """Return the number under which pairs show the level at `index`: 0 for `else`, counted upwards."""
        return len(self.levels) - 1 - index


def _foreign_level_faults(method: Method, levels: Sequence[ComparisonLevel]) -> list[PartFault]:
    offered = METHOD_RULES[method].kinds
    return [
        ((index, "when"), f"{level.when.value!r} is no level of {method}. {choice(level.when, offered)}")
        for index, level in enumerate(levels)
        if level.when not in offered
    ]


def _frequency_faults(levels: Sequence[ComparisonLevel], *, has_adjustment: bool) -> list[PartFault]:
    """Name what keeps the frequency of values from being allowed for."""
    faults: list[PartFault] = []
    if has_adjustment and all(level.when is not LevelKind.EXACT for level in levels):
        why = "term_frequency is reckoned from the u_probability of a level 'exact', and there is none"
        faults.append(((), f"{why}. Add that level, or remove term_frequency."))
    for index, level in enumerate(levels):
        place: tuple[int | str, ...] = (index, "term_frequency")
        if level.term_frequency and not has_adjustment:
            faults.append(
                (place, "True is of no use without term_frequency of the comparison. Add it, or remove this.")
            )
        elif level.term_frequency and level.when is LevelKind.ELSE:
            faults.append((place, "True is not allowed for 'else', whose values agree in nothing. Remove it."))
    return faults


def _sum_faults(levels: Sequence[ComparisonLevel]) -> list[PartFault]:
    faults: list[PartFault] = []
    for key in ("m_probability", "u_probability"):
        total = sum(getattr(level, key) for level in levels)
        if abs(total - 1) > SUM_TOLERANCE:
            why = f"Every pair is in one level, so they must add up to 1 (within {SUM_TOLERANCE}). Correct them."
            faults.append(((), f"the values of {key} add up to {total:.4g}. {why}"))
    return faults
