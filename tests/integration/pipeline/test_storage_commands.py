"""The commands compact and purge: what they print, and that they start their jobs."""

import pytest
from typer.testing import CliRunner

from linkwright.cli import app
from linkwright.envelopes.manifest import RequestType
from linkwright.errors import LinkwrightError
from linkwright.store.models import Job, JobState
from tests.integration.pipeline.conftest import System

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("without_drawing")]


def printed(*arguments: str) -> str:
    """Return what a command prints, or the text of its error."""
    done = CliRunner().invoke(app, list(arguments))
    if isinstance(done.exception, LinkwrightError):
        return str(done.exception)
    assert done.exit_code == 0, done.output
    return done.output


def test_compact_and_purge_are_started_by_command(system: System) -> None:
    assert "There is no Linkage Project 'P9'" in printed("compact", "P9")
    assert "has no small files to compact" in printed("compact", "P1")
    for number in range(2):
        system.load(f"load{number}", [(f"a{number}", "Anna", "Berg", "1980-01-02", "2000")])
    assert "(Compact) is queued" in printed("compact", "P1")
    assert "has no ended records to purge" in printed("purge", "P1", "--reason", "x")
    system.submit(system.build_raw("deletion", {"ADM": b"a1\n"}, request_type=RequestType.SUBMIT_DELETION))
    system.drain()
    preview = printed("purge", "P1", "--preview")
    assert "1 ended records of P1; 0 ended later and stay." in preview
    assert "Cannot be rolled back afterwards: Envelope" in preview
    assert "needs a reason" in printed("purge", "P1")
    assert "that ended 5 days ago or earlier" in printed("purge", "P1", "--reason", "x", "--older-than-days", "5")
    assert "(Purge) is queued" in printed("purge", "P1", "--reason", "asked for")
    (job,) = system.drain()
    assert (job.state, job.statistics["records_count"]) == (JobState.SUCCESS, 1)
    assert "none ended, or all were purged" in printed("purge", "P1", "--reason", "once more")
    assert not Job.objects.exclude(state=JobState.SUCCESS).exists()
