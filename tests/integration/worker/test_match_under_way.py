"""A long Match: killed half-way it goes on after its last finished part; cancelled it ends at once."""

from pathlib import Path

import pytest
import yaml

from linkwright.services.cancel_envelope import cancel_envelope
from linkwright.services.receive_envelope import receive_envelope
from linkwright.store.audit_log import COMMAND_LINE
from linkwright.store.models import AuditMessage, Envelope, EnvelopeState, Job, JobKind, JobState
from tests.integration.worker.conftest import files_of, job_process, wait_for_state
from tests.live_system import LiveSystem, machine_slowdown, wait_until
from tests.small_envelopes import build_envelope, write_project_file

MOST_SECONDS_TO_CANCEL = 3
WIDE_RULES = [["state"], [{"field": "postcode", "transform": "prefix", "length": 1}]]


@pytest.fixture
def envelope(live: LiveSystem, tmp_path: Path) -> Envelope:
    """Return an Envelope whose Match compares some millions of pairs, in several parts."""
    path = write_project_file(tmp_path)
    content = yaml.safe_load(path.read_text())
    for project in content["projects"]:
        project["match"]["strategies"][0]["blocking_rules"] = WIDE_RULES
    content["settings"] = {"Worker.Match.MaxBlockSize": 1_000_000}
    path.write_text(yaml.safe_dump(content))
    live.set_up(path)
    built = build_envelope(tmp_path, "wide", "TA", {"FEBRL-A": (0, 5000)})
    return receive_envelope(built, name="", actor=COMMAND_LINE)


def wait_for_parts(count: int) -> Job:
    """Wait until Match has finished some parts; returns it."""

    def compared() -> bool:
        job = Job.objects.filter(kind=JobKind.MATCH, state=JobState.RUNNING, progress__stage="score").first()
        return job is not None and job.progress["done"] >= count * 900_000

    wait_until(compared, f"{count} parts of Match")
    return Job.objects.get(state=JobState.RUNNING)


def test_a_match_that_is_killed_goes_on_after_its_last_finished_part(live: LiveSystem, envelope: Envelope) -> None:
    worker = live.start_worker()
    job = wait_for_parts(2)
    job_process(worker).kill()
    wait_for_state(envelope, EnvelopeState.SUCCESS)
    job.refresh_from_db()
    assert (job.attempt, job.crash_count) == (2, 1)
    assert job.statistics["resumed_chunks_count"] >= 2
    assert AuditMessage.objects.filter(job=job, attempt=2, text__contains="of an earlier attempt").exists()
    assert sum(rule["scored_pairs_count"] for rule in job.statistics["rules"]) > 2_000_000
    assert not [name for name in files_of(live) if name.startswith("scratch/")]


def test_a_match_that_is_cancelled_ends_within_seconds_and_leaves_nothing(
    live: LiveSystem, envelope: Envelope
) -> None:
    live.start_worker()
    wait_for_parts(1)
    cancel_envelope(envelope.pk, COMMAND_LINE, reason="a test")
    assert wait_for_state(envelope, EnvelopeState.CANCELLED) < MOST_SECONDS_TO_CANCEL * machine_slowdown()
    wait_until(lambda: not files_of(live), "the files to be swept")


def test_what_a_match_will_compare_is_told_while_it_runs(live: LiveSystem, envelope: Envelope) -> None:
    live.start_worker()
    job = wait_for_parts(1)
    texts = list(AuditMessage.objects.filter(job=job).values_list("text", flat=True))
    assert texts[0] == "Match configuration version 2"
    assert any(text.startswith("Candidate pairs of the strategy person: rule 1 gives ") for text in texts)
    assert any("candidate pairs; expected:" in text for text in texts)
    assert job.progress["total"] > job.progress["done"] > 0
    cancel_envelope(envelope.pk, COMMAND_LINE, reason="seen enough")
    wait_for_state(envelope, EnvelopeState.CANCELLED)
