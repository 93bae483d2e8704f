"""Whom the operations on records, groups, people and files are for: rows for the tables of test_api_routes.py."""

import json
from typing import Any

from linkwright.config import load_config
from linkwright.engine.default_configuration import default_match_definition
from linkwright.engine.fields import STANDARD_FIELDS
from linkwright.services.begin_upload import begin_upload
from linkwright.services.create_api_key import create_api_key
from linkwright.services.upload_folder import uploads_of
from linkwright.store.audit_log import COMMAND_LINE, Actor
from linkwright.store.models import ApiKey, Membership, User
from tests.integration.web.seed import World

# of the Administrator, Owner, Operator, Reviewer, Viewer, the Owner of another project, and a newcomer
Statuses = tuple[int, int, int, int, int, int, int]

ALL = (200,) * 7
MEMBERS = (200, 200, 200, 200, 200, 404, 404)
OWNERS_READ = (200, 200, 403, 403, 403, 404, 404)
REASON = {"reason": "tidying"}
CREATED_BY_ADMINISTRATORS = (201, 403, 403, 403, 403, 403, 403)
CHANGED_BY_ADMINISTRATORS = (200, 403, 403, 403, 403, 403, 403)
ADMINISTRATORS = (200, 403, 403, 403, 403, 403, 403)
NOWHERE = (404,) * 7
# whoever may see values, but nothing is there: they are told so
REVIEWERS_REFUSED = (409, 409, 403, 409, 403, 404, 404)

LOOKING: dict[str, tuple[str, Statuses]] = {
    # the project holds no records; test_api_records.py looks at one that does
    "/projects/{code}/records": ("/projects/PERINATAL/records?source_unique_id=B-1", MEMBERS),
    "/projects/{code}/records/search": (
        "/projects/PERINATAL/records/search",
        (200, 200, 403, 200, 403, 404, 404),
    ),
    "/projects/{code}/records/{record_id}": ("/projects/PERINATAL/records/1", NOWHERE),
    "/projects/{code}/groups/{group_id}": ("/projects/PERINATAL/groups/1", NOWHERE),
    "/projects/{code}/pairs/{record_id}/{other_record_id}": ("/projects/PERINATAL/pairs/1/2", NOWHERE),
    "/projects/{code}/members": ("/projects/PERINATAL/members", OWNERS_READ),
    "/people": ("/people", ADMINISTRATORS),
    "/people/{person_id}": ("/people/{person}", ADMINISTRATORS),
    # everybody has keys of their own
    "/api-keys": ("/api-keys", ALL),
    # the files of this world were never there: whoever may take them is told so
    "/envelopes/{envelope_id}/file": ("/envelopes/{queued}/file", (404, 404, 403, 404, 403, 404, 404)),
    "/jobs/{job_id}/rejects": ("/jobs/{failed}/rejects", (404, 404, 404, 403, 403, 404, 404)),
    "/projects/{code}/estimations/{estimation_id}/file": (
        "/projects/PERINATAL/estimations/{estimation}/file",
        MEMBERS,
    ),
    # its version does not fit the fields, and cannot be written
    "/projects/{code}/match-configuration/file": (
        "/projects/PERINATAL/match-configuration/file",
        (409, 409, 409, 409, 409, 404, 404),
    ),
    "/projects/{code}/linkage-fields": ("/projects/PERINATAL/linkage-fields", MEMBERS),
    "/audit-log/check": ("/audit-log/check", ADMINISTRATORS),
}
DECIDING: dict[str, tuple[str, Any, Statuses]] = {
    "/projects/{code}/frequencies": ("/projects/PERINATAL/frequencies", None, (409, 409, 403, 403, 403, 404, 404)),
    "/projects/{code}/match-configuration/read-file": (
        "/projects/PERINATAL/match-configuration/read-file",
        {"text": json.dumps(default_match_definition(STANDARD_FIELDS))},
        (200, 200, 403, 403, 403, 404, 404),
    ),
    # there is nothing to try it on
    "/projects/{code}/match-configuration/try": (
        "/projects/PERINATAL/match-configuration/try",
        {"definition": default_match_definition(STANDARD_FIELDS)},
        (409, 409, 403, 403, 403, 404, 404),
    ),
    # nothing can be searched by, and there is no such group: whoever may is told so
    "/projects/{code}/records/search": (
        "/projects/PERINATAL/records/search",
        {"values": {"surname": "Berg"}},
        REVIEWERS_REFUSED,
    ),
    "/projects/{code}/groups/{group_id}/review": (
        "/projects/PERINATAL/groups/1/review",
        {**REASON, "decision": "each_apart", "seen_record_ids": [1, 2], "chosen_record_ids": [1]},
        REVIEWERS_REFUSED,
    ),
    "/projects/{code}/members": (
        "/projects/PERINATAL/members",
        {"user_name": "nora", "role": "Viewer"},
        (201, 201, 403, 403, 403, 404, 404),
    ),
    "/import-format-samples": (
        "/import-format-samples",
        b"id,surname\n1,Berg\n",
        (200, 403, 403, 403, 403, 403, 403),
    ),
    "/people": ("/people", {"user_name": "nora", "email": "nora@example.org"}, CREATED_BY_ADMINISTRATORS),
    "/people/{person_id}/link": ("/people/{person}/link", None, CREATED_BY_ADMINISTRATORS),
    **{
        f"/people/{{person_id}}/{name}": (f"/people/{{person}}/{name}", None, CHANGED_BY_ADMINISTRATORS)
        for name in ("deactivate", "reactivate", "end-sessions", "lift-wait")
    },
    # nobody is bound: whoever may unbind is told so
    "/people/{person_id}/unbind": (
        "/people/{person}/unbind",
        {"identity_id": 1},
        (404, 403, 403, 403, 403, 403, 403),
    ),
    "/api-keys": ("/api-keys", {"name": "nightly", "permissions": ["submit"]}, (201,) * 7),
    # of somebody else: for all but Administrators it does not exist
    "/api-keys/{key_id}/revoke": ("/api-keys/{key}/revoke", REASON, (200, 404, 404, 404, 404, 404, 404)),
}
PERSON_CHANGES: dict[str, tuple[str, Any, Statuses]] = {
    "/projects/{code}/members/{person_id}": (
        "/projects/PERINATAL/members/{person}",
        {"role": "Reviewer"},
        (200, 200, 403, 403, 403, 404, 404),
    ),
    "/people/{person_id}/administrator": (
        "/people/{person}/administrator",
        {"is_administrator": True},
        CHANGED_BY_ADMINISTRATORS,
    ),
}
MEMBER_DELETIONS: dict[str, tuple[str, Any, Statuses]] = {
    "/projects/{code}/members/{person_id}": (
        "/projects/PERINATAL/members/{person}",
        None,
        (200, 200, 403, 403, 403, 404, 404),
    )
}


def upload_of_somebody() -> str:
    """Return an upload of a person who is none of those who are asked."""
    somebody, _ = User.objects.get_or_create(username="somebody", is_superuser=True)
    uploads = uploads_of(Actor(somebody, "somewhere"), load_config())
    return (uploads or [begin_upload("births.zip", 9, Actor(somebody, "somewhere"), load_config())])[0].id


def somebody_of(world: World) -> User:
    """Return a Viewer of the project who is none of those who are asked."""
    somebody, _ = User.objects.get_or_create(username="somebody else")
    Membership.objects.get_or_create(user=somebody, project=world.perinatal, defaults={"role": "Viewer"})
    return somebody


def key_of_somebody() -> int:
    """Return a key of a person who is none of those who are asked."""
    somebody, _ = User.objects.get_or_create(username="somebody", is_superuser=True)
    found = ApiKey.objects.filter(user=somebody).first()
    return (found or create_api_key(somebody, "theirs", COMMAND_LINE).key).pk
