"""Every operation of the API, asked by every role, a stranger, nobody, and with keys that are over."""

from typing import Any

import pytest
from django.db import transaction

from linkwright.api.urls import openapi_document
from linkwright.store.models import Envelope, Job, JobKind, QueueState
from tests.integration.api.conftest import API, People
from tests.integration.web.seed import World
from tests.integration.web.test_upload import make_package

# the member of another project is its Owner; the newcomer belongs to none
PEOPLE = ("admin", "owner", "operator", "reviewer", "viewer", "stranger", "newcomer")
OUTSIDE = ("nobody", "expired", "revoked", "disabled")

ALL = (200,) * 7
MEMBERS = (200, 200, 200, 200, 200, 404, 404)
STEERING = (200, 200, 200, 403, 403, 200, 403)
REASON = {"reason": "tidying"}

Statuses = tuple[int, int, int, int, int, int, int]

READS: dict[str, tuple[str, Statuses]] = {
    "/me": ("/me", ALL),
    "/envelopes": ("/envelopes", ALL),
    "/envelopes/{envelope_id}": ("/envelopes/{queued}", MEMBERS),
    "/envelopes/{envelope_id}/jobs": ("/envelopes/{queued}/jobs", MEMBERS),
    "/envelopes/{envelope_id}/notifications": ("/envelopes/{queued}/notifications", MEMBERS),
    "/envelopes/{envelope_id}/rollback": ("/envelopes/{queued}/rollback", (200, 200, 200, 403, 403, 404, 404)),
    "/jobs": ("/jobs", ALL),
    "/jobs/{job_id}": ("/jobs/{failed}", MEMBERS),
    "/jobs/{job_id}/audit-messages": ("/jobs/{failed}/audit-messages", MEMBERS),
    "/queue": ("/queue", ALL),
    "/projects": ("/projects", ALL),
    "/projects/{code}": ("/projects/PERINATAL", MEMBERS),
    "/projects/{code}/numbers": ("/projects/PERINATAL/numbers", MEMBERS),
    "/projects/{code}/match-configuration": ("/projects/PERINATAL/match-configuration", MEMBERS),
    "/projects/{code}/estimations": ("/projects/PERINATAL/estimations", MEMBERS),
    "/projects/{code}/estimations/{estimation_id}": ("/projects/PERINATAL/estimations/{estimation}", MEMBERS),
    "/audit-log": ("/audit-log", (200, 200, 403, 403, 403, 200, 403)),
    "/settings": ("/settings", (200, 403, 403, 403, 403, 403, 403)),
    "/providers": ("/providers", ALL),
    "/providers/{code}": ("/providers/WAHEALTH", MEMBERS),
    "/event-types": ("/event-types", ALL),
    "/event-types/{code}": ("/event-types/BIRTHS", MEMBERS),
    "/import-formats": ("/import-formats", ALL),
    "/import-formats/{code}": ("/import-formats/CSV", (200, 200, 200, 200, 200, 200, 404)),
}
ACTIONS: dict[str, tuple[str, Any, Statuses]] = {
    # for the stranger the project is one that does not exist: taken in, and refused by Validate
    "/envelopes": ("/envelopes", make_package(), (201, 201, 201, 403, 403, 201, 403)),
    "/projects/{code}/data-files": (
        "/projects/PERINATAL/data-files?event_type=BIRTHS",
        b"id,name\n1,Ada\n",
        (201, 201, 201, 403, 403, 404, 404),
    ),
    "/envelopes/{envelope_id}/cancel": ("/envelopes/{queued}/cancel", REASON, (202, 202, 202, 403, 403, 404, 404)),
    # it is queued: whoever may roll back is told so
    "/envelopes/{envelope_id}/rollback": (
        "/envelopes/{queued}/rollback",
        REASON,
        (409, 409, 409, 403, 403, 404, 404),
    ),
    # another Envelope of the project has run since: whoever may retry is told so
    "/jobs/{job_id}/retry": ("/jobs/{failed}/retry", None, (409, 409, 409, 403, 403, 404, 404)),
    "/queue/pause": ("/queue/pause", REASON, STEERING),
    # it is not paused: whoever may resume is told so
    "/queue/resume": ("/queue/resume", None, (409, 409, 409, 403, 403, 409, 403)),
    "/queue/clear": ("/queue/clear", REASON, (200, 403, 403, 403, 403, 403, 403)),
    "/settings/{name}": ("/settings/Backup.Keep", {"value": 8}, (200, 403, 403, 403, 403, 403, 403)),
    # the project holds no records: whoever may configure it is told so
    "/projects/{code}/estimations": ("/projects/PERINATAL/estimations", None, (409, 409, 403, 403, 403, 404, 404)),
    "/projects/{code}/estimations/{estimation_id}/apply": (
        "/projects/PERINATAL/estimations/{estimation}/apply",
        None,
        (201, 201, 403, 403, 403, 404, 404),
    ),
}


def _path(world: World, template: str) -> str:
    return template.format(
        queued=world.envelopes["HOSP-2026-10"].pk,
        failed=world.job("BIRTHS-2025-late", JobKind.LOAD).pk,
        estimation=world.estimation.pk if world.estimation else 0,
    )


def _act(world: World, people: People, person: str, template: str, body: Any) -> Any:
    path, caller = _path(world, template), people[person]
    if _method(template) == "put":
        return caller.put(path, body)
    return caller.send(path, body) if isinstance(body, bytes) else caller.post(path, body)


def _method(path: str) -> str:
    return "put" if path.startswith("/settings/") else "post"


def _state(world: World) -> list[Any]:
    return [
        Envelope.objects.count(),
        list(Job.objects.order_by("pk").values_list("pk", "state")),
        QueueState.objects.get(pk=1).paused_at,
        world.perinatal.match_configurations.count(),
    ]


def test_each_person_may_read_what_their_role_allows(world: World, people: People) -> None:
    found = {
        name: tuple(people[person].get(_path(world, template)).status_code for person in PEOPLE)
        for name, (template, _) in READS.items()
    }
    assert found == {name: expected for name, (_, expected) in READS.items()}


@pytest.mark.parametrize("name", ACTIONS)
def test_each_person_may_do_what_their_role_allows(world: World, people: People, name: str) -> None:
    template, body, expected = ACTIONS[name]
    before = _state(world)
    found = []
    for person in PEOPLE:
        with transaction.atomic():
            response = _act(world, people, person, template, body)
            found.append(response.status_code)
            if response.status_code >= 400:
                assert set(response.json()["error"]) == {"code", "message", "faults"}
                assert _state(world) == before
            # everybody meets the same world
            transaction.set_rollback(True)
    assert tuple(found) == expected


@pytest.mark.parametrize("person", OUTSIDE)
def test_without_a_good_key_nothing_is_read_or_done(world: World, people: People, person: str) -> None:
    before = _state(world)
    reads = {people[person].get(_path(world, template)).status_code for template, _ in list(READS.values())[:9]}
    actions = {_act(world, people, person, template, body).status_code for template, body, _ in ACTIONS.values()}
    assert reads == actions == {401}
    assert _state(world) == before


def test_a_refusal_for_want_of_a_key_says_which_scheme_and_why(world: World, people: People) -> None:
    told = {person: people[person].get("/me") for person in OUTSIDE}
    assert all(response["WWW-Authenticate"] == 'Bearer realm="Linkwright"' for response in told.values())
    messages = {person: response.json()["error"]["message"] for person, response in told.items()}
    assert "Send an API key" in messages["nobody"]
    assert "expired on" in messages["expired"]
    assert "was revoked on" in messages["revoked"]
    assert "disabled" in messages["disabled"]


def test_no_operation_is_left_out_of_these_tables() -> None:
    described = {
        (path.removeprefix(API), method) for path, item in openapi_document()["paths"].items() for method in item
    }
    assert described == {
        *((name, "get") for name in READS),
        *((name, _method(name)) for name in ACTIONS),
    }
