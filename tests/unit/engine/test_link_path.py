"""The chain between two records of a group: as strong as networkx's maximum spanning tree says it can be."""

import math
from itertools import combinations

import networkx as nx
import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from linkwright.engine.link_path import Link, spanning_links, strongest_path

RECORDS_COUNT = 9
WEIGHTS = st.one_of(st.floats(-5, 30, allow_nan=False), st.sampled_from([4.0, 4.0, 12.5, math.inf]))
LINKS = st.dictionaries(
    st.tuples(st.integers(1, RECORDS_COUNT), st.integers(1, RECORDS_COUNT)).filter(lambda pair: pair[0] < pair[1]),
    WEIGHTS,
    max_size=20,
).map(lambda pairs: [Link(*pair, weight, "person") for pair, weight in pairs.items()])


def ends_of(path: tuple[Link, ...], start: int) -> int:
    """Walk a path; every link must go on where the one before it ended."""
    at = start
    for link in path:
        assert at in link[:2]
        at = link.record_id_r if link.record_id_l == at else link.record_id_l
    return at


@given(LINKS, st.permutations(range(1, RECORDS_COUNT + 1)))
def test_its_weakest_link_is_that_of_the_maximum_spanning_tree(links: list[Link], records: list[int]) -> None:
    start, end = records[:2]
    graph: nx.Graph[int] = nx.Graph()
    graph.add_nodes_from(records)
    graph.add_edges_from((link[0], link[1], {"weight": link.match_weight}) for link in links)
    path = strongest_path(links, start, end)
    if not nx.has_path(graph, start, end):
        assert path is None
        return
    assert path
    assert ends_of(path, start) == end
    tree = nx.maximum_spanning_tree(graph)
    best = nx.shortest_path(tree, start, end)
    bottleneck = min(tree.edges[pair]["weight"] for pair in nx.utils.pairwise(best))
    assert min(link.match_weight for link in path) == bottleneck
    strong = graph.edge_subgraph(pair for pair in graph.edges if graph.edges[pair]["weight"] >= bottleneck)
    assert len(path) == nx.shortest_path_length(strong, start, end)


@given(LINKS, st.randoms(use_true_random=False))
def test_neither_the_order_of_the_links_nor_the_side_changes_it(links: list[Link], random: object) -> None:
    shuffled = sorted(links, key=lambda link: hash((random, link)))
    path = strongest_path(links, 1, 2)
    assert strongest_path(shuffled, 1, 2) == path
    other_way = strongest_path(links, 2, 1)
    assert (other_way and other_way[::-1]) == path


def test_a_chain_of_strong_links_goes_before_a_weak_one_of_their_own() -> None:
    own, first, second = Link(1, 3, 4.0, "person"), Link(1, 2, 20.0, "person"), Link(2, 3, math.inf, "identifier")
    assert strongest_path([own, first, second], 3, 1) == (second, first)
    assert strongest_path([own], 3, 1) == (own,)


def test_a_pair_of_their_own_goes_before_a_chain_that_is_no_stronger() -> None:
    own, first, second = Link(1, 3, 4.0, "person"), Link(1, 2, 20.0, "person"), Link(2, 3, 4.0, "person")
    assert strongest_path([first, second, own], 1, 3) == (own,)


def test_links_of_other_groups_make_no_chain() -> None:
    assert strongest_path([Link(1, 2, 9.0, "person"), Link(3, 4, 9.0, "person")], 1, 4) is None
    assert strongest_path([], 1, 4) is None


@given(LINKS)
def test_the_spanning_links_keep_the_strongest_chain_between_any_two_records(links: list[Link]) -> None:
    columns = [
        np.array([link[place] for link in links], kind) for place, kind in ((0, "i8"), (1, "i8"), (2, "f8"))
    ]
    places = spanning_links(*columns).tolist()
    kept = [links[place] for place in places]
    assert places == sorted(set(places))
    graph: nx.Graph[int] = nx.Graph([link[:2] for link in kept])
    assert nx.is_forest(graph) if kept else not links
    for start, end in combinations(range(1, RECORDS_COUNT + 1), 2):
        whole, tree = strongest_path(links, start, end), strongest_path(kept, start, end)
        assert (whole is None) is (tree is None)
        if whole and tree:
            assert min(link.match_weight for link in whole) == min(link.match_weight for link in tree)
