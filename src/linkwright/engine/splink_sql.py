"""Owns the tree that an SQL condition of a Splink model is read into, and how it is compared with patterns.

The order of what may stand in any order, and which record stands left, make no difference. Must not know SQL text,
comparisons, levels or blocking rules.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import permutations
from typing import NamedTuple

LEFT, RIGHT = "left", "right"
"""The kinds of node that are a column of the left and of the right record."""

_ANY_ORDER = frozenset(
    {"jaro_winkler", "jaro", "jaccard", "levenshtein", "damerau_levenshtein", "list_intersect", "greatest"}
)
_MOST_IN_ANY_ORDER = 3


class Node(NamedTuple):
    """A part of a condition.

    kind: `left`, `right` (a column; value is its name), `number`, `text`, `bound` (in patterns), `call` (value is
    the function), or an operator such as `and`, `=`, `is_null`, `case`.
    """

    kind: str
    value: str | float = ""
    parts: tuple["Node", ...] = ()


def columns_of(node: Node) -> tuple[str, ...]:
    """List the columns that a condition looks at, each once, in order of appearance, without their side."""
    found = [str(part.value) for part in walk(node) if part.kind in {LEFT, RIGHT}]
    return tuple(dict.fromkeys(found))


def walk(node: Node) -> Iterator[Node]:
    """Go through a condition and all of its parts."""
    yield node
    for part in node.parts:
        yield from walk(part)


def rewritten(node: Node, change: Callable[[Node], Node]) -> Node:
    """Return a condition in which each part is replaced by what `change` makes of it, innermost first."""
    return change(node._replace(parts=tuple(rewritten(part, change) for part in node.parts)))


def other_side(node: Node) -> Node:
    """Return a condition with the left and the right record exchanged."""
    return rewritten(node, lambda part: part._replace(kind=_OPPOSITE.get(part.kind, part.kind)))


def conjuncts(node: Node) -> tuple[Node, ...]:
    """Return the conditions that a condition joins by AND; itself, if it joins none."""
    return node.parts if node.kind == "and" else (node,)


def without_date_parsing(node: Node) -> tuple[Node, frozenset[str]]:
    """Return a condition as if texts that it reads as dates were dates, and the formats that it reads them by."""
    formats = {str(part.parts[1].value) for part in walk(node) if part[:2] == ("call", "date")}
    bare = rewritten(node, lambda part: part.parts[0] if part[:2] == ("call", "date") else part)
    return bare, frozenset(formats)


def matched(pattern: Node, node: Node, columns: Mapping[str, str]) -> tuple[float | None] | None:
    """Compare a condition with a pattern.

    Args:
        pattern: a condition whose columns are variables; `$n` stands for any number.
        node: the condition.
        columns: the column that each variable stands for.

    Returns:
        None if it is another condition; otherwise the number that stands for `$n`, None if the pattern has none.
    """
    for sides in (node, other_side(node)):
        for bound in _unified(pattern, sides, _Bindings(columns)):
            return (bound.number,)
    return None


_OPPOSITE = {LEFT: RIGHT, RIGHT: LEFT}


@dataclass(frozen=True)
class _Bindings:
    columns: Mapping[str, str]
    number: float | None = None


def _unified(pattern: Node, node: Node, bindings: _Bindings) -> Iterator[_Bindings]:
    if pattern.kind == "bound":
        if node.kind == "number" and bindings.number in {None, node.value}:
            yield replace(bindings, number=float(node.value))
        return
    if pattern.kind != node.kind or len(pattern.parts) != len(node.parts):
        return
    if pattern.kind in {LEFT, RIGHT}:
        if bindings.columns.get(str(pattern.value)) == node.value:
            yield bindings
        return
    if pattern.value != node.value:
        return
    free = pattern.kind in {"and", "or", "="} or pattern.value in _ANY_ORDER
    in_any_order = free and len(node.parts) <= _MOST_IN_ANY_ORDER
    for parts in permutations(node.parts) if in_any_order else (node.parts,):
        yield from _all_unified(pattern.parts, parts, bindings)


def _all_unified(patterns: Sequence[Node], nodes: Sequence[Node], bindings: _Bindings) -> Iterator[_Bindings]:
    if not patterns:
        yield bindings
        return
    for bound in _unified(patterns[0], nodes[0], bindings):
        yield from _all_unified(patterns[1:], nodes[1:], bound)
