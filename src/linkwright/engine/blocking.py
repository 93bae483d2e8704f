"""Owns blocking rules: the expressions that two records must share to become a candidate pair.

A rule is a list of expressions joined by AND; an expression is a field, or a transformed field. A record that
lacks one of a rule's values is in no block of that rule. Must not know how pairs are counted, found or scored.

Source: SPEC section 1 (match configuration) and 5; transforms as in Splink 5's blocking_rule_library.
"""

from collections.abc import Sequence
from enum import StrEnum
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator, model_validator

from linkwright.engine.dialect import Dialect
from linkwright.engine.fields import INITIAL_SUFFIX, NYSIIS_SUFFIX, SOUNDEX_SUFFIX, FieldType
from linkwright.engine.sql import identifier
from linkwright.engine.strategy_faults import field_of

MAX_LENGTH = 100


class Transform(StrEnum):
    """What is done to a field's value before two records are compared on it."""

    SOUNDEX = "soundex"
    NYSIIS = "nysiis"
    INITIAL = "initial"
    PREFIX = "prefix"
    SUFFIX = "suffix"
    YEAR = "year"
    MONTH_DAY = "month_day"


DERIVED_SUFFIX = {
    Transform.SOUNDEX: SOUNDEX_SUFFIX,
    Transform.NYSIIS: NYSIIS_SUFFIX,
    Transform.INITIAL: INITIAL_SUFFIX,
}
_WITH_LENGTH = frozenset({Transform.PREFIX, Transform.SUFFIX})
_NO_TEXT = frozenset({FieldType.DATE, FieldType.NUMBER, FieldType.BLOOM})


def transforms_for(field_type: FieldType) -> tuple[Transform, ...]:
    """List the transforms that a field of this type allows, in the order of `Transform`."""
    if field_type is FieldType.DATE:
        return (Transform.YEAR, Transform.MONTH_DAY)
    if field_type in _NO_TEXT:
        return ()
    derived = tuple(DERIVED_SUFFIX) if field_type is FieldType.NAME else ()
    return (*derived, Transform.PREFIX, Transform.SUFFIX)


class BlockingExpression(BaseModel):
    """A value that both records of a candidate pair share: a field's, or what a transform makes of it.

    Written as the field's name alone, or as a mapping.

    Args:
        field: the linkage field.
        transform: left out for the plain value. `soundex`, `nysiis` and `initial` read the columns that Load
            worked out.
        length: characters, for `prefix` and `suffix` only.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    field: str
    transform: Transform | None = None
    length: int | None = Field(default=None, ge=1, le=MAX_LENGTH, validate_default=True)

    @model_validator(mode="before")
    @classmethod
    def _from_plain_field(cls, data: Any) -> Any:
        return {"field": data} if isinstance(data, str) else data

    @field_validator("field")
    @classmethod
    def _is_known(cls, value: str, info: ValidationInfo) -> str:
        if field_of(value, info).type is FieldType.BLOOM:
            raise ValueError(f"{value!r} is an encoded field, which cannot block. Choose another field.")
        return value

    @field_validator("transform")
    @classmethod
    def _fits_its_field(cls, value: Transform | None, info: ValidationInfo) -> Transform | None:
        if value is None or "field" not in info.data:
            return value
        field = field_of(info.data["field"], info)
        allowed = transforms_for(field.type)
        if value not in allowed:
            instead = f"Choose one of {', '.join(allowed)}, or leave it out." if allowed else "Leave it out."
            raise ValueError(
                f"{value.value!r} cannot be taken of {field.name!r}, a field of type {field.type}. {instead}"
            )
        return value

    @field_validator("length")
    @classmethod
    def _belongs_to_its_transform(cls, value: int | None, info: ValidationInfo) -> int | None:
        if "transform" not in info.data:
            return value
        needed = info.data["transform"] in _WITH_LENGTH
        if needed and value is None:
            raise ValueError("is missing. Add the number of characters that prefix or suffix keeps.")
        if not needed and value is not None:
            raise ValueError(f"{value} belongs to prefix or suffix only. Remove it, or choose one of them.")
        return value

    @property
    def column(self) -> str:
        """The column of the records files that the expression reads."""
        return self.field + DERIVED_SUFFIX.get(self.transform, "") if self.transform else self.field

    def __str__(self) -> str:
        if self.transform is None:
            return self.field
        length = f" {self.length}" if self.length is not None else ""
        return f"{self.field} ({self.transform}{length})"


BlockingRule = tuple[BlockingExpression, ...]


def rule_text(rule: BlockingRule) -> str:
    """Say a rule in words, as pages and warnings show it: `surname (soundex) and date_of_birth (year)`."""
    return " and ".join(str(expression) for expression in rule)


def rule_columns(rules: Sequence[BlockingRule]) -> tuple[str, ...]:
    """List the columns that the rules read, each once, in order of appearance."""
    return tuple(dict.fromkeys(expression.column for rule in rules for expression in rule))


def expression_sql(expression: BlockingExpression, dialect: Dialect, alias: str | None = None) -> str:
    """Return the expression's value of one record; NULL where the field is missing.

    Args:
        expression: what to compute.
        dialect: the engine's SQL.
        alias: the table alias of the record's row; None if the columns need none.
    """
    column = identifier(expression.column)
    value = f"{alias}.{column}" if alias else column
    length = expression.length or 0
    match expression.transform:
        case Transform.PREFIX:
            return dialect.prefix(value, length)
        case Transform.SUFFIX:
            return dialect.suffix(value, length)
        case Transform.YEAR:
            return dialect.year(value)
        case Transform.MONTH_DAY:
            return f"({dialect.month(value)} * 100 + {dialect.day(value)})"
        case _:
            return value


def rule_key_sql(rule: BlockingRule, dialect: Dialect) -> str:
    """Return the 64-bit key of the block that a record is in, NULL if one of the values is missing.

    Equal keys make candidates; `rule_holds_sql` decides.
    """
    values = [expression_sql(expression, dialect) for expression in rule]
    present = " AND ".join(f"{value} IS NOT NULL" for value in values)
    return f"CASE WHEN {present} THEN {dialect.block_key(values)} END"


def rule_holds_sql(rule: BlockingRule, dialect: Dialect, left: str, right: str) -> str:
    """Return the condition that two rows, under the aliases `left` and `right`, share all values of the rule."""
    return " AND ".join(
        f"{expression_sql(expression, dialect, left)} = {expression_sql(expression, dialect, right)}"
        for expression in rule
    )


def rule_values_sql(rule: BlockingRule, dialect: Dialect, alias: str) -> str:
    """Return a block's values as one text, joined by ' · ', for people to read."""
    values = [dialect.text(expression_sql(expression, dialect, alias)) for expression in rule]
    return " || ' · ' || ".join(values)
