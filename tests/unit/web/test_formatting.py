"""Numbers, sizes, durations and moments as people read them."""

import math
from datetime import UTC, datetime, timedelta

import pytest

from linkwright.web.formatting import (
    count_words,
    format_age,
    format_bytes,
    format_duration,
    format_moment,
    format_number,
    format_percent,
    format_points,
    format_probability,
    format_share,
    format_weight,
)

NOW = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)


def plain(text: str) -> str:
    """Replace the narrow space, so that the expectations can be read."""
    return text.replace("\u202f", " ")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (999, "999"),
        (1_234_567, "1 234 567"),
        (-4_321, "−4 321"),
        (12.0, "12"),
        (0.98765, "0.988"),
        (1234.5, "1 234.5"),
        (0.00012, "1.2e−04"),
        (math.inf, "∞"),
        (-math.inf, "−∞"),
        (math.nan, "–"),
    ],
)
def test_numbers_are_grouped_by_thin_spaces(value: float, text: str) -> None:
    assert plain(format_number(value)) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.98168, "0.982"), (0.00021, "0.00021"), (0.0000123456, "1.23e−05"), (1.0, "1"), (0.0, "0")],
)
def test_probabilities_keep_three_digits_that_count(value: float, text: str) -> None:
    assert format_probability(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(7.25, "+7.25"), (-3.1, "−3.1"), (0.0, "0"), (-0.001, "0"), (11.01495, "+11.01"), (9.0, "+9")],
)
def test_match_weights_have_a_sign(value: float, text: str) -> None:
    assert format_weight(value) == text


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, "0 B"), (1023, "1023 B"), (1536, "1.5 KiB"), (320 * 1024**2, "320 MiB"), (2 * 1024**3, "2.0 GiB")],
)
def test_sizes_are_binary(count: int, text: str) -> None:
    assert plain(format_bytes(count)) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-1, "0 ms"),
        (0.04, "40 ms"),
        (4.23, "4.2 s"),
        (59.4, "59 s"),
        (72, "1 min 12 s"),
        (7_500, "2 h 5 min"),
        (273_600, "3 d 4 h"),
    ],
)
def test_durations_have_two_units(seconds: float, text: str) -> None:
    assert format_duration(seconds) == text


@pytest.mark.parametrize(
    ("ago", "text"),
    [
        (timedelta(seconds=2), "just now"),
        (timedelta(seconds=-30), "just now"),
        (timedelta(seconds=42), "42 s ago"),
        (timedelta(minutes=3, seconds=59), "3 min ago"),
        (timedelta(hours=26), "1 d ago"),
        (timedelta(days=40), "2026-01-20"),
    ],
)
def test_ages_turn_into_dates_after_a_month(ago: timedelta, text: str) -> None:
    assert format_age(NOW - ago, NOW) == text


def test_the_exact_time_names_its_zone() -> None:
    assert format_moment(NOW) == "2026-03-01 12:00:00 UTC"


def test_nearly_all_is_never_shown_as_all() -> None:
    assert plain(format_percent(0.9999)) == "99 %"
    assert plain(format_percent(1.0)) == "100 %"
    assert plain(format_share(0.9998)) == "99.98 %"
    assert plain(format_share(0.0004)) == "0.04 %"
    assert plain(format_share(0.4)) == "40 %"
    assert plain(format_share(1)) == "100 %"
    assert plain(format_share(0)) == "0 %"


def test_one_is_singular() -> None:
    assert count_words(1, "job") == "1 job"
    assert count_words(14, "job") == "14 jobs"
    assert count_words(2, "queued job waits", "queued jobs wait") == "2 queued jobs wait"


def test_differences_of_shares_are_percentage_points_with_a_sign() -> None:
    assert [format_points(one) for one in (-0.3667, 0.02, 0.0004, -0.0001, 0)] == [
        "−36.7",
        "+2.0",
        "0.0",
        "0.0",
        "0.0",
    ]
