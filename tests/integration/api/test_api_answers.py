"""What holds for every answer: one error shape, no cookie, nothing cached, no value that is not to be seen."""

from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from linkwright.api import jobs as api_jobs
from linkwright.store.models import (
    AuditLogEntry,
    AuditMessage,
    Job,
    JobKind,
    Notification,
    QueueState,
    Severity,
)
from linkwright.store.permissions import Permission
from tests.integration.api.conftest import API, Api, KeyFor, People
from tests.integration.web.seed import World


def _ask(api: Api, method: str, path: str, body: Any = None, content_type: str = "application/json") -> Any:
    client = Client(raise_request_exception=False, enforce_csrf_checks=True)
    return client.generic(method, f"{API}{path}", body or b"", content_type=content_type, headers=api.headers)


def test_every_error_has_one_shape(
    world: World, key_for: KeyFor, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def break_down(*_arguments: object, **_options: object) -> None:
        raise RuntimeError("secret detail")

    monkeypatch.setattr(api_jobs, "list_jobs", break_down)
    api = key_for(world.admin)
    asked = {
        (400, "bad_request"): _ask(api, "POST", "/queue/pause", "{"),
        (401, "unauthenticated"): _ask(Api(""), "GET", "/queue"),
        (403, "forbidden"): _ask(key_for(world.viewer), "POST", "/queue/resume"),
        (404, "not_found"): _ask(api, "GET", "/envelopes/999999"),
        (405, "method_not_allowed"): _ask(api, "DELETE", "/queue"),
        (409, "refused"): _ask(api, "POST", "/queue/resume"),
        (413, "too_large"): _ask(api, "POST", "/queue/pause", '{"reason": "' + "x" * 3_000_000 + '"}'),
        (415, "unsupported_media_type"): _ask(api, "POST", "/queue/pause", "reason=x", "text/plain"),
        (422, "invalid"): _ask(api, "POST", "/queue/pause", '{"reason": ""}'),
        (500, "server_error"): _ask(api, "GET", "/jobs"),
    }
    for (status, code), response in asked.items():
        assert response.status_code == status, response.content
        assert response["Content-Type"].startswith("application/json")
        error = response.json()["error"]
        assert set(response.json()) == {"error"}
        assert (error["code"], set(error)) == (code, {"code", "message", "faults"})
        assert "secret" not in response.content.decode()
        assert response["Cache-Control"] == "no-store"
    assert asked[405, "method_not_allowed"]["Allow"] == "GET"
    assert QueueState.objects.get(pk=1).paused_at is None


@pytest.mark.parametrize("path", ["/", "/nope", "/envelopes/", "/upload", "/me/../me", "/%00"])
@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "HEAD", "OPTIONS"])
def test_addresses_that_there_are_not_are_answered_in_the_form_of_the_api(
    db: None, path: str, method: str
) -> None:
    response = _ask(Api(""), method, path)
    assert response.status_code == 404
    assert response["Content-Type"].startswith("application/json")


def test_an_unknown_host_is_refused_in_the_form_of_the_api(db: None) -> None:
    response = Client(raise_request_exception=False).get(f"{API}/me", headers={"Host": "elsewhere.example"})
    assert response.status_code == 400
    assert response.json()["error"]["code"] == "bad_request"


ODD_BODIES = ("[" * 100_000, '{"reason": NaN}', '"x"', "[]", "null", '{"reason": "\\ud800"}', "\xff")


def test_odd_json_is_refused(empty_world: World, key_for: KeyFor) -> None:
    api = key_for(empty_world.admin)
    found = [_ask(api, "POST", "/queue/pause", body.encode("latin-1")).status_code for body in ODD_BODIES]
    assert found == [400, 400, 422, 422, 422, 422, 400]
    assert QueueState.objects.get(pk=1).paused_at is None


def test_no_answer_sets_a_cookie_or_lets_other_sites_read_it(world: World, key_for: KeyFor) -> None:
    api = key_for(world.admin)
    for response in (api.get("/me"), api.get("/nope"), api.post("/queue/pause", {"reason": "x"})):
        assert not response.cookies
        assert response["Cache-Control"] == "no-store"
        assert "default-src 'none'" in response["Content-Security-Policy"]
        assert not [name for name in response.headers if name.lower().startswith("access-control")]


def test_identifying_values_are_for_those_who_may_see_them(world: World, key_for: KeyFor) -> None:
    job = world.job("HOSP-2026-08", JobKind.MATCH)
    blocks = {
        person: key_for(getattr(world, person)).get(f"/jobs/{job.pk}").json()["statistics"]["largest_blocks"]
        for person in ("owner", "viewer")
    }
    assert {block["values"] for block in blocks["viewer"]} == {"hidden"}
    assert "hidden" not in {str(block["values"]) for block in blocks["owner"]}


def test_messages_name_values_to_those_who_may_see_them(world: World, key_for: KeyFor) -> None:
    envelope, job = world.envelopes["HOSP-2026-08"], world.job("HOSP-2026-08", JobKind.LOAD)
    texts = {"text": "1 row is rejected: [hidden]", "with_values": "1 row is rejected: Ada Berg"}
    Notification.objects.create(envelope=envelope, severity=Severity.WARNING, raised_at=timezone.now(), **texts)
    AuditMessage.objects.create(job=job, attempt=1, at=timezone.now(), **texts)
    Job.objects.filter(pk=job.pk).update(error_message="[hidden] is no date", error_with_values="Berg is no date")
    paths = (
        f"/envelopes/{envelope.pk}/notifications",
        f"/jobs/{job.pk}/audit-messages",
        f"/jobs/{job.pk}",
    )
    for person, sees in (("owner", True), ("reviewer", True), ("viewer", False), ("operator", False)):
        for path in paths:
            answer = str(key_for(getattr(world, person)).get(path).json())
            assert ("Berg" in answer, "[hidden]" in answer) == (sees, not sees), (person, path)
    narrowed = key_for(world.owner, permissions=[Permission.SEE_JOBS])
    assert not any("Berg" in str(narrowed.get(path).json()) for path in paths)


def test_the_queue_tells_nothing_of_projects_of_others(world: World, key_for: KeyFor) -> None:
    seen = key_for(world.stranger).get("/queue").json()
    assert (seen["is_busy"], seen["running"], seen["queued"]) == (True, None, [])
    own = key_for(world.owner).get("/queue").json()
    assert own["running"]["kind"] == "Match"
    assert len(own["queued"]) == 14


def test_steering_names_person_and_key_in_the_audit_log(world: World, key_for: KeyFor) -> None:
    api = key_for(world.owner)
    shown = api.post("/queue/pause", {"reason": "backup"}).json()
    assert (shown["is_paused"], shown["paused_by"], shown["paused_reason"]) == (True, "owner", "backup")
    assert api.post("/queue/resume").json()["is_paused"] is False
    entries = AuditLogEntry.objects.filter(action__endswith=" queue").order_by("pk")
    assert list(entries.values_list("action", "user__username", "reason", "origin")) == [
        ("pause queue", "owner", "backup", "API key key 0 from 127.0.0.1"),
        ("resume queue", "owner", "", "API key key 0 from 127.0.0.1"),
    ]


def test_times_are_iso_in_utc(world: World, key_for: KeyFor) -> None:
    shown = key_for(world.owner).get(f"/envelopes/{world.envelopes['HOSP-2026-10'].pk}").json()
    assert shown["received_at"].endswith("Z")


def test_settings_are_read_changed_refused_and_taken_back(world: World, people: People) -> None:
    admin = people["admin"]
    (found,) = [one for one in admin.get("/settings").json()["items"] if one["name"] == "Backup.Keep"]
    assert (found["kind"], found["value"], found["bound"]) == ("integer", 7, "a whole number from 1 to 10000")
    changed = admin.put("/settings/Backup.Keep", {"value": 9}).json()
    assert (changed["value"], changed["changed_by"]) == (9, "admin")
    refused = admin.put("/settings/Backup.Keep", {"value": 0})
    assert refused.status_code == 409
    assert "allowed is a whole number from 1 to 10000" in refused.json()["error"]["message"]
    assert admin.put("/settings/Backup.Keep", {"value": None}).json()["value"] == 7
    assert admin.put("/settings/No.Such", {"value": 1}).status_code == 404


def test_the_audit_log_is_read_in_pages_and_filtered(world: World, people: People) -> None:
    admin = people["admin"]
    for number in (8, 9, 10):
        admin.put("/settings/Backup.Keep", {"value": number})
    page = admin.get("/audit-log", action="change setting", limit=2).json()
    assert [one["detail"]["after"] for one in page["items"]] == [10, 9]
    assert page["items"][0]["previous_sha256"] == page["items"][1]["sha256"]
    assert page["items"][0]["origin"].startswith("API key key ")
    rest = admin.get("/audit-log", action="change setting", limit=2, cursor=page["next_cursor"]).json()
    assert ([one["detail"]["after"] for one in rest["items"]], rest["next"]) == ([8], None)
    assert people["owner"].get("/audit-log", action="change setting").json()["items"] == []
    assert admin.get("/audit-log", since="no day").status_code == 422
