"""Turns what services tell of a group into what its page shows. Pure; knows no request and no table."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.urls import reverse

from linkwright.engine.comparison_sql import NULL_LEVEL
from linkwright.engine.group_graph import MOST_DRAWN_RECORDS, MOST_LEVEL_NAMES, Edge, GroupGraph, draw_group
from linkwright.engine.side_by_side import SideValue, compare_side_by_side
from linkwright.services.explain_group import HistoryEntry
from linkwright.services.look_at_group import LookedAtGroup, ShownDecision, ShownLevel
from linkwright.store.models import Envelope
from linkwright.warehouse.group_history import GroupEventKind
from linkwright.warehouse.live_files import RecordKey
from linkwright.web.formatting import count_words, format_weight

NAMED_RECORDS = 5
_LONGEST_LABEL = 26
_LONGEST_VALUE = 60
_PERSON = "source person id"
_INFINITE = "∞"

_EVENT_WORDS = {
    GroupEventKind.CREATED: "Created with",
    GroupEventKind.JOINED: "Joined by",
    GroupEventKind.ABSORBED: "Took in all of",
    GroupEventKind.TOOK_OVER: "Took over from",
    GroupEventKind.ABSORBED_INTO: "Went into",
    GroupEventKind.SPLIT_OFF: "Gave to",
    GroupEventKind.DELETED: "Deleted",
    GroupEventKind.REPLACED: "Replaced by new versions",
}


@dataclass(frozen=True)
class RecordRow:
    """One record of the group; `cells` are its values, None if whoever looks may not see them."""

    number: int
    record_id: int
    key: RecordKey
    envelope: Envelope
    cells: Sequence[SideValue] | None


@dataclass(frozen=True)
class PairRow:
    """One kept pair: its records by number and name, and the level of each comparison, '' if it has none."""

    left: RecordRow
    right: RecordRow
    weight: str
    strategy: str
    is_match: bool
    levels: Sequence[tuple[str, bool]]


@dataclass(frozen=True)
class HistoryLine:
    """One thing that happened; `other_group_id` is linked to."""

    words: str
    other_group_id: int | None
    records: str
    by: str
    envelope: Envelope | None
    at: datetime


@dataclass(frozen=True)
class NodeMark:
    """A record in the drawing: its circle and its name, in one line or two."""

    number: int
    title: str
    x: str
    y: str
    label_x: str
    label_y: str
    second_y: str
    anchor: str
    turn: str
    first: str
    second: str


@dataclass(frozen=True)
class EdgeMark:
    """A link in the drawing; `kind` is 'match', 'review' or 'decision'."""

    kind: str
    is_faint: bool
    title: str
    x1: str
    y1: str
    x2: str
    y2: str
    width: str
    label_x: str
    label_y: str
    label: str


@dataclass(frozen=True)
class GraphView:
    """The drawing with its words."""

    width: str
    height: str
    radius: int
    summary: str
    nodes: Sequence[NodeMark]
    edges: Sequence[EdgeMark]
    kinds: frozenset[str]
    has_weights: bool


@dataclass(frozen=True)
class ReviewView:
    """A Quality Review: who and when, and what it says."""

    envelope: Envelope
    lines: Sequence[tuple[str, bool]]


@dataclass(frozen=True)
class GroupView:
    """All of a group's page."""

    fields: Sequence[str]
    rows: Sequence[RecordRow]
    shows_values: bool
    left_out_count: int
    comparisons: Sequence[str]
    pairs: Sequence[PairRow]
    pairs_left_out_count: int
    graph: GraphView | None
    history: Sequence[HistoryLine]
    reviews: Sequence[ReviewView]
    went_to: Sequence[int]


def view_group(looked: LookedAtGroup) -> GroupView:
    """Sort what was found into what is shown."""
    fields, rows = _rows(looked)
    by_id = {row.record_id: row for row in rows}
    # what no pair has a value of would be an empty column; that a value is missing in some is said
    comparisons = tuple(
        dict.fromkeys(
            level.comparison for one in looked.pairs for level in one.levels if level.number != NULL_LEVEL
        )
    )
    pairs = [
        PairRow(
            left=by_id[one.pair.record_id_l],
            right=by_id[one.pair.record_id_r],
            weight=_weight(one.pair.match_weight),
            strategy=one.pair.strategy,
            is_match=one.pair.is_match,
            levels=_level_cells(comparisons, one.levels),
        )
        for one in looked.pairs
    ]
    return GroupView(
        fields=fields,
        rows=rows,
        shows_values=looked.values is not None,
        left_out_count=len(looked.explained.members) - len(rows),
        comparisons=[name.replace("_", " ") for name in comparisons],
        pairs=pairs,
        pairs_left_out_count=looked.pairs_count - len(pairs),
        graph=_graph(looked, rows),
        history=[_history_line(entry) for entry in reversed(looked.explained.history)],
        reviews=[
            ReviewView(one.envelope, [_decision_line(decision) for decision in one.decisions])
            for one in looked.reviews
        ],
        went_to=_went_to(looked),
    )


def group_url(project_code: str, group_id: int) -> str:
    """Return the address that leads to a group, which may be no more when it is followed."""
    return f"{reverse('records', args=[project_code])}?group={group_id}"


def _rows(looked: LookedAtGroup) -> tuple[tuple[str, ...], list[RecordRow]]:
    values = looked.values
    if values is None:
        return (), [
            RecordRow(number, one.record_id, one.key, one.envelope, None)
            for number, one in enumerate(looked.members, start=1)
        ]
    named = {field.name: field.name.replace("_", " ") for field in looked.fields}
    texts: list[dict[str, str | None]] = []
    for member in looked.members:
        held = values.get(member.record_id)
        shown = {named[name]: _cut(text) for name, text in held.values.items()} if held else {}
        texts.append({_PERSON: held.source_person_id if held else None, **shown})
    fields, cells = compare_side_by_side([*named.values(), _PERSON], texts)
    return fields, [
        RecordRow(number, one.record_id, one.key, one.envelope, cells[number - 1])
        for number, one in enumerate(looked.members, start=1)
    ]


def _cut(text: str | None) -> str | None:
    return text if text is None or len(text) <= _LONGEST_VALUE else f"{text[: _LONGEST_VALUE - 1]}…"


def _level_cells(comparisons: Sequence[str], levels: Sequence[ShownLevel]) -> list[tuple[str, bool]]:
    """Return per comparison the level in words, and whether nothing agrees there."""
    by_name = {level.comparison: (level.text, level.number == 0) for level in levels}
    return [by_name.get(name, ("", False)) for name in comparisons]


def _weight(weight: float) -> str:
    return format_weight(weight) if math.isfinite(weight) else _INFINITE


def _graph(looked: LookedAtGroup, rows: Sequence[RecordRow]) -> GraphView | None:
    """Draw the group, if it is not too large."""
    if not rows or len(looked.explained.members) > MOST_DRAWN_RECORDS:
        return None
    places = {row.record_id: row.number - 1 for row in rows}
    edges: list[Edge] = []
    kinds: dict[tuple[int, int], str] = {}
    for one in looked.pairs:
        left, right = places[one.pair.record_id_l], places[one.pair.record_id_r]
        edges.append(Edge(left, right, one.pair.match_weight))
        kinds[left, right] = "match" if one.pair.is_match else "review"
    for left, right in _decided(looked, places):
        if (left, right) not in kinds:
            edges.append(Edge(left, right, None))
        kinds[left, right] = "decision"
    names = [_name_lines(row, is_one_line=len(rows) > MOST_LEVEL_NAMES) for row in rows]
    drawn = draw_group(len(rows), edges, max(len(line) for lines in names for line in lines))
    counted = count_words(len(rows), "record"), count_words(len(edges), "link")
    return GraphView(
        width=_number(drawn.width),
        height=_number(drawn.height),
        radius=drawn.node_radius,
        summary=f"{counted[0]} and {counted[1]}. The same stands in the tables of records and pairs.",
        nodes=_nodes(drawn, rows, names),
        edges=_edges(drawn, rows, kinds),
        kinds=frozenset(kinds.values()),
        has_weights=drawn.has_weights,
    )


def _decided(looked: LookedAtGroup, places: dict[int, int]) -> set[tuple[int, int]]:
    """Return the records that Quality Reviews put together, by their places."""
    return {
        (min(places[one], places[other]), max(places[one], places[other]))
        for review in looked.reviews
        for decision in review.decisions
        for one, other in [decision.record_ids]
        if decision.is_together and one in places and other in places
    }


def _name_lines(row: RecordRow, *, is_one_line: bool) -> tuple[str, str]:
    if is_one_line:
        return _short(f"{row.key.event_type} {row.key.source_unique_id}"), ""
    return _short(row.key.event_type), _short(row.key.source_unique_id)


def _nodes(drawn: GroupGraph, rows: Sequence[RecordRow], names: Sequence[tuple[str, str]]) -> list[NodeMark]:
    marks = []
    for node in drawn.nodes:
        row = rows[node.place]
        first, second = names[node.place]
        is_turned = not second
        marks.append(
            NodeMark(
                number=row.number,
                title=f"Record {row.number}: {row.key}",
                x=_number(node.x),
                y=_number(node.y),
                label_x=_number(node.label_x),
                label_y=_number(node.label_y + (4 if is_turned else 0)),
                second_y=_number(node.label_y + 15),
                anchor=node.anchor,
                turn=f"rotate({_number(node.turn)} {_number(node.label_x)} {_number(node.label_y)})"
                if is_turned
                else "",
                first=first,
                second=second,
            )
        )
    return marks


def _edges(drawn: GroupGraph, rows: Sequence[RecordRow], kinds: dict[tuple[int, int], str]) -> list[EdgeMark]:
    marks = []
    for one in drawn.edges:
        left, right = rows[one.edge.left], rows[one.edge.right]
        kind = kinds[one.edge.left, one.edge.right]
        weight = one.edge.weight
        told = "put together by a Quality Review" if weight is None else f"match weight {_weight(weight)}"
        marks.append(
            EdgeMark(
                kind=kind,
                is_faint=not (one.is_tree or drawn.has_weights),
                title=f"{left.number} to {right.number}: {told}",
                x1=_number(one.x1),
                y1=_number(one.y1),
                x2=_number(one.x2),
                y2=_number(one.y2),
                width=_number(one.width),
                label_x=_number(one.label_x),
                label_y=_number(one.label_y + 4),
                label="" if weight is None else _weight(weight),
            )
        )
    return marks


def _number(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST_LABEL else f"{text[: _LONGEST_LABEL - 1]}…"


def _history_line(entry: HistoryEntry) -> HistoryLine:
    return HistoryLine(
        words=_EVENT_WORDS[entry.event.kind],
        other_group_id=entry.event.other_group_id,
        records=_named(entry.records),
        by=str(entry.job),
        envelope=entry.envelope,
        at=entry.at,
    )


def _named(records: Sequence[RecordKey]) -> str:
    named = ", ".join(str(key) for key in records[:NAMED_RECORDS])
    more = len(records) - NAMED_RECORDS
    return f"{named} and {more:,} more" if more > 0 else named


def _decision_line(decision: ShownDecision) -> tuple[str, bool]:
    """Return a decision in words, and whether it does not hold."""
    one, other = (
        f"record {record_id}" if key is None else str(key)
        for record_id, key in zip(decision.record_ids, decision.keys, strict=True)
    )
    said = f"{one} and {other} belong {'together' if decision.is_together else 'apart'}"
    if decision.holds is None:
        return f"{said} (one of them is no more)", False
    return said, not decision.holds


def _went_to(looked: LookedAtGroup) -> list[int]:
    """Return the groups that a group which is no more went into, the latest first."""
    if looked.members:
        return []
    left = (GroupEventKind.ABSORBED_INTO, GroupEventKind.SPLIT_OFF)
    entries = [one.event for one in reversed(looked.explained.history) if one.event.kind in left]
    last = [event for event in entries if event.batch == entries[0].batch] if entries else []
    return list(dict.fromkeys(event.other_group_id for event in last if event.other_group_id is not None))
