"""Every operation of the API, asked by every role, a stranger, nobody, and with keys that are over."""

from collections.abc import Iterable
from typing import Any

import pytest
from django.db import transaction

from linkwright.api.rights import failed_keys
from linkwright.api.urls import openapi_document
from linkwright.engine.default_configuration import default_match_definition
from linkwright.engine.fields import STANDARD_FIELDS
from linkwright.store.models import (
    ApiKey,
    AttachedEventType,
    DataProvider,
    Envelope,
    EventType,
    ExtractionProject,
    ExtractionResult,
    ImportFormat,
    Job,
    JobKind,
    Membership,
    QueueState,
    User,
)
from tests.integration.api.conftest import API, Api, People
from tests.integration.api.rows_of_people_and_records import (
    ALL,
    CHANGED_BY_ADMINISTRATORS,
    CREATED_BY_ADMINISTRATORS,
    DECIDING,
    LOOKING,
    MEMBER_DELETIONS,
    MEMBERS,
    OWNERS_READ,
    PERSON_CHANGES,
    REASON,
    Statuses,
    key_of_somebody,
    somebody_of,
    upload_of_somebody,
)
from tests.integration.web.seed import World
from tests.integration.web.seed_extraction import RESULT_CONTENT
from tests.integration.web.test_upload import make_package

# the member of another project is its Owner; the newcomer belongs to none
PEOPLE = ("admin", "owner", "operator", "reviewer", "viewer", "stranger", "newcomer")
OUTSIDE = ("nobody", "expired", "revoked", "disabled")

STEERING = (200, 200, 200, 403, 403, 200, 403)
EXTRACTION = "/projects/PERINATAL/extraction-projects/DIABETES"
CHANGED = {
    "name": "Asthma",
    "approval_reference": "HREC 2026/18",
    "columns": [{"column": "person_key", "name": "PERSON"}],
}
OTHERS_UPLOAD = (404, 404, 404, 403, 403, 404, 403)

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
    "/uploads": ("/uploads", (200, 200, 200, 403, 403, 200, 403)),
    # of somebody else: it does not exist, not even for the Administrator
    "/uploads/{upload_id}": ("/uploads/{upload}", OTHERS_UPLOAD),
    "/projects": ("/projects", ALL),
    "/projects/{code}": ("/projects/PERINATAL", MEMBERS),
    "/export": ("/export", (200, 403, 403, 403, 403, 403, 403)),
    "/projects/{code}/numbers": ("/projects/PERINATAL/numbers", MEMBERS),
    "/projects/{code}/match-configuration": ("/projects/PERINATAL/match-configuration", MEMBERS),
    "/projects/{code}/match-configuration/versions": (
        "/projects/PERINATAL/match-configuration/versions",
        MEMBERS,
    ),
    "/projects/{code}/reports": ("/projects/PERINATAL/reports", MEMBERS),
    "/projects/{code}/reports/{envelope_id}": ("/projects/PERINATAL/reports/{reported}", MEMBERS),
    "/default-match-configuration": ("/default-match-configuration", ALL),
    "/default-match-configuration/versions": ("/default-match-configuration/versions", ALL),
    "/projects/{code}/estimations": ("/projects/PERINATAL/estimations", MEMBERS),
    "/projects/{code}/estimations/{estimation_id}": ("/projects/PERINATAL/estimations/{estimation}", MEMBERS),
    "/projects/{code}/event-types": ("/projects/PERINATAL/event-types", MEMBERS),
    "/projects/{code}/event-types/{event_type_code}": ("/projects/PERINATAL/event-types/BIRTHS", MEMBERS),
    "/projects/{code}/event-types/{event_type_code}/detach": (
        "/projects/PERINATAL/event-types/BIRTHS/detach",
        OWNERS_READ,
    ),
    "/projects/{code}/extraction-projects": ("/projects/PERINATAL/extraction-projects", MEMBERS),
    "/projects/{code}/extraction-projects/{extraction_code}": (EXTRACTION, MEMBERS),
    "/projects/{code}/extraction-projects/{extraction_code}/results": (f"{EXTRACTION}/results", MEMBERS),
    "/projects/{code}/extraction-projects/{extraction_code}/results/{result_id}/file": (
        f"{EXTRACTION}/results/{{result}}/file",
        (200, 200, 200, 403, 403, 404, 404),
    ),
    "/projects/{code}/purge": ("/projects/PERINATAL/purge", OWNERS_READ),
    **LOOKING,
    "/backups": ("/backups", (200, 403, 403, 403, 403, 403, 403)),
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
    "/uploads": ("/uploads", {"file_name": "births.zip", "size_bytes": 9}, (201, 201, 201, 403, 403, 201, 403)),
    "/uploads/{upload_id}/finish": ("/uploads/{upload}/finish", None, OTHERS_UPLOAD),
    # it is queued: whoever may roll back is told so
    "/envelopes/{envelope_id}/rollback": (
        "/envelopes/{queued}/rollback",
        REASON,
        (409, 409, 409, 403, 403, 404, 404),
    ),
    # another Envelope of the project has run since: whoever may retry is told so
    "/jobs/{job_id}/retry": ("/jobs/{failed}/retry", None, (409, 409, 409, 403, 403, 404, 404)),
    # it is one of an Envelope: whoever may cancel is told so
    "/jobs/{job_id}/cancel": ("/jobs/{failed}/cancel", REASON, (409, 409, 409, 403, 403, 404, 404)),
    "/queue/pause": ("/queue/pause", REASON, STEERING),
    # it is not paused: whoever may resume is told so
    "/queue/resume": ("/queue/resume", None, (409, 409, 409, 403, 403, 409, 403)),
    "/queue/clear": ("/queue/clear", REASON, (200, 403, 403, 403, 403, 403, 403)),
    # the project holds no records: whoever may configure it is told so
    "/projects/{code}/estimations": ("/projects/PERINATAL/estimations", None, (409, 409, 403, 403, 403, 404, 404)),
    "/projects/{code}/estimations/{estimation_id}/apply": (
        "/projects/PERINATAL/estimations/{estimation}/apply",
        None,
        (201, 201, 403, 403, 403, 404, 404),
    ),
    **DECIDING,
    "/projects/{code}/match-configuration/validate": (
        "/projects/PERINATAL/match-configuration/validate",
        {"definition": {"prior": 2}},
        (200, 200, 403, 403, 403, 404, 404),
    ),
    "/projects/{code}/event-types": (
        "/projects/PERINATAL/event-types",
        {"code": "TUMOURS"},
        (201, 201, 403, 403, 403, 404, 404),
    ),
    "/projects/{code}/event-types/{event_type_code}/detach": (
        "/projects/PERINATAL/event-types/DEATHS/detach",
        REASON,
        (202, 202, 403, 403, 403, 404, 404),
    ),
    "/projects/{code}/extraction-projects": (
        "/projects/PERINATAL/extraction-projects",
        {**CHANGED, "code": "ASTHMA", "kind": "snapshot", "event_type_codes": ["HOSP"]},
        (201, 201, 201, 403, 403, 404, 404),
    ),
    "/projects/{code}/extraction-projects/{extraction_code}/close": (
        f"{EXTRACTION}/close",
        REASON,
        (200, 200, 200, 403, 403, 404, 404),
    ),
    "/projects/{code}/extraction-projects/{extraction_code}/extract": (
        f"{EXTRACTION}/extract",
        None,
        (202, 202, 202, 403, 403, 404, 404),
    ),
    # there is nothing to compact or to purge: whoever may configure the project is told so
    "/projects/{code}/compact": ("/projects/PERINATAL/compact", None, (409, 409, 403, 403, 403, 404, 404)),
    "/projects/{code}/purge": (
        "/projects/PERINATAL/purge",
        {**REASON, "older_than_days": 0},
        (409, 409, 403, 403, 403, 404, 404),
    ),
    "/projects": (
        "/projects",
        {"code": "NEW", "name": "A new one", "event_type_codes": ["BIRTHS"], "like": "PERINATAL"},
        (201, 403, 403, 403, 403, 403, 403),
    ),
    # its jobs wait, and it is not archived: whoever may configure it, or delete it, is told so
    "/projects/{code}/archive": ("/projects/PERINATAL/archive", REASON, (409, 409, 403, 403, 403, 404, 404)),
    "/projects/{code}/unarchive": ("/projects/PERINATAL/unarchive", None, (409, 409, 403, 403, 403, 404, 404)),
    "/projects/{code}/delete": (
        "/projects/PERINATAL/delete",
        {**REASON, "code": "PERINATAL"},
        (409, 403, 403, 403, 403, 404, 404),
    ),
    "/default-match-configuration/validate": (
        "/default-match-configuration/validate",
        {"definition": {"prior": 2}},
        CHANGED_BY_ADMINISTRATORS,
    ),
    "/backups": ("/backups", None, (202, 403, 403, 403, 403, 403, 403)),
    "/providers": ("/providers", {"code": "NSWHEALTH", "organisation": "NSW Health"}, CREATED_BY_ADMINISTRATORS),
    "/event-types": (
        "/event-types",
        {"code": "CANCERS", "provider_code": "CANREG", "import_format_code": "CSV"},
        CREATED_BY_ADMINISTRATORS,
    ),
    "/import-formats": (
        "/import-formats",
        {"code": "PIPED", "definition": {"separator": "|", "columns": {"source_unique_id": 1, "surname": 2}}},
        CREATED_BY_ADMINISTRATORS,
    ),
}
CHANGES: dict[str, tuple[str, Any, Statuses]] = {
    "/default-match-configuration": (
        "/default-match-configuration",
        {"definition": default_match_definition(STANDARD_FIELDS), "base_version": 0},
        CHANGED_BY_ADMINISTRATORS,
    ),
    "/settings/{name}": ("/settings/Backup.Keep", {"value": 8}, (200, 403, 403, 403, 403, 403, 403)),
    "/projects/{code}/match-configuration": (
        "/projects/PERINATAL/match-configuration",
        {"definition": default_match_definition(STANDARD_FIELDS), "base_version": 3},
        (200, 200, 403, 403, 403, 404, 404),
    ),
    "/projects/{code}": (
        "/projects/PERINATAL",
        {"name": "Births and babies"},
        (200, 200, 403, 403, 403, 404, 404),
    ),
    "/projects/{code}/event-types/{event_type_code}": (
        "/projects/PERINATAL/event-types/BIRTHS",
        {"updates": "replace"},
        (200, 200, 403, 403, 403, 404, 404),
    ),
    "/projects/{code}/extraction-projects/{extraction_code}": (
        EXTRACTION,
        CHANGED,
        (200, 200, 200, 403, 403, 404, 404),
    ),
    **PERSON_CHANGES,
    "/providers/{code}": ("/providers/WAHEALTH", {"organisation": "WA Health"}, CHANGED_BY_ADMINISTRATORS),
    "/event-types/{code}": (
        "/event-types/BIRTHS",
        {"provider_code": "WAHEALTH", "import_format_code": "CSV", "authoritative": True},
        CHANGED_BY_ADMINISTRATORS,
    ),
    "/import-formats/{code}": (
        "/import-formats/CSV",
        {"definition": {"columns": {"source_unique_id": "id", "surname": "name"}}},
        CHANGED_BY_ADMINISTRATORS,
    ),
}
# each is in use: the Administrator is told so
DELETIONS: dict[str, tuple[str, Any, Statuses]] = {
    f"/{kind}/{{code}}": (f"/{kind}/{code}", None, (409, 403, 403, 403, 403, 403, 403))
    for kind, code in (("providers", "WAHEALTH"), ("event-types", "BIRTHS"), ("import-formats", "CSV"))
} | MEMBER_DELETIONS
ACTS = [
    *(
        (method, *act)
        for method, acts in (("post", ACTIONS), ("put", CHANGES), ("delete", DELETIONS))
        for act in acts.values()
    ),
]


def _path(world: World, template: str) -> str:
    return template.format(
        upload=upload_of_somebody() if "{upload}" in template else "",
        person=somebody_of(world).pk if "{person}" in template else 0,
        key=key_of_somebody() if "{key}" in template else 0,
        queued=world.envelopes["HOSP-2026-10"].pk,
        reported=world.envelopes["HOSP-2026-08"].pk,
        failed=world.job("BIRTHS-2025-late", JobKind.LOAD).pk,
        estimation=world.estimation.pk if world.estimation else 0,
        result=world.result.pk if world.result else 0,
    )


def _act(world: World, caller: Api, method: str, template: str, body: Any) -> Any:
    path = _path(world, template)
    if method == "get":
        return caller.get(path)
    if method == "put":
        return caller.put(path, body)
    if method == "delete":
        return caller.delete(path)
    return caller.send(path, body) if isinstance(body, bytes) else caller.post(path, body)


def _state(world: World) -> list[Any]:
    return [
        Envelope.objects.count(),
        list(Job.objects.order_by("pk").values_list("pk", "state")),
        QueueState.objects.get(pk=1).paused_at,
        world.perinatal.match_configurations.count(),
        list(AttachedEventType.objects.order_by("pk").values_list("pk", "updates", "detached_by")),
        list(DataProvider.objects.order_by("pk").values_list("code", "organisation")),
        list(EventType.objects.order_by("pk").values_list("code", "authoritative")),
        list(ImportFormat.objects.order_by("pk").values_list("code", "definition")),
        list(ExtractionProject.objects.order_by("pk").values_list("code", "name", "closed_at")),
        list(ExtractionResult.objects.order_by("pk").values_list("pk", "downloads_count")),
        list(User.objects.order_by("pk").values_list("pk", "is_active", "is_superuser")),
        list(Membership.objects.order_by("pk").values_list("pk", "role")),
        list(ApiKey.objects.order_by("pk").values_list("pk", "revoked_at")),
    ]


def _status_of(response: Any) -> int:
    if response.streaming:
        # the file is open until it is sent
        assert b"".join(response.streaming_content) == RESULT_CONTENT
    return int(response.status_code)


def test_each_person_may_read_what_their_role_allows(world: World, people: People) -> None:
    found = {
        name: tuple(_status_of(people[person].get(_path(world, template))) for person in PEOPLE)
        for name, (template, _) in READS.items()
    }
    assert found == {name: expected for name, (_, expected) in READS.items()}


# by address: a body may hold the time at which it was made, and every process must collect the same names
@pytest.mark.parametrize(
    ("method", "template", "body", "expected"), ACTS, ids=[f"{method} {template}" for method, template, *_ in ACTS]
)
def test_each_person_may_do_what_their_role_allows(  # noqa: PLR0917 - of one table
    world: World, people: People, method: str, template: str, body: Any, expected: Statuses
) -> None:
    _path(world, template)
    before = _state(world)
    found = []
    for person in PEOPLE:
        with transaction.atomic():
            response = _act(world, people[person], method, template, body)
            found.append(response.status_code)
            if response.status_code >= 400:
                assert set(response.json()["error"]) == {"code", "message", "faults"}
                assert _state(world) == before
            # everybody meets the same world
            transaction.set_rollback(True)
    assert tuple(found) == expected


@pytest.mark.parametrize("person", OUTSIDE)
def test_without_a_good_key_nothing_is_read_or_done(world: World, people: People, person: str) -> None:
    for template in (*(template for template, _ in READS.values()), *(act[1] for act in ACTS)):
        _path(world, template)
    before, caller = _state(world), people[person]
    found = set()
    for method, template, body in (
        *(("get", template, None) for template, _ in READS.values()),
        *(act[:3] for act in ACTS),
    ):
        # many wrong keys come on purpose
        failed_keys.forget()
        found.add(_act(world, caller, method, template, body).status_code)
    assert found == {401}
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
    methods: dict[str, Iterable[str]] = {"get": READS, "post": ACTIONS, "put": CHANGES, "delete": DELETIONS}
    slices = {("/uploads/{upload_id}", "put"), ("/uploads/{upload_id}", "delete")}
    assert described == {(name, method) for method, names in methods.items() for name in names} | slices


def test_a_slice_of_anothers_upload_is_refused_and_it_stays(world: World, people: People) -> None:
    path = _path(world, "/uploads/{upload}")
    assert tuple(people[person].put_slice(path, b"PK", 0).status_code for person in PEOPLE) == OTHERS_UPLOAD
    assert tuple(people[person].delete(path).status_code for person in PEOPLE) == OTHERS_UPLOAD
    for person in OUTSIDE:
        failed_keys.forget()
        assert {people[person].put_slice(path, b"PK", 0).status_code, people[person].delete(path).status_code} == {
            401
        }
    assert _path(world, "/uploads/{upload}") == path
