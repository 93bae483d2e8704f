"""Owns how levels and blocking expressions are written in Splink's SQL, both ways from one table.

The first SQL of a form is what is written; all of them are understood. In it, `"a_l"` and `"a_r"` stand for a
column of the two records, `"b_l"` and `"b_r"` for a second one, `$n` for the bound. Must not know Splink's JSON.

Source: splink.internals.comparison_level_library, .dialects of Splink 4 and 5; `comparison_methods` for what the
levels mean. That both say the same is tested by letting Splink run what is written here.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from linkwright.engine.blocking import BlockingExpression, Transform
from linkwright.engine.comparison_methods import (
    BOUND_RULES,
    DAYS_PER_UNIT,
    LevelCondition,
    LevelKind,
    Method,
)
from linkwright.engine.comparisons import Comparison, ComparisonLevel
from linkwright.engine.dialect import DUCKDB
from linkwright.engine.splink_sql import Node, matched
from linkwright.engine.splink_sql_reader import read_condition
from linkwright.engine.sql import identifier

SECONDS_A_DAY = 86400
_EXACT_DIGITS = 15
_NUMBER = re.compile(r"\d+(?:\.\d+)?(?:e[+-]?\d+)?")
_COLUMN = re.compile(r'"([ab])_([lr])"')


def _same(value: float) -> float:
    return value


def _percent(share: float) -> float:
    rounded = round(share * 100, 12)
    return rounded if rounded / 100 == share else share * 100


@dataclass(frozen=True)
class Form:
    """One way to write a condition.

    Args:
        sqls: the SQL that is written, then others that mean the same.
        written: the number that SQL holds for a bound.
        meant: the bound that a number of SQL stands for; it may be none that the level can have.
        note: how the others differ from the first, where a reader should know.
    """

    sqls: tuple[str, ...]
    written: Callable[[float], float] = _same
    meant: Callable[[float], float] = _same
    note: str = ""

    def patterns(self) -> tuple[Node, ...]:
        """The conditions that all of the SQL stands for."""
        return tuple(read_condition(sql) for sql in self.sqls)


@dataclass(frozen=True)
class LevelForm(Form):
    """One way to write a level of some methods."""

    kind: LevelKind = LevelKind.EXACT
    methods: tuple[Method, ...] = ()


class LevelReading(NamedTuple):
    """What the SQL of a level may mean."""

    method: Method
    condition: LevelCondition
    note: str


def _level(kind: LevelKind, methods: Sequence[Method], *sqls: str, note: str = "") -> LevelForm:
    return LevelForm(sqls, kind=kind, methods=tuple(methods), note=note)


def _measured(kind: LevelKind, methods: Sequence[Method], function: str) -> LevelForm:
    sign = ">=" if BOUND_RULES[kind].key == "at_least" else "<="
    return _level(kind, methods, f'{function}("a_l", "a_r") {sign} $n')


def _within(kind: LevelKind) -> LevelForm:
    seconds = DAYS_PER_UNIT[kind] * SECONDS_A_DAY
    sqls = (
        'abs(epoch("a_l") - epoch("a_r")) <= $n',
        f'abs(date_diff("a_l", "a_r")) <= floor($n / {SECONDS_A_DAY})',
    )
    return LevelForm(
        sqls,
        written=lambda bound: bound * seconds,
        meant=lambda number: number / seconds,
        kind=kind,
        methods=(Method.DATE,),
    )


def _dice_sql() -> str:
    bits = [DUCKDB.bits(f'"a_{side}"') for side in "lr"]
    counts = " + ".join(DUCKDB.set_count(side) for side in bits)
    return f'CASE WHEN "a_l" = "a_r" THEN 1.0 ELSE {DUCKDB.dice(bits[0], bits[1], counts)} END >= $n'


_WORDS = tuple(f"string_split(\"a_{side}\", ' ')" for side in "lr")
_AS_TEXT = tuple(f'CAST("a_{side}" AS VARCHAR)' for side in "lr")
_JARO_WINKLER = 'jaro_winkler_similarity("{0}_l", "{0}_r") >= $n'
_SHARE = 'abs("a_l" - "a_r") / {} < $n'
_GREATER = 'CASE WHEN "a_r" > "a_l" THEN "a_r" ELSE "a_l" END'
_AS_WORDS = "an array of Splink is read as the words of a text: load its elements joined by blanks"
_OF_POSITIVE = "Splink divides by the greater number, Linkwright by its magnitude: they differ below 0, and at 0"

LEVEL_FORMS: tuple[LevelForm, ...] = (
    _level(LevelKind.EXACT, tuple(Method), '"a_l" = "a_r"'),
    _level(LevelKind.EXACT_BOTH, [Method.NAME], '"a_l" = "a_r" AND "b_l" = "b_r"'),
    _level(LevelKind.EXACT_OTHER, [Method.NAME], '"b_l" = "b_r"'),
    _level(LevelKind.SWAPPED, [Method.NAME], '"a_l" = "b_r" AND "b_l" = "a_r"'),
    _measured(LevelKind.SIMILARITY, [Method.JARO_WINKLER, Method.NAME], "jaro_winkler_similarity"),
    _level(
        LevelKind.SIMILARITY_BOTH,
        [Method.NAME],
        f"{_JARO_WINKLER.format('a')} AND {_JARO_WINKLER.format('b')}",
    ),
    _measured(LevelKind.SIMILARITY, [Method.JARO], "jaro_similarity"),
    _measured(LevelKind.SIMILARITY, [Method.JACCARD], "jaccard"),
    _level(LevelKind.SIMILARITY, [Method.DICE], _dice_sql()),
    _measured(LevelKind.DISTANCE, [Method.LEVENSHTEIN], "levenshtein"),
    _measured(
        LevelKind.DISTANCE,
        [Method.DAMERAU_LEVENSHTEIN, Method.POSTCODE, Method.IDENTIFIER],
        "damerau_levenshtein",
    ),
    _level(LevelKind.DISTANCE, [Method.DATE], f"damerau_levenshtein({', '.join(_AS_TEXT)}) <= $n"),
    _level(LevelKind.EDITS, [Method.DATE], f"levenshtein({', '.join(_AS_TEXT)}) <= $n"),
    _level(
        LevelKind.TRANSPOSED,
        [Method.IDENTIFIER],
        'damerau_levenshtein("a_l", "a_r") <= 1 AND NOT levenshtein("a_l", "a_r") <= 1',
        'damerau_levenshtein("a_l", "a_r") <= 1 AND levenshtein("a_l", "a_r") > 1',
    ),
    _level(LevelKind.SAME_PREFIX, [Method.POSTCODE], 'substr("a_l", 1, $n) = substr("a_r", 1, $n)'),
    _level(
        LevelKind.SHARED_TOKENS,
        [Method.TOKENS],
        f"len(list_intersect({', '.join(_WORDS)})) >= $n",
        'len(list_intersect("a_l", "a_r")) >= $n',
        note=_AS_WORDS,
    ),
    _within(LevelKind.WITHIN_YEARS),
    _within(LevelKind.WITHIN_MONTHS),
    _within(LevelKind.WITHIN_DAYS),
    _level(
        LevelKind.WITHIN_DAYS,
        [Method.DATE],
        'abs("a_l" - "a_r") <= $n',
        'abs(date_diff(\'day\', "a_l", "a_r")) <= $n',
    ),
    _level(
        LevelKind.DAY_AND_MONTH_SWAPPED,
        [Method.DATE],
        "strftime(\"a_l\", '%Y-%m-%d') = strftime(\"a_r\", '%Y-%d-%m')",
    ),
    _level(
        LevelKind.SAME_YEAR,
        [Method.DATE],
        'year("a_l") = year("a_r")',
        'substr("a_l", 1, 4) = substr("a_r", 1, 4)',
    ),
    _level(
        LevelKind.SAME_DAY_AND_MONTH,
        [Method.DATE],
        "strftime(\"a_l\", '%m-%d') = strftime(\"a_r\", '%m-%d')",
        "strftime(\"a_l\", '%m%d') = strftime(\"a_r\", '%m%d')",
        'month("a_l") = month("a_r") AND day("a_l") = day("a_r")',
    ),
    _level(LevelKind.WITHIN_ABSOLUTE, [Method.NUMBER], 'abs("a_l" - "a_r") <= $n'),
    LevelForm(
        (
            f'"a_l" = "a_r" OR {_SHARE.format("""greatest(abs("a_l"), abs("a_r"))""")}',
            _SHARE.format(f"({_GREATER})"),
        ),
        written=lambda percent: percent / 100,
        meant=_percent,
        note=_OF_POSITIVE,
        kind=LevelKind.WITHIN_PERCENT,
        methods=(Method.NUMBER,),
    ),
)
"""In the order of preference, where several kinds of one method say the same."""


def _in_order(side: str) -> str:
    one, other = f'"a_{side}"', f'"b_{side}"'
    between = " || ' / ' || "
    return f"CASE WHEN {one} <= {other} THEN {one}{between}{other} ELSE {other}{between}{one} END"


RULE_FORMS: dict[Transform | None, Form] = {
    None: Form(('"a_l" = "a_r"',)),
    Transform.PREFIX: Form(('substr("a_l", 1, $n) = substr("a_r", 1, $n)',)),
    Transform.SUFFIX: Form(('right("a_l", $n) = right("a_r", $n)',)),
    Transform.YEAR: Form(('year("a_l") = year("a_r")', 'substr("a_l", 1, 4) = substr("a_r", 1, 4)')),
    Transform.MONTH_DAY: Form(
        (
            "strftime(\"a_l\", '%m-%d') = strftime(\"a_r\", '%m-%d')",
            "strftime(\"a_l\", '%m%d') = strftime(\"a_r\", '%m%d')",
            'month("a_l") * 100 + day("a_l") = month("a_r") * 100 + day("a_r")',
        )
    ),
    Transform.ANY_TOKEN: Form(
        (
            f"len(list_intersect({', '.join(_WORDS)})) > 0",
            f"len(list_intersect({', '.join(_WORDS)})) >= 1",
            f"list_has_any({', '.join(_WORDS)})",
        )
    ),
    Transform.SWAPPED: Form(
        (
            f"{_in_order('l')} = {_in_order('r')}",
            '("a_l" = "a_r" AND "b_l" = "b_r") OR ("a_l" = "b_r" AND "b_l" = "a_r")',
        )
    ),
}
"""How a blocking expression is written; what Load worked out is a column of its own, and written as such."""

_LEVEL_PATTERNS = tuple((form, form.patterns()) for form in LEVEL_FORMS)
_RULE_PATTERNS = tuple((transform, form.patterns()) for transform, form in RULE_FORMS.items())


def level_sql(item: Comparison, level: ComparisonLevel) -> str:
    """Return the SQL condition of a level, as Splink takes it.

    Args:
        item: the comparison that it belongs to.
        level: of any kind.
    """
    kind, bound = level.condition
    if kind is LevelKind.ELSE:
        return "ELSE"
    form = next(one for one in LEVEL_FORMS if one.kind is kind and item.method in one.methods)
    sql = _COLUMN.sub(lambda found: _level_column(found, item.columns), form.sqls[0])
    return sql if bound is None else sql.replace("$n", _number_sql(form.written(bound)))


def missing_sql(field: str) -> str:
    """Return the SQL condition that a value of a field is missing."""
    return " OR ".join(f"{identifier(f'{field}_{side}')} IS NULL" for side in "lr")


def rule_sql(rule: Sequence[BlockingExpression]) -> str:
    """Return a blocking rule as Splink takes it."""
    parts = [_expression_sql(part) for part in rule]
    return parts[0] if len(parts) == 1 else " AND ".join(f"({part})" for part in parts)


def level_readings(node: Node, columns: Mapping[str, str], label: str = "") -> list[LevelReading]:
    """List what the condition of a level may mean, the likeliest first for each method.

    Args:
        node: the condition, its columns named as the linkage fields are.
        columns: the fields of the comparison, under `a` and, if there is a second, `b`.
        label: of the level; of several readings that say the same, the one goes first that it names.
    """
    readings: list[LevelReading] = []
    for form, patterns in _LEVEL_PATTERNS:
        for index, pattern in enumerate(patterns):
            found = matched(pattern, node, columns)
            if found is None or not _is_bound(form.kind, found[0], form):
                continue
            bound = None if found[0] is None else _bound(form, found[0], label)
            note = form.note if index else ""
            readings += [LevelReading(method, LevelCondition(form.kind, bound), note) for method in form.methods]
    return sorted(readings, key=lambda reading: not _names_unit(reading.condition.kind, label))


def expression_reading(node: Node, columns: Sequence[str]) -> list[tuple[Transform | None, int | None, list[str]]]:
    """List what a part of a blocking rule may mean: transform, length, and the columns in their order.

    Args:
        node: the condition, its columns named as those of the records files are.
        columns: those that it looks at; one or two.
    """
    readings: list[tuple[Transform | None, int | None, list[str]]] = []
    names = dict(zip("ab", columns, strict=False))
    for transform, patterns in _RULE_PATTERNS:
        for pattern in patterns:
            found = matched(pattern, node, names)
            if found is not None and (found[0] is None or found[0] == int(found[0])):
                readings.append((transform, None if found[0] is None else int(found[0]), list(columns)))
                break
    return readings


def example_sqls(method: Method, kind: LevelKind, field: str) -> str:
    """Return how a level of a field is written, with `n` for its bound and `other` for a second field."""
    form = next(one for one in LEVEL_FORMS if one.kind is kind and method in one.methods)
    return _COLUMN.sub(lambda found: _level_column(found, (field, "other")), form.sqls[0]).replace("$n", "n")


def _is_bound(kind: LevelKind, number: float | None, form: Form) -> bool:
    rule = BOUND_RULES.get(kind)
    if rule is None or number is None:
        return rule is None and number is None
    return not rule.is_whole or form.meant(number) == int(form.meant(number))


def _bound(form: Form, number: float, label: str) -> float:
    """Return the bound of a number; of several that are written alike, the one that the label names."""
    named = [float(found) for found in _NUMBER.findall(label)]
    return next((bound for bound in named if form.written(bound) == number), form.meant(number))


def _names_unit(kind: LevelKind, label: str) -> bool:
    return kind in DAYS_PER_UNIT and kind.value.removeprefix("within_").removesuffix("s") in label.lower()


def _level_column(found: re.Match[str], columns: Sequence[str]) -> str:
    return identifier(f"{columns['ab'.index(found[1])]}_{found[2]}")


def _expression_sql(part: BlockingExpression) -> str:
    form = RULE_FORMS.get(part.transform, RULE_FORMS[None])
    sql = _COLUMN.sub(lambda found: f"{found[2]}.{identifier(part.columns['ab'.index(found[1])])}", form.sqls[0])
    return sql if part.length is None else sql.replace("$n", str(part.length))


def _number_sql(number: float) -> str:
    """Write a number so that it is read as the same double: an engine may take it for a decimal otherwise."""
    if number == int(number) and abs(number) < 10**_EXACT_DIGITS:
        return str(int(number))
    text = repr(number)
    is_long = sum(sign.isdigit() for sign in text) > _EXACT_DIGITS
    return text + "e0" if is_long and "e" not in text else text
