"""Drift: what differs much, and not by chance, is marked; nothing else is."""

from hypothesis import given
from hypothesis import strategies as st

from linkwright.engine.drift import LEAST_DIFFERENCE, Measure, find_drift


def test_a_field_that_is_suddenly_empty_is_marked() -> None:
    now = [Measure("postcode filled", 612, 1000), Measure("surname filled", 995, 1000)]
    earlier = [
        Measure("postcode filled", 980, 1000),
        Measure("postcode filled", 1956, 2000),
        Measure("surname filled", 2985, 3000),
    ]
    postcode, surname = find_drift(now, earlier)
    assert (postcode.share, round(postcode.earlier_share, 4), postcode.is_marked) == (0.612, 0.9787, True)
    assert round(postcode.difference, 4) == -0.3667
    assert not surname.is_marked


def test_a_small_difference_is_not_marked_however_certain_it_is() -> None:
    (drift,) = find_drift([Measure("a", 960_000, 1_000_000)], [Measure("a", 1_000_000, 1_000_000)])
    assert not drift.is_marked


def test_a_large_difference_that_chance_explains_is_not_marked() -> None:
    (few,) = find_drift([Measure("a", 2, 4)], [Measure("a", 9, 10)])
    (many,) = find_drift([Measure("a", 200, 400)], [Measure("a", 900, 1000)])
    assert (few.is_marked, many.is_marked) == (False, True)


def test_what_is_bad_in_one_direction_is_marked_in_that_one_alone() -> None:
    fewer, more = Measure("linked", 100, 1000, worse=-1), Measure("linked", 900, 1000, worse=-1)
    assert [drift.is_marked for drift in find_drift([fewer], [more])] == [True]
    assert [drift.is_marked for drift in find_drift([more], [fewer])] == [False]
    assert [drift.is_marked for drift in find_drift([Measure("rejected", 9, 10, worse=1)], [more])] == []


def test_what_cannot_be_compared_is_left_out() -> None:
    assert find_drift([Measure("a", 0, 0), Measure("new", 1, 2)], [Measure("a", 1, 2), Measure("b", 1, 2)]) == []
    assert find_drift([Measure("a", 1, 2)], []) == []


@given(
    whole=st.integers(1, 10_000),
    earlier_whole=st.integers(1, 10_000),
    part=st.floats(0, 1),
    earlier_part=st.floats(0, 1),
)
def test_drift_is_the_same_in_both_directions(
    whole: int, earlier_whole: int, part: float, earlier_part: float
) -> None:
    one = Measure("a", round(part * whole), whole)
    other = Measure("a", round(earlier_part * earlier_whole), earlier_whole)
    (there,), (back,) = find_drift([one], [other]), find_drift([other], [one])
    assert there.is_marked == back.is_marked
    assert there.difference == -back.difference
    assert not there.is_marked or abs(there.difference) >= LEAST_DIFFERENCE
