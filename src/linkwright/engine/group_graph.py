"""Owns the drawing of a group as a graph: where its records stand on a circle, and the links between them.

Pure geometry: no colours, no markup, no values. Records stand in such an order that linked ones are neighbours.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

MOST_DRAWN_RECORDS = 40
"""A larger group is not drawn: nobody could follow its links."""
MOST_LABELLED_EDGES = 15
MOST_LEVEL_NAMES = 12
"""Of more records the names are turned to stand around the circle, each in one line instead of two."""
_NODE_RADIUS = 11
_LABEL_GAP = 18
_LETTER_WIDTH = 7.4
_LINE_HEIGHT = 15
# where along its line an edge says its weight: in the middle, but where lines across the whole circle would meet
_MIDDLE, _ACROSS = 0.5, 0.16
_THINNEST, _THICKEST, _DECIDED = 1.0, 4.5, 2.5
# an angle so near to straight up or down puts the text above or below
_UPRIGHT = 0.35


@dataclass(frozen=True)
class Edge:
    """A link between two records.

    Args:
        left: the place of one record in the list, from 0.
        right: the place of the other.
        weight: log2; infinity for a deterministic strategy; None for a decision, which weighs nothing.
    """

    left: int
    right: int
    weight: float | None


@dataclass(frozen=True)
class DrawnNode:
    """A record: a circle with its number, and its name beside it.

    Args:
        place: in the list, from 0.
        x: of the middle, in the drawing's units.
        y: likewise, downwards.
        label_x: where the name begins, ends or has its middle, by `anchor`.
        label_y: its base line.
        anchor: `start`, `middle` or `end`.
        turn: degrees clockwise by which the name is turned around that point; 0 for one that is level.
    """

    place: int
    x: float
    y: float
    label_x: float
    label_y: float
    anchor: str
    turn: float


@dataclass(frozen=True)
class DrawnEdge:
    """A line between two records.

    Args:
        edge: what it stands for.
        x1: of one end, as `DrawnNode.x`; likewise y1, x2 and y2.
        width: of the line.
        is_tree: whether it is one of the heaviest links that hold the group together, or its like for one part.
        label_x: the middle of where its weight is written; likewise label_y.
    """

    edge: Edge
    x1: float
    y1: float
    x2: float
    y2: float
    width: float
    is_tree: bool
    label_x: float
    label_y: float


@dataclass(frozen=True)
class GroupGraph:
    """The drawing.

    Args:
        width: of the whole, in its units.
        height: likewise.
        nodes: in the order of the list.
        edges: those that hold the group together last, so that they lie above the others.
        has_weights: whether there is room for weights at the lines.
    """

    width: float
    height: float
    nodes: tuple[DrawnNode, ...]
    edges: tuple[DrawnEdge, ...]
    has_weights: bool

    @property
    def node_radius(self) -> int:
        """Of each record's circle."""
        return _NODE_RADIUS


def draw_group(records_count: int, edges: Sequence[Edge], longest_name: int) -> GroupGraph:
    """Lay a group out.

    Args:
        records_count: from 1 to `MOST_DRAWN_RECORDS`.
        edges: between its records.
        longest_name: the characters of the longest line of a name.

    Raises:
        ValueError: if there are none or too many records.
    """
    if not 1 <= records_count <= MOST_DRAWN_RECORDS:
        raise ValueError(f"a group of {records_count} records cannot be drawn; 1 to {MOST_DRAWN_RECORDS} can")
    radius = _circle_radius(records_count)
    label_width = longest_name * _LETTER_WIDTH
    margin = _LABEL_GAP + (label_width if records_count > MOST_LEVEL_NAMES else 2 * _LINE_HEIGHT)
    width = 2 * (radius + _LABEL_GAP + label_width)
    height = 2 * (radius + margin) if records_count > 2 else 2 * margin  # noqa: PLR2004 - one or two stand in a row
    middle = (width / 2, height / 2)
    angles = _angles(_neighbours_first(records_count, edges))
    turned = records_count > MOST_LEVEL_NAMES
    nodes = tuple(_node(place, angles[place], radius, middle, turned=turned) for place in range(records_count))
    tree = _spanning_tree(records_count, edges)
    lightest_first = sorted(
        edges, key=lambda edge: (edge in tree, -math.inf if edge.weight is None else edge.weight)
    )
    return GroupGraph(
        width=width,
        height=height,
        nodes=nodes,
        edges=tuple(_edge(edge, nodes, edges, is_tree=edge in tree) for edge in lightest_first),
        has_weights=len(edges) <= MOST_LABELLED_EDGES,
    )


def _circle_radius(records_count: int) -> float:
    if records_count == 1:
        return 0.0
    if records_count > MOST_LEVEL_NAMES:
        # a turned name takes a line's height of the circumference
        return max(150.0, records_count * 1.6 * _LINE_HEIGHT / (2 * math.pi) * 1.6)
    return 80.0 + 10 * records_count


def _neighbours_first(records_count: int, edges: Sequence[Edge]) -> list[int]:
    """Return the records in an order in which linked ones follow each other: along the heaviest links first."""
    links: dict[int, list[tuple[float, int]]] = {place: [] for place in range(records_count)}
    for edge in edges:
        links[edge.left].append((-_weight_of(edge), edge.right))
        links[edge.right].append((-_weight_of(edge), edge.left))
    order: list[int] = []
    seen: set[int] = set()
    for first in range(records_count):
        waiting = [first]
        while waiting:
            place = waiting.pop()
            if place in seen:
                continue
            seen.add(place)
            order.append(place)
            # the heaviest last: it is taken off next
            waiting.extend(other for _weight, other in sorted(links[place], reverse=True) if other not in seen)
    return order


def _spanning_tree(records_count: int, edges: Sequence[Edge]) -> frozenset[Edge]:
    """Return the heaviest links that join all that is joined (Kruskal 1956); decisions go before every weight."""
    parts = list(range(records_count))

    def part_of(place: int) -> int:
        while parts[place] != place:
            parts[place] = parts[parts[place]]
            place = parts[place]
        return place

    tree = set()
    for edge in sorted(edges, key=lambda edge: (-_weight_of(edge), edge.left, edge.right)):
        one, other = part_of(edge.left), part_of(edge.right)
        if one != other:
            parts[other] = one
            tree.add(edge)
    return frozenset(tree)


def _weight_of(edge: Edge) -> float:
    return math.inf if edge.weight is None else edge.weight


def _angles(order: Sequence[int]) -> dict[int, float]:
    """Return each record's angle, clockwise from the right; two records stand left and right."""
    count = len(order)
    # three and more begin at the top; two on the left
    start = math.pi if count <= 2 else -math.pi / 2  # noqa: PLR2004
    return {place: start + 2 * math.pi * turn / count for turn, place in enumerate(order)}


def _node(place: int, angle: float, radius: float, middle: tuple[float, float], *, turned: bool) -> DrawnNode:
    across, down = math.cos(angle), math.sin(angle)
    x, y = middle[0] + radius * across, middle[1] + radius * down
    if radius == 0:
        return DrawnNode(place, x, y, x, y + _LABEL_GAP + _LINE_HEIGHT / 2, "middle", 0.0)
    label_x, label_y = x + _LABEL_GAP * across, y + _LABEL_GAP * down
    if turned:
        degrees = math.degrees(angle) % 360
        is_left = 90 < degrees < 270  # noqa: PLR2004 - degrees
        turn = degrees - 180 if is_left else degrees
        return DrawnNode(place, x, y, label_x, label_y, "end" if is_left else "start", round(turn, 2))
    if abs(across) < _UPRIGHT:
        # two lines of text: below, the first begins under the circle; above, the second ends over it
        shift = _LINE_HEIGHT if down > 0 else -_LINE_HEIGHT - 4
        return DrawnNode(place, x, y, x, y + down * _NODE_RADIUS + shift, "middle", 0.0)
    side = math.copysign(_NODE_RADIUS + 6, across)
    return DrawnNode(place, x, y, x + side, y - 2 + down * _NODE_RADIUS, "start" if across > 0 else "end", 0.0)


def _edge(edge: Edge, nodes: Sequence[DrawnNode], edges: Sequence[Edge], *, is_tree: bool) -> DrawnEdge:
    one, other = nodes[edge.left], nodes[edge.right]
    middle = (sum(node.x for node in nodes) / len(nodes), sum(node.y for node in nodes) / len(nodes))
    half = ((one.x + other.x) / 2, (one.y + other.y) / 2)
    is_across = len(nodes) > 2 and math.dist(half, middle) < 1  # noqa: PLR2004 - of two nothing crosses
    place = _ACROSS if is_across else _MIDDLE
    return DrawnEdge(
        edge=edge,
        x1=one.x,
        y1=one.y,
        x2=other.x,
        y2=other.y,
        width=_edge_width(edge, edges),
        is_tree=is_tree,
        label_x=one.x + (other.x - one.x) * place,
        label_y=one.y + (other.y - one.y) * place,
    )


def _edge_width(edge: Edge, edges: Sequence[Edge]) -> float:
    """Return a width between the thinnest and the thickest, by the weight among the group's own."""
    if edge.weight is None:
        return _DECIDED
    if math.isinf(edge.weight):
        return _THICKEST
    finite = [one.weight for one in edges if one.weight is not None and math.isfinite(one.weight)]
    lowest, highest = min(finite), max(finite)
    share = (edge.weight - lowest) / (highest - lowest) if highest > lowest else 0.5
    return round(_THINNEST + share * (_THICKEST - _THINNEST), 2)
