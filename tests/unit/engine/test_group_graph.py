"""The drawing of a group: every size from one record on, without names or lines on top of each other."""

import math
from itertools import combinations

import pytest

from linkwright.engine.group_graph import MOST_DRAWN_RECORDS, Edge, draw_group

WHOLE = [Edge(0, 1, 5.0), Edge(0, 2, 9.0), Edge(1, 2, 7.0)]


@pytest.mark.parametrize("count", [1, 2, 3, 5, 12, 13, MOST_DRAWN_RECORDS])
def test_records_stand_apart_and_inside_the_drawing(count: int) -> None:
    graph = draw_group(count, [Edge(*pair, 3.0) for pair in combinations(range(count), 2)], longest_name=20)
    assert [node.place for node in graph.nodes] == list(range(count))
    for one, other in combinations(graph.nodes, 2):
        assert math.dist((one.x, one.y), (other.x, other.y)) > 2 * graph.node_radius
    for node in graph.nodes:
        assert graph.node_radius < node.x < graph.width - graph.node_radius
        assert graph.node_radius < node.y < graph.height - graph.node_radius


def test_a_record_alone_and_two_stand_in_a_row() -> None:
    (alone,) = draw_group(1, [], longest_name=5).nodes
    one, other = draw_group(2, [Edge(0, 1, 3.0)], longest_name=5).nodes
    assert alone.anchor == "middle"
    assert one.y == pytest.approx(other.y)
    assert (one.anchor, other.anchor) == ("end", "start")


def test_weights_are_written_where_no_two_lines_meet() -> None:
    graph = draw_group(4, [Edge(*pair, 3.0) for pair in combinations(range(4), 2)], longest_name=5)
    assert graph.has_weights
    for one, other in combinations(graph.edges, 2):
        assert math.dist((one.label_x, one.label_y), (other.label_x, other.label_y)) > 20


def test_many_links_leave_no_room_for_weights() -> None:
    assert not draw_group(7, [Edge(*pair, 3.0) for pair in combinations(range(7), 2)], longest_name=5).has_weights


def test_the_heavier_a_link_the_thicker_and_the_later_drawn() -> None:
    drawn = draw_group(3, [*WHOLE[1:], Edge(0, 1, math.inf)], longest_name=5).edges
    assert [one.edge.weight for one in drawn] == [7.0, 9.0, math.inf]
    widths = [one.width for one in drawn]
    assert widths == sorted(widths)


def test_the_heaviest_links_that_join_all_are_told_from_the_others() -> None:
    drawn = draw_group(3, WHOLE, longest_name=5).edges
    assert {(one.edge.left, one.edge.right) for one in drawn if one.is_tree} == {(0, 2), (1, 2)}
    assert not drawn[0].is_tree


def test_a_decision_holds_together_before_any_weight() -> None:
    drawn = draw_group(3, [*WHOLE[1:], Edge(0, 1, None)], longest_name=5).edges
    assert [one.edge.weight for one in drawn if not one.is_tree] == [7.0]


def test_linked_records_are_neighbours_on_the_circle() -> None:
    chain = [Edge(0, 3, 8.0), Edge(3, 1, 8.0), Edge(1, 4, 8.0), Edge(4, 2, 8.0)]
    nodes = draw_group(5, chain, longest_name=5).nodes
    side = math.dist((nodes[0].x, nodes[0].y), (nodes[3].x, nodes[3].y))
    for edge in chain:
        left, right = nodes[edge.left], nodes[edge.right]
        assert math.dist((left.x, left.y), (right.x, right.y)) == pytest.approx(side)


@pytest.mark.parametrize("count", [0, MOST_DRAWN_RECORDS + 1])
def test_what_nobody_could_follow_is_refused(count: int) -> None:
    with pytest.raises(ValueError, match="cannot be drawn"):
        draw_group(count, [], longest_name=5)
