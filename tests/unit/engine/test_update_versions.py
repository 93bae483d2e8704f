"""Versions of one record: which is the last, and whose place it has."""

import numpy as np

from linkwright.engine.id_arrays import NO_IDS, Ids, distinct
from linkwright.engine.updates import Replacements


def ids(*values: int) -> Ids:
    return np.array(values, dtype=np.int64)


def test_without_replacements_every_record_is_its_own_version() -> None:
    nothing = Replacements(NO_IDS, NO_IDS)
    assert nothing.latest_of(ids(3, 1)).tolist() == [3, 1]
    assert nothing.places_of(ids(3, 1)).tolist() == [3, 1]


def test_a_chain_is_followed_to_both_ends() -> None:
    chain = Replacements(ids(9, 2, 5), ids(12, 5, 9))
    assert chain.latest_of(ids(2, 5, 9, 12, 7)).tolist() == [12, 12, 12, 12, 7]
    assert chain.places_of(ids(12, 9, 5, 2, 7)).tolist() == [2, 2, 2, 2, 7]


def test_of_several_old_versions_the_first_gives_the_place() -> None:
    # the version between them was rolled back, and the first one ends on the account of the last
    replacements = Replacements(ids(5, 105), ids(205, 205))
    assert replacements.latest_of(ids(5, 105)).tolist() == [205, 205]
    assert replacements.places_of(ids(205)).tolist() == [5]


def test_what_is_asked_for_is_not_changed() -> None:
    asked = ids(2, 5)
    Replacements(ids(2), ids(7)).latest_of(asked)
    assert asked.tolist() == [2, 5]


def test_distinct_ids_ascend() -> None:
    assert distinct(ids(5, 2, 5, 2, 9)).tolist() == [2, 5, 9]
    assert distinct(NO_IDS).tolist() == []
