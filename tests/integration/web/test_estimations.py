"""Estimations on the pages: what they show, and what people do with them."""

import json
from datetime import timedelta

import pytest
from django.urls import reverse

from linkwright.store.models import (
    Batch,
    BatchKind,
    BatchState,
    Envelope,
    EnvelopeState,
    Estimation,
    Job,
    JobKind,
    JobState,
    MatchConfigurationVersion,
)
from tests.integration.web.conftest import SignIn
from tests.integration.web.seed import World
from tests.integration.web.seed_estimation import DEFINITION

SCRIPT = {"HX-Request": "true"}
NARROW = "\u202f"


@pytest.fixture
def estimation(world: World) -> Estimation:
    """Return the estimation of PERINATAL."""
    assert world.estimation is not None
    return world.estimation


def page_of(estimation: Estimation) -> str:
    """Return the address of an estimation."""
    return reverse("estimation", args=[estimation.project.code, estimation.pk])


def hold_records(world: World) -> None:
    """Let the project hold records and a configuration that can be read."""
    job = world.job("HOSP-2026-01", JobKind.LOAD)
    MatchConfigurationVersion.objects.create(project=world.perinatal, version=4, definition=DEFINITION)
    Batch.objects.create(
        project=world.perinatal,
        envelope=world.envelopes["HOSP-2026-01"],
        job=job,
        kind=BatchKind.RECORDS,
        state=BatchState.LIVE,
        file_name="e1-j2-a1-records.parquet",
        rows_count=48_213,
        bytes_count=1,
        created_at=job.queued_at,
    )


def test_the_project_lists_its_estimations_to_all_and_the_buttons_to_who_may_configure(
    world: World, estimation: Estimation, sign_in: SignIn
) -> None:
    owner, viewer = (
        sign_in(person).get("/projects/PERINATAL/").content.decode() for person in (world.owner, world.viewer)
    )
    for html in (owner, viewer):
        assert f'href="{page_of(estimation)}">Estimation {estimation.pk}</a>' in html
        assert f"48{NARROW}213" in html
    assert 'id="estimate"' in owner
    assert 'id="estimate"' not in viewer
    # its configuration asks for no term frequencies
    assert 'id="build-frequencies"' not in owner


def test_the_page_shows_current_and_proposed_side_by_side(
    world: World, estimation: Estimation, sign_in: SignIn
) -> None:
    html = sign_in(world.viewer).get(page_of(estimation)).content.decode()
    for shown in ("0.0005", "0.00021", "+9", "+6.5", "0.9", "0.931", "+9.81", "+11.01", "3.1", "m kept", "87.1"):
        assert shown in html
    assert "No rule of the strategy standard that leaves postcode free" in html
    assert html.count('<figure class="plot">') == 4
    assert '<span class="tag">proposed</span> +6.5' in html
    assert "apply-estimation" not in html
    assert 'id="download-estimation"' in html


def test_the_dialog_says_what_an_estimate_does_and_starts_it(world: World, sign_in: SignIn) -> None:
    hold_records(world)
    client = sign_in(world.owner)
    html = client.get("/projects/PERINATAL/estimate/").content.decode()
    assert f"48{NARROW}213 held records and version 4" in html
    assert "It changes nothing." in html
    response = client.post("/projects/PERINATAL/estimate/", headers=SCRIPT)
    job = Job.objects.get(kind=JobKind.ESTIMATE, state=JobState.QUEUED)
    assert (job.envelope, job.project) == (None, world.perinatal)
    told = json.loads(response["HX-Trigger"])["linkwright:done"]["message"]
    assert told == f"Job {job.pk} (Estimate) is queued. Its result will stand under Estimations."
    assert f">{job.pk}</a> (Estimate) waits for its turn" in client.get("/projects/PERINATAL/").content.decode()
    again = client.post("/projects/PERINATAL/estimate/", headers=SCRIPT)
    assert again.status_code == 409
    assert "is queued or runs already" in again.content.decode()


def test_the_list_follows_the_job_by_itself(world: World, estimation: Estimation, sign_in: SignIn) -> None:
    client = sign_in(world.viewer)
    job = Job.objects.create(
        kind=JobKind.ESTIMATE,
        project=world.perinatal,
        project_code="PERINATAL",
        queue_rank=99,
        queued_at=world.perinatal.created_at,
    )
    url = f"/jobs/envelopes/live/?project=PERINATAL&shown=estimations-{world.perinatal.pk}~000000000000"
    assert f">{job.pk}</a> (Estimate) waits" in client.get(url).content.decode()
    Job.objects.filter(pk=job.pk).update(state=JobState.ERRORS, error_message="There is nothing to estimate from.")
    assert "ended in Errors: There is nothing to estimate from." in client.get(url).content.decode()
    Job.objects.filter(pk=job.pk).update(ended_at=estimation.created_at - timedelta(days=1))
    assert "ended in Errors" not in client.get(url).content.decode()
    assert "estimations-" not in sign_in(world.stranger).get(url).content.decode()


def test_applying_names_its_effect_and_makes_the_next_version(
    world: World, estimation: Estimation, sign_in: SignIn
) -> None:
    client, address = sign_in(world.owner), f"{page_of(estimation)}apply/"
    html = client.get(address, headers=SCRIPT).content.decode()
    assert f"Apply estimation {estimation.pk} as version 4?" in html
    assert "2 queued Match jobs among them" in html
    response = client.post(address, headers=SCRIPT)
    assert (response.status_code, response["HX-Redirect"]) == (204, page_of(estimation))
    version = MatchConfigurationVersion.objects.filter(project=world.perinatal)[0]
    assert (version.version, version.definition, version.created_by) == (4, DEFINITION, world.owner)
    html = client.get(page_of(estimation)).content.decode()
    assert "PERINATAL has version 4 of its match configuration." in html
    assert "Applied as version 4" in html
    assert 'id="apply-estimation"' not in html
    assert "was applied already, as version 4" in client.get(address).content.decode()
    assert client.post(address).status_code == 409


def test_a_configuration_that_was_changed_since_is_replaced_only_knowingly(
    world: World, estimation: Estimation, sign_in: SignIn
) -> None:
    client, address = sign_in(world.owner), f"{page_of(estimation)}apply/"
    MatchConfigurationVersion.objects.create(project=world.perinatal, version=4, definition=DEFINITION)
    assert "version 4 is in force" in client.get(page_of(estimation)).content.decode()
    refused = client.post(address, headers=SCRIPT)
    assert refused.status_code == 409
    html = refused.content.decode()
    assert "after version 3, which estimation" in html
    assert 'name="replace_version" value="4"' in html
    assert "Replace version 4" in html
    client.post(address, {"replace_version": "4"}, headers=SCRIPT)
    assert MatchConfigurationVersion.objects.filter(project=world.perinatal)[0].version == 5


def test_term_frequencies_are_offered_where_the_configuration_asks_for_them(world: World, sign_in: SignIn) -> None:
    hold_records(world)
    (strategy,) = DEFINITION["strategies"]
    asking = {**DEFINITION, "strategies": [{**strategy, "comparisons": [dict(strategy["comparisons"][0])]}]}
    asking["strategies"][0]["comparisons"][0]["term_frequency"] = {}
    MatchConfigurationVersion.objects.create(project=world.perinatal, version=5, definition=asking)
    client = sign_in(world.owner)
    html = client.get("/projects/PERINATAL/").content.decode()
    assert 'id="build-frequencies"' in html
    assert "not built for version 5" in html
    assert "come with version 6" in client.get("/projects/PERINATAL/frequencies/").content.decode()
    client.post("/projects/PERINATAL/frequencies/")
    job = Job.objects.get(kind=JobKind.ESTIMATE, state=JobState.QUEUED)
    assert job.parameters == {"only_frequencies": True, "started_by": world.owner.pk}


def test_the_download_is_a_zip_under_the_projects_name(
    world: World, estimation: Estimation, sign_in: SignIn
) -> None:
    response = sign_in(world.viewer).get(f"{page_of(estimation)}download/")
    assert response["Content-Disposition"] == (f'attachment; filename="PERINATAL-estimation-{estimation.pk}.zip"')
    assert response.content.startswith(b"PK")


def test_an_estimation_of_an_envelope_is_not_there_before_that_has_succeeded(
    world: World, estimation: Estimation, sign_in: SignIn
) -> None:
    envelope = world.envelopes["HOSP-2026-10"]
    Estimation.objects.filter(pk=estimation.pk).update(envelope=envelope)
    client = sign_in(world.owner)
    assert client.get(page_of(estimation)).status_code == 404
    assert "Nothing has been estimated yet." in client.get("/projects/PERINATAL/").content.decode()
    Envelope.objects.filter(pk=envelope.pk).update(state=EnvelopeState.SUCCESS)
    assert "HOSP-2026-10</a> and held ones" in client.get(page_of(estimation)).content.decode()


def test_another_projects_estimation_is_not_there(world: World, estimation: Estimation, sign_in: SignIn) -> None:
    assert sign_in(world.admin).get(f"/projects/CANCER/estimations/{estimation.pk}/").status_code == 404


def test_the_job_leads_to_its_estimation(world: World, estimation: Estimation, sign_in: SignIn) -> None:
    html = sign_in(world.viewer).get(f"/jobs/all/?open=job-{estimation.job_id}&text=Estimate").content.decode()
    assert f'href="{page_of(estimation)}">Show estimation {estimation.pk}</a>' in html
    assert f"48{NARROW}213 records used" in html
    assert "Estimated prior" in html
