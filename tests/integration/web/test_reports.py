"""The REPORTS tab: latest numbers of each project, a project's reports, one Envelope's report."""

import json
import re

import pytest

from linkwright.store.models import Envelope, EnvelopeReport, EnvelopeState, JobKind
from linkwright.web.pages import reports
from tests.integration.web.conftest import SignIn
from tests.integration.web.seed import World
from tests.integration.web.test_jobs_tab import words_of


def _rows(html: str) -> list[str]:
    return [words_of(row) for row in re.findall(r'<tr class="row">.*?</tr>', html, re.DOTALL)]


def test_each_project_of_the_person_has_its_latest_report(world: World, sign_in: SignIn) -> None:
    (row,) = _rows(sign_in(world.viewer).get("/reports/").content.decode())
    assert "PERINATAL" in row
    assert "1 009 417" in row.replace("\u202f", " ")
    assert "HOSP-2026-08" in row
    assert "39.3 %" in row.replace("\u202f", " ")
    assert "postcode filled" in row
    others = sign_in(world.stranger).get("/reports/").content.decode()
    assert "PERINATAL" not in others
    assert "Nothing is linked yet." in others


def test_a_projects_reports_are_listed_newest_first_without_what_was_rolled_back(
    world: World, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    Envelope.objects.filter(name="HOSP-2026-07").update(state=EnvelopeState.ROLLED_BACK)
    monkeypatch.setattr(reports, "PAGE_SIZE", 3)
    client = sign_in(world.viewer)
    first = client.get("/reports/PERINATAL/").content.decode()
    names = [re.findall(r"HOSP-2026-\d\d", row)[0] for row in _rows(first)]
    assert names == ["HOSP-2026-08", "HOSP-2026-06", "HOSP-2026-05"]
    (older,) = re.findall(r'rel="next" href="([^"]+)"', first)
    second = client.get(older).content.decode()
    assert [re.findall(r"HOSP-2026-\d\d", row)[0] for row in _rows(second)] == [
        "HOSP-2026-04",
        "HOSP-2026-03",
        "HOSP-2026-02",
    ]
    assert "Newest" in second


def test_a_projects_reports_are_drawn_over_time_and_between_event_types(world: World, sign_in: SignIn) -> None:
    html = sign_in(world.viewer).get("/reports/PERINATAL/").content.decode()
    titles = re.findall(r'<figure class="plot"><figcaption>([^<]*)', html)
    assert titles == [
        "Records and groups over time",
        "Linking rate of each Envelope",
        "Throughput of each Envelope",
        "Match weights and thresholds",
        "Group sizes in the project",
        "Completeness of the linkage fields",
        "Rates of linking between Event Types",
    ]


def test_an_envelopes_report_sets_it_beside_those_before_it(world: World, sign_in: SignIn) -> None:
    envelope = world.envelopes["HOSP-2026-08"]
    html = sign_in(world.viewer).get(f"/reports/PERINATAL/{envelope.pk}/").content.decode()
    words = words_of(html).replace("\u202f", " ")
    assert "postcode filled 72.8 % 93.1 % −20.4 yes" in words
    assert "records linked 39.3 % 37 % +2.3 no" in words
    assert "no longer part" not in words


def test_the_report_of_a_rolled_back_envelope_says_so(world: World, sign_in: SignIn) -> None:
    envelope = world.envelopes["HOSP-2026-08"]
    Envelope.objects.filter(pk=envelope.pk).update(state=EnvelopeState.ROLLED_BACK)
    words = words_of(sign_in(world.viewer).get(f"/reports/PERINATAL/{envelope.pk}/").content.decode())
    assert "RolledBack What is reported here is no longer part of the linkage map." in words


def test_a_report_is_handed_out_as_numbers(world: World, sign_in: SignIn) -> None:
    envelope = world.envelopes["HOSP-2026-08"]
    answer = sign_in(world.viewer).get(f"/reports/PERINATAL/{envelope.pk}/download/")
    assert answer["Content-Disposition"] == f'attachment; filename="report-{envelope.pk}.json"'
    content = json.loads(answer.content)
    stored = EnvelopeReport.objects.get(envelope=envelope).statistics
    assert content["project"] == {"code": "PERINATAL", **stored["project"]}
    assert content["envelope"]["records_count"] == 48_213
    assert [set(plot) for plot in content["plots"]] == [{"name", "title", "columns", "rows"}] * 3


def test_there_is_no_report_of_another_projects_envelope(world: World, sign_in: SignIn) -> None:
    client = sign_in(world.admin)
    assert client.get(f"/reports/PERINATAL/{world.envelopes['HOSP-2026-10'].pk}/").status_code == 404
    other = Envelope.objects.exclude(project=world.perinatal).exclude(project=None).first()
    reported = world.envelopes["HOSP-2026-08"]
    code = other.project.code if other and other.project else "NOBODYS"
    assert client.get(f"/reports/{code}/{reported.pk}/").status_code == 404


def test_a_report_job_leads_to_its_report(world: World, sign_in: SignIn) -> None:
    job = world.job("HOSP-2026-08", JobKind.REPORT)
    html = (
        sign_in(world.viewer).get(f"/jobs/{job.pk}/statistics/", headers={"HX-Request": "true"}).content.decode()
    )
    assert f"/reports/PERINATAL/{job.envelope_id}/" in html
