"""Owns blocking rules: the expressions that two records must share to become a candidate pair.

A rule is a list of expressions joined by AND; an expression is a field, or a transformed field. A record that
lacks one of a rule's values is in no block of that rule; with `any_token` it is in as many blocks as it has words.
Must not know how pairs are counted, found or scored.

Source: SPEC section 1 (match configuration) and 5; transforms as in Splink 5's blocking_rule_library.
"""

import json
from collections.abc import Sequence
from enum import StrEnum
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator, model_validator

from linkwright.engine.dialect import Dialect
from linkwright.engine.fields import INITIAL_SUFFIX, NYSIIS_SUFFIX, SOUNDEX_SUFFIX, FieldType
from linkwright.engine.sql import identifier, literal
from linkwright.engine.strategy_faults import field_of

MAX_LENGTH = 100
_SEPARATOR = " / "


class Transform(StrEnum):
    """What is done to a field's value before two records are compared on it."""

    SOUNDEX = "soundex"
    NYSIIS = "nysiis"
    INITIAL = "initial"
    PREFIX = "prefix"
    SUFFIX = "suffix"
    YEAR = "year"
    MONTH_DAY = "month_day"
    ANY_TOKEN = "any_token"  # noqa: S105 - a word of a text
    SWAPPED = "swapped"


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
    return (*derived, Transform.PREFIX, Transform.SUFFIX, Transform.ANY_TOKEN, Transform.SWAPPED)


class BlockingExpression(BaseModel):
    """A value that both records of a candidate pair share: a field's, or what a transform makes of it.

    Written as the field's name alone, or as a mapping.

    Args:
        field: the linkage field.
        transform: left out for the plain value. `soundex`, `nysiis` and `initial` read the columns that Load
            worked out. `any_token` asks for one word in common, `swapped` for the same two values of `field` and
            `swapped_with`, in either order.
        length: characters, for `prefix` and `suffix` only.
        swapped_with: the other linkage field, for `swapped` only.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    field: str
    transform: Transform | None = None
    length: int | None = Field(default=None, ge=1, le=MAX_LENGTH, validate_default=True)
    swapped_with: str | None = Field(default=None, validate_default=True)

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

    @field_validator("swapped_with")
    @classmethod
    def _is_another_field(cls, value: str | None, info: ValidationInfo) -> str | None:
        if "transform" not in info.data or "field" not in info.data:
            return value
        if info.data["transform"] is not Transform.SWAPPED:
            if value is not None:
                raise ValueError(f"{value!r} belongs to swapped only. Remove it, or choose swapped.")
            return value
        if value is None:
            raise ValueError("is missing. Add the linkage field that the value may have been swapped with.")
        own, other = field_of(info.data["field"], info), field_of(value, info)
        if own == other or Transform.SWAPPED not in transforms_for(other.type):
            raise ValueError(f"{value!r} cannot be swapped with {own.name!r}. Choose another field of text.")
        return value

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns of the records files that the expression reads."""
        own = self.field + DERIVED_SUFFIX.get(self.transform, "") if self.transform else self.field
        return (own, self.swapped_with) if self.swapped_with else (own,)

    @property
    def has_many_values(self) -> bool:
        """Whether a record can have several values, and so be in several blocks."""
        return self.transform is Transform.ANY_TOKEN

    def __str__(self) -> str:
        if self.transform is None:
            return self.field
        detail = f" {self.length}" if self.length is not None else f" with {self.swapped_with}"
        return f"{self.field} ({self.transform}{detail if self.length or self.swapped_with else ''})"


BlockingRule = tuple[BlockingExpression, ...]


def rule_text(rule: BlockingRule) -> str:
    """Say a rule in words, as pages and warnings show it: `surname (soundex) and date_of_birth (year)`."""
    return " and ".join(str(expression) for expression in rule)


def rule_columns(rules: Sequence[BlockingRule]) -> tuple[str, ...]:
    """List the columns that the rules read, each once, in order of appearance."""
    return tuple(dict.fromkeys(column for rule in rules for part in rule for column in part.columns))


def expression_sql(expression: BlockingExpression, dialect: Dialect, prefix: str = "") -> str:
    """Return the expression's value of one record; NULL where a field is missing. For `any_token` a list.

    Args:
        expression: what to compute.
        dialect: the engine's SQL.
        prefix: of the columns' names, such as `l_` for the left record of a pair.
    """
    value, *others = (identifier(prefix + name) for name in expression.columns)
    length = expression.length or 0
    match expression.transform:
        case Transform.PREFIX:
            sql = dialect.prefix(value, length)
        case Transform.SUFFIX:
            sql = dialect.suffix(value, length)
        case Transform.YEAR:
            sql = dialect.year(value)
        case Transform.MONTH_DAY:
            sql = f"({dialect.month(value)} * 100 + {dialect.day(value)})"
        case Transform.ANY_TOKEN:
            sql = dialect.distinct_tokens(value)
        case Transform.SWAPPED:
            (other,), between = others, f" || {literal(_SEPARATOR)} || "
            in_order, swapped = f"{value}{between}{other}", f"{other}{between}{value}"
            sql = f"CASE WHEN {value} <= {other} THEN {in_order} ELSE {swapped} END"
        case _:
            sql = value
    return sql


def rule_identity(rule: BlockingRule) -> str:
    """Return a text that is equal for rules that put every record into the same blocks."""
    return json.dumps([part.model_dump(exclude_none=True, mode="json") for part in rule], sort_keys=True)


def block_keys_sql(rule: BlockingRule, dialect: Dialect, records: str) -> str:
    """Return the 64-bit keys of the blocks that each record is in.

    Equal keys make candidates; `rule_holds_sql` decides.

    Reads:   `records`: position and the columns of the rule.
    Returns: position, block_key; no row for a record that lacks a value, a row per token for `any_token`.
    """
    values_sql = _values_sql(rule, dialect, records)
    return f"SELECT position, {_block_key_sql(rule, dialect)} AS block_key FROM ({values_sql})"


def block_values_sql(rule: BlockingRule, dialect: Dialect, records: str) -> str:
    """Return the keys of the blocks that each record is in, with the block's values for people to read.

    Reads:   `records`: position and the columns of the rule.
    Returns: position, block_key, block_values (text, joined by ' · ').
    """
    values = " || ' · ' || ".join(dialect.text(name) for name in _value_names(rule))
    return (
        f"SELECT position, {_block_key_sql(rule, dialect)} AS block_key, {values} AS block_values "
        f"FROM ({_values_sql(rule, dialect, records)})"
    )


def _values_sql(rule: BlockingRule, dialect: Dialect, records: str) -> str:
    """Return the rule's values of each record, a row per combination of tokens; none if one is missing."""
    values = dict(zip(_value_names(rule), rule, strict=True))
    columns = ", ".join(f"{expression_sql(part, dialect)} AS {name}" for name, part in values.items())
    query = f"SELECT position, {columns} FROM {records}"
    for name, part in values.items():
        if part.has_many_values:
            # a layer per list: two in one SELECT would be walked through side by side
            query = f"SELECT * REPLACE (unnest({name}) AS {name}) FROM ({query})"
    return f"SELECT * FROM ({query}) WHERE {' AND '.join(f'{name} IS NOT NULL' for name in values)}"


def _block_key_sql(rule: BlockingRule, dialect: Dialect) -> str:
    return dialect.block_key(_value_names(rule))


def _value_names(rule: BlockingRule) -> list[str]:
    return [f"v{number}" for number in range(len(rule))]


def rule_holds_sql(rule: BlockingRule, dialect: Dialect) -> str:
    """Return the condition that the records of a pair, in columns l_* and r_*, share all values of the rule."""
    conditions = []
    for part in rule:
        left, right = (expression_sql(part, dialect, prefix) for prefix in ("l_", "r_"))
        conditions.append(dialect.share_element(left, right) if part.has_many_values else f"{left} = {right}")
    return " AND ".join(conditions)
