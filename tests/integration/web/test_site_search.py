"""The search of the top bar finds what has a name, a code or a number, and only what exists for the person."""

import re

import pytest

from tests.integration.web.conftest import SignIn
from tests.integration.web.seed import World
from tests.integration.web.test_jobs_tab import words_of


def _found(html: str) -> dict[str, str]:
    """Return the sections by their title."""
    sections = re.findall(r'<h2 class="panel-title" id="found-[a-z]+">(.*?)</h2>(.*?)</section>', html, re.DOTALL)
    return {words_of(title): words_of(body) for title, body in sections}


def test_a_name_finds_projects_envelopes_and_the_catalog(world: World, sign_in: SignIn) -> None:
    found = _found(sign_in(world.viewer).get("/search/?q=births").content.decode())
    assert "BIRTHS-2026 PERINATAL" in found["Envelopes"]
    assert "Event Type BIRTHS" in found["Data catalog"]
    assert "Linkage Projects" not in found
    found = _found(sign_in(world.viewer).get("/search/?q=OUTcomes+perinatal").content.decode())
    assert found["Linkage Projects"] == "PERINATAL Perinatal outcomes"


def test_a_number_finds_the_envelope_and_the_job_of_that_number(world: World, sign_in: SignIn) -> None:
    envelope = world.envelopes["HOSP-2026-08"]
    job = envelope.jobs.order_by("pk").first()
    assert job is not None
    html = sign_in(world.viewer).get(f"/search/?q={job.pk}").content.decode()
    assert f"Job {job.pk}, {job.kind} of HOSP-2026-08" in _found(html)["Jobs"]
    assert f"/jobs/{job.pk}/statistics/" in html
    html = sign_in(world.viewer).get(f"/search/?q={envelope.pk}").content.decode()
    assert "HOSP-2026-08" in _found(html)["Envelopes"]


def test_many_envelopes_are_cut_and_lead_to_the_list(world: World, sign_in: SignIn) -> None:
    html = sign_in(world.viewer).get("/search/?q=HOSP-2026").content.decode()
    assert len(re.findall(r'<li><span class="status', html)) == 10
    (url,) = re.findall(r'href="(/jobs/envelopes/\?text=[^"]*)"', html)
    assert "HOSP-2026-01" in sign_in(world.viewer).get(url).content.decode()


def test_what_belongs_to_others_is_not_found(world: World, sign_in: SignIn) -> None:
    job = world.envelopes["HOSP-2026-08"].jobs.first()
    assert job is not None
    for text in ("PERINATAL", "HOSP-2026-08", "HOSP", str(job.pk)):
        html = sign_in(world.stranger).get("/search/", {"q": text}).content.decode()
        assert 'id="nothing-found"' in html, text
        assert "PERINATAL" not in html.replace(f"‘{text}’", "").replace(f'value="{text}"', "").replace(
            f"id={text}", ""
        )


@pytest.mark.parametrize("text", ["", "   ", "\0", "%", "_", "'; --", "<script>alert(1)</script>", "9" * 300])
def test_odd_texts_find_nothing_and_break_nothing(world: World, sign_in: SignIn, text: str) -> None:
    answer = sign_in(world.viewer).get("/search/", {"q": text})
    assert answer.status_code == 200
    html = answer.content.decode()
    assert "<script>alert" not in html
    assert not _found(html).keys() & {"Linkage Projects", "Envelopes", "Jobs", "Data catalog"}


def test_a_record_is_looked_up_in_a_project(world: World, sign_in: SignIn) -> None:
    html = sign_in(world.viewer).get("/search/?q=B-17%2F4").content.decode()
    assert 'href="/projects/PERINATAL/records/?id=B-17/4"' in html
