"""Properties of linking random records: sides, order and packaging change nothing; groups partition the records.

The oracle is a comparison of every two records in plain Python, written from the definition.
"""

import math
from collections.abc import Sequence
from itertools import combinations, pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from linkwright.engine.fields import STANDARD_FIELDS
from linkwright.engine.strategy import parse_match_configuration
from tests.integration.linking import Linked, components, link
from tests.record_batches import write_records

M, U = 0.9, 0.2
THRESHOLD = 1.0
COMPARED = ("given_name", "surname", "postcode")
RULES = (("surname",), ("given_name", "postcode"))
LEVELS = [
    {"when": "exact", "m_probability": M, "u_probability": U},
    {"when": "else", "m_probability": 1 - M, "u_probability": 1 - U},
]
CONFIGURATION = parse_match_configuration(
    {
        "prior": 0.3,
        "strategies": [
            {
                "name": "person",
                "match_threshold": THRESHOLD,
                "review_threshold": -20,
                "blocking_rules": [list(rule) for rule in RULES],
                "comparisons": [{"field": name, "method": "exact", "levels": LEVELS} for name in COMPARED],
            }
        ],
    },
    STANDARD_FIELDS,
)

Person = dict[str, Any]


def values(*choices: str) -> st.SearchStrategy[str | None]:
    return st.sampled_from([*choices, None])


PERSON = st.fixed_dictionaries(
    {
        "given_name": values("ann", "bob", "cy"),
        "surname": values("lee", "ray", "fox", "dee"),
        "postcode": values("1", "2"),
    }
)
PEOPLE = st.lists(PERSON, max_size=14)


def with_ids(people: Sequence[Person], ids: Sequence[int]) -> list[Person]:
    return [{**person, "record_id": number} for person, number in zip(people, ids, strict=True)]


def linked_in(batches: Sequence[Sequence[Person]], chunk_pairs_count: int = 1000) -> Linked:
    with TemporaryDirectory() as name:
        folder = Path(name)
        files = [write_records(folder / f"records{number}.parquet", batch) for number, batch in enumerate(batches)]
        return link(files, CONFIGURATION, folder / "linked", chunk_pairs_count=chunk_pairs_count)


def weight(one: Person, other: Person) -> float:
    total = math.log2(0.3 / 0.7)
    for name in COMPARED:
        if one[name] is not None and other[name] is not None:
            total += math.log2(M / U) if one[name] == other[name] else math.log2((1 - M) / (1 - U))
    return total


def expected(people: Sequence[Person]) -> dict[tuple[int, int], float]:
    """Weigh every two records that share all values of a rule."""
    return {
        (min(one["record_id"], other["record_id"]), max(one["record_id"], other["record_id"])): weight(one, other)
        for one, other in combinations(people, 2)
        if any(all(one[name] is not None and one[name] == other[name] for name in rule) for rule in RULES)
    }


@settings(deadline=None, max_examples=12)
@given(people=PEOPLE, data=st.data())
def test_pairs_and_groups_are_those_of_the_definition_however_records_are_packed(
    people: list[Person], data: st.DataObject
) -> None:
    ids = data.draw(st.permutations(range(len(people))))
    identified = with_ids(people, ids)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(people)), max_size=2)))
    edges = [0, *cuts, len(people)]
    batches = [identified[start:end] for start, end in pairwise(edges)]
    linked = linked_in(batches, chunk_pairs_count=data.draw(st.sampled_from([5, 1000])))

    oracle = expected(identified)
    assert linked.pairs.keys() == oracle.keys()
    for pair, scored in linked.pairs.items():
        assert abs(scored.match_weight - oracle[pair]) <= 1e-9
    assert sorted(linked.groups) == sorted(ids)
    assert linked.partition == components(ids, linked, THRESHOLD)


@settings(deadline=None, max_examples=8)
@given(people=PEOPLE)
def test_swapping_the_sides_of_every_pair_keeps_every_weight_and_group(people: list[Person]) -> None:
    last = len(people) - 1
    forwards = linked_in([with_ids(people, range(len(people)))])
    backwards = linked_in([with_ids(people, [last - number for number in range(len(people))])])
    mirrored = {
        (last - right, last - left): (scored.blocking_rule, scored.levels, scored.match_weight)
        for (left, right), scored in backwards.pairs.items()
    }
    assert mirrored == {pair: tuple(scored) for pair, scored in forwards.pairs.items()}
    assert {frozenset(last - record for record in group) for group in backwards.partition} == forwards.partition
