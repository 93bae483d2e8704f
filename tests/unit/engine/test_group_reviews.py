"""Quality Reviews read together: the newer hold, contradictions are named, ended records pass decisions on."""

from collections.abc import Sequence

import networkx as nx
from hypothesis import example, given
from hypothesis import strategies as st

from linkwright.engine.reviews import Decision, Settled, between_live, settle


def together(one: int, other: int, batch: int = 0) -> Decision:
    return Decision(one, other, is_together=True, batch=batch)


def apart(one: int, other: int, batch: int = 0) -> Decision:
    return Decision(one, other, is_together=False, batch=batch)


def test_decisions_that_agree_all_hold() -> None:
    settled = settle([together(1, 2), apart(2, 3), together(3, 4)])
    assert set(settled.together) == {(1, 2), (3, 4)}
    assert settled.apart == ((2, 3),)
    assert settled.contradictions == ()
    assert settled.record_ids == {1, 2, 3, 4}


def test_a_later_decision_about_the_same_records_replaces_the_earlier_without_a_word() -> None:
    settled = settle([together(1, 2, batch=0), apart(2, 1, batch=1)])
    assert (settled.together, settled.apart, settled.contradictions) == ((), ((1, 2),), ())


def test_of_a_chain_that_contradicts_an_apart_the_oldest_decision_does_not_hold() -> None:
    settled = settle([together(1, 2, batch=0), together(2, 3, batch=1), apart(1, 3, batch=2)])
    assert (settled.together, settled.apart) == (((2, 3),), ((1, 3),))
    (contradiction,) = settled.contradictions
    assert contradiction.left_out == together(1, 2)
    assert contradiction.apart == (1, 3)
    assert contradiction.chain == (1, 2, 3)


def test_an_apart_that_is_older_than_the_chain_does_not_hold() -> None:
    settled = settle(
        [apart(1, 4, batch=0), together(1, 2, batch=1), together(2, 3, batch=2), together(3, 4, batch=3)]
    )
    assert settled.apart == ()
    assert settled.contradictions[0].chain == (1, 2, 3, 4)
    assert str(settled.contradictions[0]) == (
        "Records 1 and 4 were put apart, but decisions put them together through 1-2, 2-3, 3-4. Of these "
        "decisions, the one that 1 and 4 belong apart does not hold: newer ones go before older ones, and apart "
        "before together. Review these records, and decide anew the pair that is wrong."
    )


def test_in_one_batch_apart_goes_before_together() -> None:
    settled = settle([together(1, 2), apart(1, 2)])
    assert (settled.together, settled.apart) == ((), ((1, 2),))
    assert settled.contradictions[0].left_out == together(1, 2)


def test_a_record_cannot_be_apart_from_itself() -> None:
    settled = settle([apart(5, 5), together(6, 6)])
    assert (settled.together, settled.apart) == ((), ())
    assert "they are one record" in str(settled.contradictions[0])


def test_a_decision_outlives_the_record_that_it_was_made_with() -> None:
    settled = settle([together(1, 2), together(2, 3), apart(2, 9), apart(3, 8)])
    assert between_live(settled, {1, 3, 8, 9}) == ([(1, 3)], [(1, 9), (3, 8)])
    assert between_live(settled, {3, 9}) == ([], [(3, 9)])
    assert between_live(settled, {9}) == ([], [])


RECORDS = st.integers(1, 6)
DECISIONS = st.lists(st.builds(Decision, RECORDS, RECORDS, st.booleans(), st.integers(0, 3)), max_size=12)


# one decision, told both ways round
ROUND, BACK = Decision(1, 4, is_together=True, batch=0), Decision(4, 1, is_together=True, batch=0)


def graph_of(pairs: Sequence[tuple[int, int]]) -> "nx.Graph[int]":
    graph: nx.Graph[int] = nx.Graph(pairs)
    graph.add_nodes_from(range(1, 7))
    return graph


def stays_consistent(settled: Settled) -> bool:
    graph = graph_of(settled.together)
    return not any(nx.has_path(graph, one, other) for one, other in settled.apart)


@given(DECISIONS)
def test_what_holds_is_free_of_contradictions_and_every_contradiction_is_real(decisions: list[Decision]) -> None:
    settled = settle(decisions)
    assert stays_consistent(settled)
    graph = graph_of(settled.together)
    for contradiction in settled.contradictions:
        ends = {contradiction.chain[0], contradiction.chain[-1]}
        assert ends == set(contradiction.apart)
        links = {frozenset(link) for link in zip(contradiction.chain, contradiction.chain[1:], strict=False)}
        left_out = contradiction.left_out
        if left_out.is_together:
            assert frozenset(left_out.pair) in links
            assert nx.has_path(graph, *left_out.pair) or contradiction.apart in settled.apart
            links.discard(frozenset(left_out.pair))
        assert all(tuple(sorted(link)) in settled.together for link in links)


@example(([ROUND, BACK, Decision(1, 4, False, 0)], [BACK, ROUND, Decision(1, 4, False, 0)]))
@given(DECISIONS.flatmap(lambda decisions: st.tuples(st.just(decisions), st.permutations(decisions))))
def test_the_order_in_which_decisions_are_read_changes_nothing(
    orders: tuple[list[Decision], list[Decision]],
) -> None:
    assert settle(orders[0]) == settle(orders[1])


@given(DECISIONS, st.sets(RECORDS))
def test_live_records_are_bound_exactly_as_through_all_records(decisions: list[Decision], live: set[int]) -> None:
    settled = settle(decisions)
    everyone = graph_of(settled.together)
    joined, parted = between_live(settled, live)
    left = graph_of(joined)
    assert {record for pair in (*joined, *parted) for record in pair} <= live
    for one in live:
        for other in live:
            assert nx.has_path(left, one, other) == nx.has_path(everyone, one, other)
            assert are_apart(left, parted, one, other) == are_apart(everyone, settled.apart, one, other)


def are_apart(graph: "nx.Graph[int]", parted: Sequence[tuple[int, int]], one: int, other: int) -> bool:
    """Say whether some pair is apart of which one side is joined to each of two records."""
    return any(
        nx.has_path(graph, one, first) and nx.has_path(graph, other, second)
        for pair in parted
        for first, second in (pair, pair[::-1])
    )
