"""The commands compact, purge and rollback: what they print, and that they start their jobs."""

import pytest
from typer.testing import CliRunner

from linkwright.cli import app
from linkwright.envelopes.manifest import RequestType
from linkwright.errors import LinkwrightError
from linkwright.store.models import Job, JobKind, JobState
from tests.integration.pipeline.acting import review
from tests.integration.pipeline.conftest import System
from tests.integration.pipeline.extracting import create, extract

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


def test_the_preview_of_a_rollback_names_the_reviews_and_extractions_that_go_with_it(system: System) -> None:
    first = system.load("first", [(f"a{number}", "Anna", "Berg", "1980-01-02", "2000") for number in range(2)])
    told = printed("rollback", str(first.pk), "--reason", "x", "--preview")
    assert "It is the latest of its project: its files are dropped." in told
    review(system, "a0>x", "a1>y", name="twins")
    create()
    extract(system)
    told = printed("rollback", str(first.pk), "--reason", "x", "--preview")
    assert "withdrawn: 1 (0 of them downloaded already)" in told
    assert "Later: Envelope 2 (twins), 2 records" in told
    assert "A Quality Review made since, undone with it in any case: Envelope 2 (twins)" in told
    assert "needs a reason" in printed("rollback", str(first.pk), "--reason", " ")
    assert not Job.objects.filter(kind=JobKind.ROLLBACK).exists()
    assert "(Rollback) is queued" in printed("rollback", str(first.pk), "--reason", "asked for", "--with-later")
    (job,) = system.drain()
    assert (job.state, system.group_ids()) == (JobState.SUCCESS, {})
