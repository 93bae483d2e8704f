"""The table of Envelopes on a terminal: what stands in the data is shown, and commands nothing."""

from datetime import UTC, datetime
from io import StringIO

from rich.console import Console

from linkwright.cli.envelopes import print_envelopes
from linkwright.services.envelope_status import EnvelopeLine


def test_brackets_and_control_signs_of_names_and_errors_are_shown_as_they_are() -> None:
    line = EnvelopeLine(
        id=5,
        name="[red]May",
        state="errors",
        status="Errors",
        project_code="PERI",
        records_count=None,
        received_at=datetime(2026, 11, 23, tzinfo=UTC),
        seconds=None,
        job_seconds={},
        first_error="3 columns instead of 11 ([hidden])\n- \x1b[2Jgone",
    )
    printed = StringIO()
    print_envelopes([line], Console(file=printed, width=200))
    text = printed.getvalue()
    assert "[red]May" in text
    assert "3 columns instead of 11 ([hidden])" in text
    assert "- \N{REPLACEMENT CHARACTER}[2Jgone" in text
