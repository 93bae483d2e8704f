"""Lists: pages of thousands of rows, filters, and parameters that are refused."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any, get_args

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from linkwright.api.envelopes import EnvelopeStatus
from linkwright.api.jobs import JobStatus
from linkwright.store.models import (
    AuditMessage,
    Envelope,
    EventType,
    Job,
    JobKind,
    JobState,
    Series,
    searchable,
)
from linkwright.store.queries.shown_status import ENVELOPE_STATUSES, JOB_STATUSES
from tests.integration.api.conftest import API, Api, KeyFor
from tests.integration.web.seed import World

MANY = 2_300
Read = Callable[..., Any]


def _walk(api: Api, path: str, **query: Any) -> tuple[list[Any], int]:
    """Follow `next` to the end; returns all items and how many pages there were."""
    items: list[Any] = []
    page = api.get(path, **query)
    for pages_count in range(1, 100):
        assert page.status_code == 200
        shown = page.json()
        items += shown["items"]
        if shown["next"] is None:
            assert shown["next_cursor"] is None
            return items, pages_count
        assert shown["next"].startswith(f"{API}{path}?")
        page = api.get(shown["next"].removeprefix(API))
    raise AssertionError("the pages do not end")


@pytest.fixture
def many(empty_world: World) -> World:
    """Return a world with thousands of Envelopes, jobs and audit messages."""
    now = timezone.now()
    project_id = empty_world.perinatal.pk
    of_system = Series.objects.fitting(project_id=project_id, project_code="PERINATAL")
    series = Series.objects.fitting(
        project_id=project_id, project_code="PERINATAL", sender_code="WAHEALTH", request_type="SubmitLinkage"
    )
    Envelope.objects.bulk_create(
        Envelope(
            name=f"E{number}",
            search_text=searchable(f"E{number}"),
            series=series,
            state="Success" if number % 2 else "Errors",
            project=empty_world.perinatal,
            project_code="PERINATAL",
            sender_code="WAHEALTH",
            request_type="SubmitLinkage",
            file_name="",
            received_at=now - timedelta(minutes=MANY - number),
        )
        for number in range(MANY)
    )
    Job.objects.bulk_create(
        Job(
            kind=JobKind.REPORT,
            series=of_system,
            project=empty_world.perinatal,
            project_code="PERINATAL",
            state=JobState.SUCCESS if number % 3 else JobState.QUEUED,
            queue_rank=number,
            queued_at=now,
            started_at=now - timedelta(minutes=number // 7) if number % 3 else None,
        )
        for number in range(MANY)
    )
    job = Job.objects.all()[0]
    AuditMessage.objects.bulk_create(AuditMessage(job=job, attempt=1, at=now, text=f"{n}") for n in range(MANY))
    return empty_world


def test_every_row_of_thousands_is_met_once_and_in_order(many: World, key_for: KeyFor) -> None:
    api = key_for(many.viewer)
    envelopes, pages_count = _walk(api, "/envelopes", limit=500)
    assert [item["id"] for item in envelopes] == list(
        Envelope.objects.order_by("-pk").values_list("pk", flat=True)
    )
    assert pages_count == 5
    jobs, _ = _walk(api, "/jobs", limit=499)
    started = Job.objects.exclude(started_at=None).order_by("-started_at", "-pk")
    waiting = Job.objects.filter(started_at=None).order_by("-pk")
    assert [item["id"] for item in jobs] == [job.pk for job in [*started, *waiting]]
    job_id = AuditMessage.objects.all()[0].job_id
    messages, _ = _walk(api, f"/jobs/{job_id}/audit-messages", limit=500)
    assert [item["text"] for item in messages] == [str(number) for number in range(MANY)]


def test_rows_that_arrive_meanwhile_move_no_page(many: World, key_for: KeyFor) -> None:
    api = key_for(many.viewer)
    first = api.get("/envelopes", limit=10).json()
    Envelope.objects.create(
        name="late", project=many.perinatal, file_name="", received_at=timezone.now(), state="Success"
    )
    second = api.get(first["next"].removeprefix(API)).json()
    assert second["items"][0]["id"] == first["items"][-1]["id"] - 1


def test_the_links_keep_the_filters(many: World, key_for: KeyFor) -> None:
    items, pages_count = _walk(key_for(many.viewer), "/envelopes", status="Errors", text="E1", limit=100)
    expected = [f"E{number}" for number in range(MANY) if number % 2 == 0 and str(number).startswith("1")]
    assert sorted(item["name"] for item in items) == sorted(expected)
    assert pages_count > 1


def test_a_page_costs_as_much_at_the_end_as_at_the_start_and_counts_nothing(many: World, key_for: KeyFor) -> None:
    api = key_for(many.viewer)
    api.get("/envelopes")
    last = Envelope.objects.order_by("pk")[60].pk
    counts = []
    for query in ({}, {"cursor": str(last)}):
        with CaptureQueriesContext(connection) as captured:
            assert len(api.get("/envelopes", **query).json()["items"]) == 50
        assert not [
            one["sql"] for one in captured if "COUNT(*)" in one["sql"] and "notification" not in one["sql"]
        ]
        counts.append(len(captured))
    assert counts[0] == counts[1] < 12


NARROWED: tuple[tuple[dict[str, str], set[str]], ...] = (
    ({"status": "Corrupt"}, {"DEATHS-2026-Q1"}),
    ({"status": "SuccessActive"}, {"HOSP-2026-09"}),
    ({"project_code": "CANCER"}, {"TUMOURS-2026"}),
    ({"sender_code": "CANREG"}, {"TUMOURS-2026"}),
    ({"request_type": "SubmitDeletion"}, set()),
    ({"text": "late"}, {"BIRTHS-2025-late"}),
    ({"received_from": "2999-01-01T00:00:00Z"}, set()),
)


def test_envelopes_are_narrowed(world: World, key_for: KeyFor) -> None:
    api = key_for(world.admin)
    found = [({item["name"] for item in _walk(api, "/envelopes", **query)[0]}) for query, _ in NARROWED]
    assert found == [expected for _, expected in NARROWED]


def test_envelopes_are_narrowed_to_a_span_of_time(world: World, key_for: KeyFor) -> None:
    found = Envelope.objects.get(name="HOSP-2026-03")
    span = {
        "received_from": found.received_at.isoformat(),
        "received_before": (found.received_at + timedelta(seconds=1)).isoformat(),
    }
    items, _ = _walk(key_for(world.admin), "/envelopes", **span)
    assert [item["name"] for item in items] == ["HOSP-2026-03"]


def test_jobs_are_narrowed(world: World, key_for: KeyFor) -> None:
    api, late = key_for(world.admin), world.envelopes["BIRTHS-2025-late"]
    items, _ = _walk(api, "/jobs", kind="Load", envelope_id=late.pk)
    assert {(item["kind"], item["envelope_name"]) for item in items} == {("Load", "BIRTHS-2025-late")}
    items, _ = _walk(api, "/jobs", status="Held")
    assert {item["status"] for item in items} == {"Held"}
    running = Job.objects.get(state=JobState.RUNNING)
    items, _ = _walk(api, "/jobs", started_from=running.started_at.isoformat() if running.started_at else "")
    assert [item["id"] for item in items] == [running.pk]
    assert items[0]["progress"]["stage"] == "Scoring candidate pairs"
    assert _walk(api, "/jobs", started_before="2000-01-01T00:00:00Z")[0] == []


UNMEANT = (
    {"limit": "0"},
    {"limit": "501"},
    {"cursor": "x"},
    {"cursor": "9" * 30},
    {"status": "Held"},
    {"status": "success"},
    {"received_from": "yesterday"},
    {"text": "a\x00b"},
    {"statsu": "Success"},
)


def test_a_parameter_that_cannot_be_meant_is_refused(empty_world: World, key_for: KeyFor) -> None:
    api = key_for(empty_world.admin)
    for query in UNMEANT:
        response = api.get("/envelopes", **query)
        error = response.json()["error"]
        assert (query, response.status_code) == (query, 422)
        assert next(iter(query)) in f"{error['message']} {error['faults']}"
    assert api.get("/envelopes?text=a&text=b").status_code == 422


def test_the_statuses_to_choose_from_are_those_that_there_are() -> None:
    assert get_args(EnvelopeStatus) == tuple(status.value for status in ENVELOPE_STATUSES)
    assert get_args(JobStatus) == tuple(status.value for status in JOB_STATUSES)


def test_the_catalog_of_others_is_not_shown(world: World, key_for: KeyFor) -> None:
    seen = {
        person: {item["code"] for item in key_for(getattr(world, person)).get("/event-types").json()["items"]}
        for person in ("admin", "owner", "stranger")
    }
    assert seen["admin"] == set(EventType.objects.values_list("code", flat=True))
    assert seen["owner"] == {"BIRTHS", "HOSP", "DEATHS"}
    assert seen["stranger"] == {"TUMOURS"}
    assert {item["code"] for item in key_for(world.stranger).get("/providers").json()["items"]} == {"CANREG"}
    codes, pages_count = _walk(key_for(world.admin), "/event-types", limit=1)
    assert [item["code"] for item in codes] == sorted(seen["admin"])
    assert pages_count == len(codes)
