"""What can be said of a running job's progress, and what cannot."""

import pytest

from linkwright.web.formatting import THIN_SPACE
from linkwright.web.progress_view import view_progress

HALF = {
    "stage": "Scoring",
    "done": 500_000,
    "total": 1_000_000,
    "unit": "pairs",
    "stage_started_at": "2026-03-01T12:00:00+00:00",
    "reported_at": "2026-03-01T12:00:50+00:00",
}


def test_a_known_length_gives_share_rate_and_time_left() -> None:
    view = view_progress(HALF)
    assert (view.stage, view.percent, view.share_text) == ("Scoring", 50.0, "50\u202f%")
    assert view.done_text == "500\u202f000 of 1\u202f000\u202f000 pairs"
    assert view.rate_text == "10\u202f000 pairs/s"
    assert view.left_text == "about 50 s left"


def test_an_unknown_length_gives_no_bar_and_no_time_left() -> None:
    view = view_progress({**HALF, "total": None})
    assert (view.percent, view.share_text, view.left_text) == (None, "", "")
    assert view.done_text == "500\u202f000 pairs"
    assert view.rate_text == "10\u202f000 pairs/s"


def test_the_first_second_promises_nothing() -> None:
    view = view_progress({**HALF, "reported_at": "2026-03-01T12:00:00.4+00:00"})
    assert (view.rate_text, view.left_text) == ("", "")


def test_a_job_that_has_not_reported_is_starting() -> None:
    view = view_progress({})
    assert (view.stage, view.percent, view.done_text) == ("Starting", None, "")


def test_more_than_all_is_all() -> None:
    assert view_progress({**HALF, "done": 1_200_000}).percent == 100.0


def test_what_is_done_has_no_time_left() -> None:
    assert view_progress({**HALF, "done": 1_000_000}).left_text == ""


def test_bytes_are_told_in_larger_units() -> None:
    progress = {
        "stage": "Copying files",
        "done": 3 * 1024**3,
        "total": 12 * 1024**3,
        "unit": "bytes",
        "stage_started_at": "2026-01-31T02:00:00+00:00",
        "reported_at": "2026-01-31T02:00:03+00:00",
    }
    view = view_progress(progress)
    assert (view.done_text, view.rate_text) == (
        f"3.0{THIN_SPACE}GiB of 12.0{THIN_SPACE}GiB",
        f"1.0{THIN_SPACE}GiB/s",
    )
    assert view_progress({**progress, "total": None}).done_text == f"3.0{THIN_SPACE}GiB"


def test_a_stage_is_told_in_words_that_people_read() -> None:
    assert (
        view_progress({"stage": "score", "done": 1, "total": 2, "unit": "pairs"}).stage
        == "Weighing candidate pairs"
    )
    assert view_progress({"stage": "Copying files"}).stage == "Copying files"


@pytest.mark.parametrize(
    ("done", "rate"),
    [(500, "10 rules/s"), (125, "2.5 rules/s"), (50, "1 rules/s"), (20, "24 rules/min"), (1, "1.2 rules/min")],
)
def test_a_slow_rate_is_no_rate_of_nothing(done: int, rate: str) -> None:
    assert view_progress({**HALF, "done": done, "total": 1000, "unit": "rules"}).rate_text == rate
