"""Filters above the lists: chips, selects, what cannot be read; and pages that stop before they are full."""

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from linkwright.store.models import Envelope, Job, JobKind, Series
from linkwright.store.queries import keyset
from tests.integration.web.conftest import SignIn
from tests.integration.web.seed import World, add_envelope
from tests.integration.web.test_live import Reader

ENVELOPES, JOBS = "/jobs/envelopes/", "/jobs/all/"


def names(client: Client, address: str) -> set[str]:
    """Return the names of the Envelopes that a page lists."""
    html = client.get(address).content.decode()
    table = html[html.index('<table class="data data-main"') :]
    return set(re.findall(r'<span class="name" title="([^"]+)">', table))


def kinds(client: Client, address: str) -> set[str]:
    """Return the kinds of the jobs that a page lists."""
    html = client.get(address).content.decode()
    return set(re.findall(r'job-number">\d+</span> <span class="name">(\w+)</span>', html))


def test_every_filter_stands_as_a_chip_that_leads_to_the_list_without_it(world: World, sign_in: SignIn) -> None:
    query = "status=Success&project=PERINATAL&provider=WAHEALTH&action=SubmitLinkage&type=HOSP&text=hosp"
    html = sign_in(world.admin).get(f"{ENVELOPES}?{query}&before=9").content.decode()
    chips = dict(re.findall(r'<a class="chip" href="([^"]+)">([^<]+) <svg', html))
    assert set(chips.values()) == {
        "Status: Success",
        "Project: PERINATAL",
        "Provider: WAHEALTH",
        "Data action: Linkage",
        "Event Type: HOSP",
        "Text: hosp",
    }
    without_type = next(url for url, label in chips.items() if label.startswith("Event Type"))
    assert without_type == f"{ENVELOPES}?{query.replace('&type=HOSP', '')}".replace("&", "&amp;")
    assert "Remove all" in html


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("provider=CANREG", {"TUMOURS-2026"}),
        ("type=TUMOURS", {"TUMOURS-2026"}),
        ("action=SubmitDeletion", set()),
        ("text=2026-0+08", {"HOSP-2026-08"}),
        ("text=hosp-2026-08", {"HOSP-2026-08"}),
        ("project=NONE", set()),
        ("type=HOSP&status=Errors", {"BIRTHS-2025-late"}),
    ],
)
def test_filters_narrow_the_envelopes(world: World, sign_in: SignIn, query: str, expected: set[str]) -> None:
    assert names(sign_in(world.admin), f"{ENVELOPES}?{query}") == expected


def test_dates_are_whole_days_and_both_ends_count(world: World, sign_in: SignIn) -> None:
    received = world.envelopes["HOSP-2026-03"].received_at
    day = f"{received:%Y-%m-%d}"
    assert names(sign_in(world.admin), f"{ENVELOPES}?from={day}&to={day}") == {"HOSP-2026-03"}
    later = f"{received + timedelta(days=1):%Y-%m-%d}"
    assert names(sign_in(world.admin), f"{ENVELOPES}?from={later}&to={day}") == set()


def test_jobs_are_found_by_kind_provider_type_and_envelope(world: World, sign_in: SignIn) -> None:
    client = sign_in(world.admin)
    assert kinds(client, f"{JOBS}?kind=Match") == {"Match"}
    assert kinds(client, f"{JOBS}?text=match") == {"Match"}
    assert kinds(client, f"{JOBS}?provider=CANREG&kind=Load") == {"Load"}
    html = client.get(f"{JOBS}?type=TUMOURS").content.decode()
    assert "TUMOURS-2026" in html
    assert "HOSP-2026-08" not in html.split('<table class="data data-main"')[1]
    number = world.job("HOSP-2026-03", JobKind.GROUP).pk
    assert f'id="job-{number}"' in client.get(f"{JOBS}?text={number}").content.decode()


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("status=Nonsense", "There is no status &#x27;Nonsense&#x27; here, so it is left out."),
        ("from=2026-02-31", "&#x27;2026-02-31&#x27; is no day, so &#x27;From&#x27; is left out."),
        ("to=yesterday", "&#x27;yesterday&#x27; is no day"),
        ("from=0001-01-01", "is no day"),
        ("to=9999-12-31", "is no day"),
    ],
)
def test_what_cannot_be_read_is_left_out_and_said(world: World, sign_in: SignIn, query: str, told: str) -> None:
    for view in (ENVELOPES, JOBS):
        html = sign_in(world.admin).get(f"{view}?{query}").content.decode()
        assert told in html
        assert "HOSP-2026-08" in html
    assert "There is no kind" in sign_in(world.admin).get(f"{JOBS}?kind=Nothing").content.decode()


@pytest.mark.parametrize(
    "query",
    [
        *("text=%00", "text=%27%22%25_", "text=%EF%BF%BD", "project=%00", "text=" + "a+" * 90, "before=x"),
        *("after=-1", "before=999999999999999999", "after=s99999999999999999-1", "text=999999999999999999"),
        "type=%5B%22HOSP",
    ],
)
def test_no_address_breaks_a_list(world: World, sign_in: SignIn, query: str) -> None:
    client = sign_in(world.owner)
    for view in (ENVELOPES, JOBS, "/projects/PERINATAL/", "/jobs/envelopes/live/", "/jobs/all/live/"):
        assert client.get(f"{view}?{query}", follow=True).status_code == 200


def test_selects_offer_what_a_person_may_know(world: World, sign_in: SignIn) -> None:
    html = sign_in(world.stranger).get(ENVELOPES).content.decode()
    assert '<option value="TUMOURS">' in html
    for unknown in ("PERINATAL", "WAHEALTH", "HOSP"):
        assert f'<option value="{unknown}">' not in html
    asked = sign_in(world.stranger).get(f"{ENVELOPES}?provider=WAHEALTH").content.decode()
    assert '<option value="WAHEALTH" selected>' in asked
    assert "No Envelope matches these filters." in asked


def test_a_filtered_list_stays_filtered_and_open_while_it_is_live(world: World, sign_in: SignIn) -> None:
    envelope = world.envelopes["HOSP-2026-03"]
    reader = Reader(sign_in(world.admin), ENVELOPES, f"type=HOSP&open=envelope-{envelope.pk}")
    add_envelope(world, "TUMOURS-2027", project=world.cancer, types=("TUMOURS", "TUMOURS"), sender_code="CANREG")
    fresh = add_envelope(world, "HOSP-2026-11")
    html = reader.poll().html
    assert f'id="envelope-{fresh.pk}-group"' in html
    assert "TUMOURS-2027" not in html


def test_a_page_that_stops_early_says_how_far_it_has_looked(
    world: World, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keyset, "FEW_ROWS", 1)
    monkeypatch.setattr(keyset, "PATIENCE_S", -1.0)
    monkeypatch.setattr(keyset, "_FIRST_IDS", 3)
    client = sign_in(world.admin)
    seen: set[str] = set()
    address, pages = f"{ENVELOPES}?text=hosp-2026-0", 0
    while address:
        html = client.get(address).content.decode()
        seen |= names(client, address)
        further = re.search(r'So far looked through what was received since [^<]+ <a href="([^"]+)">', html)
        address, pages = (further[1].replace("&amp;", "&") if further else ""), pages + 1
    assert pages > 3
    assert seen == {f"HOSP-2026-0{month}" for month in range(1, 10)} | {"HOSP-2026-09-draft"}
    assert "None found so far." in client.get(f"{ENVELOPES}?text=2026-01").content.decode()


def test_a_job_has_an_address_of_its_own_however_far_back_it_is(world: World, sign_in: SignIn) -> None:
    job = world.job("HOSP-2026-01", JobKind.VALIDATE)
    response = sign_in(world.owner).get(f"/jobs/{job.pk}/statistics/", follow=True)
    html = response.content.decode()
    assert f'id="statistics-{job.pk}"' in html
    first = re.search(r'<tbody id="job-(\d+)-group">', html)
    assert first is not None
    assert int(first[1]) == job.pk


def test_rows_get_their_series_when_they_are_made(world: World) -> None:
    assert not Envelope.objects.filter(series=None).exists()
    assert not Job.objects.filter(series=None).exists()
    envelope = world.envelopes["HOSP-2026-03"]
    assert envelope.series is not None
    assert envelope.series.event_type_codes == ["BIRTHS", "HOSP"]
    assert set(Job.objects.filter(envelope=envelope).values_list("series", flat=True)) == {envelope.series.pk}
    count = Series.objects.count()
    add_envelope(world, "HOSP-2026-12", age=timezone.now() - envelope.received_at)
    assert Series.objects.count() == count
