"""Properties of grouping over whole projects: Envelopes in any packaging, deletions, reviews, rollbacks.

The oracles are networkx's components and a simulation of weighed links in plain Python sets.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import networkx as nx
from hypothesis import given, settings
from hypothesis import strategies as st

from linkwright.engine.reviews import Decision, settle
from tests.grouped_project import MATCH_THRESHOLD, GroupedProject, Pair

RECORDS_COUNT = 10
ENVELOPES_COUNT = 3
# each example is a dozen runs over real files
SLOW = settings(max_examples=15, deadline=None)

RECORDS = st.integers(1, RECORDS_COUNT)
COUPLES = st.tuples(RECORDS, RECORDS).filter(lambda couple: couple[0] < couple[1])
WEIGHTS = st.sampled_from([3.0, 5.0, 6.0, 7.0, float("inf")])
PAIRS = st.lists(
    st.builds(lambda couple, weight: (*couple, weight), COUPLES, WEIGHTS), max_size=18, unique_by=lambda p: p[:2]
)
PACKAGING = st.lists(st.integers(0, ENVELOPES_COUNT - 1), min_size=RECORDS_COUNT, max_size=RECORDS_COUNT)
"""Per record, the Envelope that it comes in."""


class Envelope(NamedTuple):
    """New records, and the pairs that were found for them among what had come by then."""

    records: list[int]
    pairs: list[Pair]


def packed(pairs: Iterable[Pair], packaging: Sequence[int]) -> list[Envelope]:
    """Return the Envelopes, by the Envelope of each record; a pair comes with the later of its records."""
    envelopes = [Envelope([], []) for _ in range(ENVELOPES_COUNT)]
    for record_id, number in enumerate(packaging, start=1):
        envelopes[number].records.append(record_id)
    for pair in pairs:
        envelopes[max(packaging[pair[0] - 1], packaging[pair[1] - 1])].pairs.append(pair)
    return envelopes


@contextmanager
def new_project(**grouping: Any) -> Iterator[GroupedProject]:
    without_flags: dict[str, Any] = {"flag_conflicting_date": None, "flag_conflicting_sex": None}
    with TemporaryDirectory() as folder:
        yield GroupedProject(Path(folder), **without_flags, **grouping)


def components(record_ids: Iterable[int], links: Iterable[Pair]) -> set[frozenset[int]]:
    """Return networkx's connected components of some records."""
    graph: nx.Graph[int] = nx.Graph()
    graph.add_nodes_from(record_ids)
    graph.add_edges_from((one, other) for one, other, _weight in links if one in graph and other in graph)
    return {frozenset(component) for component in nx.connected_components(graph)}


def matches(pairs: Iterable[Pair]) -> list[Pair]:
    return [pair for pair in pairs if pair[2] >= MATCH_THRESHOLD]


@SLOW
@given(PAIRS, PACKAGING)
def test_merged_groups_are_components_in_any_order_and_packaging(pairs: list[Pair], packaging: list[int]) -> None:
    with new_project() as project:
        before: dict[int, int] = {}
        for envelope in packed(pairs, packaging):
            result = project.group(envelope.records, envelope.pairs)
            after = project.map
            assert result.counts.groups_before_count == len(set(before.values()))
            assert result.counts.groups_after_count == len(set(after.values()))
            # a merged group takes the oldest id, and any other keeps its own
            for record_id, group_id in before.items():
                merged = {before[other] for other in before if after[other] == after[record_id]}
                assert after[record_id] == min(merged) <= group_id
            before = after
        assert set(before) == set(range(1, RECORDS_COUNT + 1))
        assert project.partition == components(before, matches(pairs))


@SLOW
@given(PAIRS, PACKAGING)
def test_best_link_never_merges_existing_groups_and_takes_the_strongest_pairs(
    pairs: list[Pair], packaging: list[int]
) -> None:
    with new_project(method="best_link") as project:
        expected: set[frozenset[int]] = set()
        for envelope in packed(pairs, packaging):
            before = project.map
            result = project.group(envelope.records, envelope.pairs)
            after = project.map
            assert {record_id: after[record_id] for record_id in before} == before
            assert result.merged_groups_count == 0
            expected, refused = best_linked(expected, envelope)
            assert project.partition == expected
            assert result.ignored.pairs_count == refused


def best_linked(existing: set[frozenset[int]], envelope: Envelope) -> tuple[set[frozenset[int]], int]:
    """Link an Envelope's records as the definition says; return the groups and the number of ignored pairs."""
    held = frozenset().union(*existing)
    groups = existing | {frozenset({record_id}) for record_id in envelope.records}
    refused = 0
    for one, other, _weight in sorted(matches(envelope.pairs), key=lambda pair: (-pair[2], pair[0], pair[1])):
        first = next(group for group in groups if one in group)
        second = next(group for group in groups if other in group)
        if first == second:
            continue
        if first & held and second & held:
            refused += 1
        else:
            groups = groups - {first, second} | {first | second}
    return groups, refused


@SLOW
@given(PAIRS, PACKAGING, st.lists(RECORDS, max_size=4), st.integers(1, ENVELOPES_COUNT))
def test_regroup_after_deletions_equals_components_of_what_remains(
    pairs: list[Pair], packaging: list[int], ended: list[int], moment: int
) -> None:
    with new_project() as project:
        envelopes = packed(pairs, packaging)
        for number, envelope in enumerate(envelopes, start=1):
            project.group(envelope.records, envelope.pairs)
            if number == moment:
                held = project.map
                project.end(*(record_id for record_id in ended if record_id in held))
                result = project.regroup(records=ended)
                assert_ids_stay(held, project.map)
                assert result.counts.groups_after_count == len(set(project.map.values()))
        late = {record_id for envelope in envelopes[moment:] for record_id in envelope.records}
        live = set(range(1, RECORDS_COUNT + 1)) - (set(ended) - late)
        assert set(project.map) == live
        assert project.partition == components(live, matches(pairs))


def assert_ids_stay(before: Mapping[int, int], after: Mapping[int, int]) -> None:
    """Require of groups that only lost records or were split: the part with the oldest record keeps the id."""
    for group_id in set(before.values()):
        left = sorted(record_id for record_id in after if before[record_id] == group_id)
        if left:
            assert after[left[0]] == group_id
        for record_id in left:
            assert after[record_id] == group_id or after[record_id] > max(before.values())


@SLOW
@given(PAIRS, PACKAGING, st.integers(0, ENVELOPES_COUNT - 1), st.sampled_from(["merge", "best_link"]))
def test_an_envelope_rolled_back_out_of_order_equals_one_that_never_came(
    pairs: list[Pair], packaging: list[int], undone: int, method: str
) -> None:
    envelopes = packed(pairs, packaging)
    gone = set(envelopes[undone].records)
    with new_project(method=method) as project, new_project(method=method) as without:
        for number, envelope in enumerate(envelopes):
            project.group(envelope.records, envelope.pairs)
            if number != undone:
                without.group(envelope.records, [pair for pair in envelope.pairs if not gone & set(pair[:2])])
        project.roll_back(undone)
        assert project.partition == without.partition


class Review(NamedTuple):
    """A person's decision after one of the Envelopes."""

    after: int
    couple: tuple[int, int]
    is_together: bool


REVIEWS = st.lists(st.builds(Review, st.integers(0, ENVELOPES_COUNT - 1), COUPLES, st.booleans()), max_size=7)


@SLOW
@given(PAIRS, PACKAGING, REVIEWS, st.sampled_from(["merge", "best_link"]))
def test_decisions_bind_whatever_comes_before_and_after_them(
    pairs: list[Pair], packaging: list[int], reviews: list[Review], method: str
) -> None:
    with new_project(method=method) as project:
        made: list[Decision] = []
        for number, envelope in enumerate(packed(pairs, packaging)):
            project.group(envelope.records, envelope.pairs)
            assert_decisions_hold(made, project.map)
            for review in (one for one in reviews if one.after == number and set(one.couple) <= set(project.map)):
                made.append(Decision(*review.couple, review.is_together, len(made)))
                project.decide(**{"together" if review.is_together else "apart": [review.couple]})
                result = project.regroup(records=review.couple)
                assert_decisions_hold(made, project.map)
                told = {str(one) for one in settle(made).contradictions if set(review.couple) & set(one.chain)}
                assert told <= set(result.contradictions)
        if not made and method == "merge":
            assert project.partition == components(project.map, matches(pairs))


def assert_decisions_hold(decisions: Sequence[Decision], groups: Mapping[int, int]) -> None:
    """Require the latest decision about each two records, unless it is told as contradicted."""
    settled = settle(decisions)
    contradicted = {contradiction.left_out for contradiction in settled.contradictions}
    latest = {decision.pair: decision for decision in decisions}
    for (one, other), decision in latest.items():
        if decision not in contradicted:
            assert (groups[one] == groups[other]) == decision.is_together


@SLOW
@given(PAIRS, PACKAGING, PACKAGING, st.lists(COUPLES, max_size=4))
def test_groups_worked_out_anew_depend_on_pairs_and_decisions_only(
    pairs: list[Pair], packaging: list[int], other_packaging: list[int], apart: list[tuple[int, int]]
) -> None:
    partitions = []
    for one in (packaging, other_packaging):
        with new_project() as project:
            project.decide(apart=apart)
            for envelope in packed(pairs, one):
                project.group(envelope.records, envelope.pairs)
            project.regroup(records=range(1, RECORDS_COUNT + 1))
            partitions.append(project.partition)
    assert partitions[0] == partitions[1]


@SLOW
@given(
    PAIRS,
    PACKAGING,
    st.lists(st.sampled_from(["BIRTH", "VISIT"]), min_size=RECORDS_COUNT, max_size=RECORDS_COUNT),
    st.sampled_from(["merge", "best_link"]),
)
def test_a_group_never_holds_two_authoritative_records_where_the_rule_is_on(
    pairs: list[Pair], packaging: list[int], codes: list[str], method: str
) -> None:
    with new_project(authoritative=["BIRTH"], method=method, one_per_authoritative=True) as project:
        for envelope in packed(pairs, packaging):
            rows = [{"record_id": one, "event_type": codes[one - 1]} for one in envelope.records]
            assert project.group(rows, envelope.pairs).flagged.count == 0
        for group in project.partition:
            assert sum(codes[record_id - 1] == "BIRTH" for record_id in group) <= 1
        # no group is smaller than the rules ask for: two that a pair joins are kept apart by one of them
        groups = project.map
        for one, other, _weight in matches(pairs):
            if groups[one] != groups[other] and method == "merge":
                births = {groups[record_id] for record_id in groups if codes[record_id - 1] == "BIRTH"}
                assert {groups[one], groups[other]} <= births
