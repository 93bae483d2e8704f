"""The shown status of Envelopes and jobs, worked out from what runs."""

import pytest
from django.utils import timezone

from linkwright.store.models import Envelope, EnvelopeState, Job, JobKind, JobState, QueueState
from linkwright.store.queries.envelope_lists import exists_for, list_envelopes, read_envelopes, visible_envelopes
from linkwright.store.queries.envelope_search import EnvelopeFilter
from linkwright.store.queries.job_lists import list_jobs, read_jobs
from linkwright.store.queries.job_search import JobFilter
from linkwright.store.queries.shown_status import ENVELOPE_STATUSES, JOB_STATUSES, ShownStatus
from tests.integration.web.conftest import SignIn
from tests.integration.web.seed import World, add_envelope, end_job, fail_job, start_job


def _shown(world: World, name: str) -> str:
    return read_envelopes(world.admin, [world.envelopes[name].pk])[0].status


def test_a_waiting_envelope_is_queued(empty_world: World) -> None:
    add_envelope(empty_world, "A")
    assert _shown(empty_world, "A") == "Queued"


def test_an_envelope_is_active_while_a_job_of_it_runs(empty_world: World) -> None:
    add_envelope(empty_world, "A")
    add_envelope(empty_world, "B")
    start_job(empty_world.job("A", JobKind.VALIDATE))
    assert _shown(empty_world, "A") == "SuccessActive"
    assert _shown(empty_world, "B") == "Queued"


def test_errors_that_occurred_earlier_show_while_it_is_active(empty_world: World) -> None:
    envelope = add_envelope(empty_world, "A", errors_occurred=True)
    job = empty_world.job("A", JobKind.VALIDATE)
    job.errors_occurred = True
    start_job(job)
    assert _shown(empty_world, "A") == "ErrorsActive"
    assert read_jobs(empty_world.admin, [job.pk])[0].status == "ErrorsActive"
    assert envelope.errors_occurred


def test_between_two_jobs_of_a_chain_an_envelope_stays_active(empty_world: World) -> None:
    add_envelope(empty_world, "A")
    start_job(empty_world.job("A", JobKind.VALIDATE))
    end_job(empty_world.job("A", JobKind.VALIDATE))
    assert _shown(empty_world, "A") == "SuccessActive"


def test_between_two_jobs_of_a_paused_queue_it_is_queued(empty_world: World) -> None:
    add_envelope(empty_world, "A")
    start_job(empty_world.job("A", JobKind.VALIDATE))
    QueueState.objects.update(paused_at=timezone.now())
    assert _shown(empty_world, "A") == "SuccessActive"
    end_job(empty_world.job("A", JobKind.VALIDATE))
    assert _shown(empty_world, "A") == "Queued"


def test_an_envelope_that_ended_is_not_active_whatever_the_queue_says(empty_world: World) -> None:
    envelope = add_envelope(empty_world, "A", state=EnvelopeState.SUCCESS, ended=6)
    QueueState.objects.update(active_envelope=envelope)
    assert _shown(empty_world, "A") == "Success"


def test_jobs_behind_a_failure_are_held(empty_world: World) -> None:
    add_envelope(empty_world, "A", ended=1)
    fail_job(empty_world.job("A", JobKind.LOAD), "no such column")
    rows = list_jobs(empty_world.admin, JobFilter()).rows
    assert [row.status for row in sorted(rows, key=lambda row: row.id)] == [
        "Success",
        "Errors",
        *["Held"] * 4,
    ]
    assert _shown(empty_world, "A") == "Errors"


@pytest.mark.parametrize("status", ENVELOPE_STATUSES)
def test_the_filter_finds_exactly_the_envelopes_shown_with_a_status(world: World, status: ShownStatus) -> None:
    shown = {row.id for row in list_envelopes(world.admin, EnvelopeFilter()).rows if row.status is status}
    found = {row.id for row in list_envelopes(world.admin, EnvelopeFilter(status=status)).rows}
    assert found == shown
    assert shown or status is ShownStatus.ERRORS_ACTIVE


def test_the_filter_finds_queued_envelopes_while_nothing_runs(empty_world: World) -> None:
    envelope = add_envelope(empty_world, "A")
    rows = list_envelopes(empty_world.admin, EnvelopeFilter(status=ShownStatus.QUEUED)).rows
    assert [row.id for row in rows] == [envelope.pk]


@pytest.mark.parametrize("status", JOB_STATUSES)
def test_the_filter_finds_exactly_the_jobs_shown_with_a_status(world: World, status: ShownStatus) -> None:
    every = list_jobs(world.admin, JobFilter(), limit=1000).rows
    shown = {row.id for row in every if row.status is status}
    found = {row.id for row in list_jobs(world.admin, JobFilter(status=status), limit=1000).rows}
    assert found == shown
    assert shown or status is ShownStatus.ERRORS_ACTIVE


def test_people_see_envelopes_of_their_projects_and_their_own_without_a_project(world: World) -> None:
    def names(user_name: str) -> set[str]:
        return {row.name for row in list_envelopes(getattr(world, user_name), EnvelopeFilter()).rows}

    assert names("stranger") == {"TUMOURS-2026"}
    assert "TUMOURS-2026" not in names("owner")
    assert "DEATHS-2026-Q1" in names("owner")
    assert "DEATHS-2026-Q1" not in names("viewer")
    assert names("admin") == set(Envelope.objects.values_list("name", flat=True))


@pytest.mark.parametrize("person", ["admin", "owner", "operator", "reviewer", "viewer", "stranger"])
def test_a_row_exists_for_a_person_exactly_if_its_envelope_does(world: World, person: str) -> None:
    user = getattr(world, person)
    every = list_envelopes(world.admin, EnvelopeFilter(), limit=1000).rows
    seen = {row.id for row in every if exists_for(user, row)}
    assert seen == set(visible_envelopes(user).values_list("pk", flat=True))
    assert (len(seen) == len(every)) is (person == "admin")
    # what is read along with a list is left out of it, too
    beside = list_envelopes(user, EnvelopeFilter(), limit=1, beside=[row.id for row in every]).beside
    assert {row.id for row in beside} == seen


def test_people_see_their_queued_jobs_however_many_of_others_come_first(
    world: World, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("linkwright.services.queue_status.LISTED_JOBS", 3)
    mine = add_envelope(world, "TUMOURS-2027", project=world.cancer, types=("TUMOURS", "TUMOURS"))
    html = sign_in(world.stranger).get("/jobs/all/").content.decode()
    queue = html[html.index('id="queued-jobs"') : html.index('id="list-title"')]
    assert queue.count(f"/jobs/envelopes/{mine.pk}/jobs/") == 3
    assert "More jobs are queued behind these." in queue
    assert "HOSP" not in queue


def test_people_see_jobs_of_their_projects_only(world: World) -> None:
    rows = list_jobs(world.stranger, JobFilter(), limit=1000).rows
    assert {row.project_code for row in rows} == {"CANCER"}
    assert len(rows) == Job.objects.filter(project=world.cancer).count()
    assert Job.objects.filter(state=JobState.RUNNING).exists()
