"""Owns a comparison and its levels: what one field's agreement is told apart by, and how often each level occurs.

Refuses levels that no pair could reach, and probabilities that cannot be. Must not know strategies, thresholds or
SQL.

Source: SPEC section 1 (match configuration); Fellegi and Sunter (1969); levels as in Splink 5.
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
    AT_LEAST,
    AT_MOST,
    DAYS_PER_UNIT,
    METHOD_RULES,
    LevelCondition,
    LevelKind,
    Method,
)
from linkwright.engine.strategy_faults import PartFault, PartFaultsError, choice, field_of

SUM_TOLERANCE = 0.05
"""How far the m or the u probabilities of one comparison may be from adding up to 1: rounding, no more."""


def _refuse_truth_value(value: Any) -> Any:
    if isinstance(value, bool):
        raise ValueError(f"{value} is no number. Give one.")  # noqa: TRY004  pydantic collects ValueErrors only
    return value


Number = Annotated[float, BeforeValidator(_refuse_truth_value), Field(allow_inf_nan=False)]
# Splink takes nothing smaller either: the ratio of two would leave the range of a double
Probability = Annotated[Number, Field(gt=0, ge=1e-300, le=1)]
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,62}$")]


class ComparisonLevel(BaseModel):
    """One level of agreement, and how often it occurs.

    Args:
        when: the condition.
        at_least: the smallest similarity (0 to 1), for `similarity`.
        at_most: the largest number of edits, days, months or years, for `distance` and `within_...`.
        m_probability: how often records of one person are in this level.
        u_probability: how often records of two persons are in this level.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    when: LevelKind
    at_least: Number | None = Field(default=None, gt=0, le=1, validate_default=True)
    at_most: int | None = Field(default=None, ge=1, validate_default=True)
    m_probability: Probability
    u_probability: Probability

    @field_validator("at_least", "at_most")
    @classmethod
    def _belongs_to_its_kind(cls, value: float | None, info: ValidationInfo) -> float | None:
        if "when" not in info.data:
            return value
        kinds = AT_LEAST if info.field_name == "at_least" else AT_MOST
        needed = info.data["when"] in kinds
        if needed and value is None:
            raise ValueError(f"is missing; {info.data['when']} needs it. Add the bound of the level.")
        if not needed and value is not None:
            raise ValueError(f"{value} belongs to {', '.join(sorted(kinds))} only. Remove it.")
        return value

    @property
    def condition(self) -> LevelCondition:
        """The condition with its bound, as `comparison_methods` takes it."""
        return LevelCondition(self.when, self.at_least if self.at_least is not None else self.at_most)

    @property
    def match_weight(self) -> float:
        """log2(m/u): what the level adds to a pair's match weight."""
        return math.log2(self.m_probability / self.u_probability)


class Comparison(BaseModel):
    """How one field of two records is compared.

    A pair is in the first level whose condition it meets. If one of the values is missing, it is in none of
    them, and the comparison adds nothing.

    Args:
        name: unique in its strategy; the field's name if left out.
        field: the linkage field.
        method: which levels there can be.
        levels: from the closest agreement to the last, which is always `else`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Name
    field: str
    method: Method
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

    @field_validator("levels")
    @classmethod
    def _make_a_ladder(
        cls, levels: tuple[ComparisonLevel, ...], info: ValidationInfo
    ) -> tuple[ComparisonLevel, ...]:
        faults = _ladder_faults(levels)
        if "method" in info.data:
            offered = METHOD_RULES[info.data["method"]].kinds
            for index, level in enumerate(levels):
                if level.when not in offered:
                    instead = choice(level.when, offered)
                    faults.append(
                        ((index, "when"), f"{level.when.value!r} is no level of {info.data['method']}. {instead}")
                    )
        if faults:
            raise PartFaultsError(faults)
        return levels

    @property
    def conditions(self) -> tuple[LevelCondition, ...]:
        """The conditions of the levels, in order."""
        return tuple(level.condition for level in self.levels)

    def level_number(self, index: int) -> int:
        """Return the number under which pairs show the level at `index`: 0 for `else`, counted upwards."""
        return len(self.levels) - 1 - index


def _ladder_faults(levels: Sequence[ComparisonLevel]) -> list[PartFault]:
    """Name what keeps levels from being a ladder: some pair reaches each, the last is `else`, all add up to 1."""
    faults: list[PartFault] = []
    if levels[-1].when is not LevelKind.ELSE:
        faults.append(((), f"the last level is {levels[-1].when.value!r}. End with a level 'else'."))
    loosest: dict[str, float] = {}
    for index, level in enumerate(levels):
        place: tuple[int | str, ...] = (index, "when")
        if level.when is LevelKind.ELSE:
            if index < len(levels) - 1:
                faults.append(
                    (place, "'else' takes all pairs, and none reaches the levels after it. Move it last.")
                )
        elif level.when is LevelKind.EXACT:
            if index > 0:
                faults.append(
                    (place, "no pair reaches 'exact' after a looser level. Move it first, and once only.")
                )
        else:
            scale, looseness = _looseness(level)
            if looseness <= loosest.get(scale, -math.inf):
                order = "Order the levels from the closest agreement to the loosest, each once."
                faults.append((place, f"an earlier level takes all pairs of this {level.when.value!r}. {order}"))
            loosest[scale] = max(looseness, loosest.get(scale, looseness))
    for key in ("m_probability", "u_probability"):
        total = sum(getattr(level, key) for level in levels)
        if abs(total - 1) > SUM_TOLERANCE:
            why = f"Every pair is in one level, so they must add up to 1 (within {SUM_TOLERANCE}). Correct them."
            faults.append(((), f"the values of {key} add up to {total:.4g}. {why}"))
    return faults


def _looseness(level: ComparisonLevel) -> tuple[str, float]:
    """Return the scale that a level is on, and how much it lets through on it."""
    kind, bound = level.condition
    if kind in DAYS_PER_UNIT:
        return "days", (bound or 0) * DAYS_PER_UNIT[kind]
    return kind, -(bound or 0) if kind is LevelKind.SIMILARITY else (bound or 0)
