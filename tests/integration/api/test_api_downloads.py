"""Files over the API: an Envelope as received, rejected rows, a match configuration; and the linkage fields."""

import hashlib
import json
from typing import Any

import pytest
import yaml

from linkwright.store.audit_log import COMMAND_LINE
from linkwright.store.models import AuditLogEntry, Envelope, Job, JobKind, LinkageProject, Membership, Role, User
from linkwright.store.permissions import Permission
from linkwright.store.settings import change_setting
from tests.integration.api.conftest import Api, KeyFor
from tests.integration.pipeline.conftest import Row, System, system, without_drawing

__all__ = ["system", "without_drawing"]

pytestmark = pytest.mark.usefixtures("without_drawing")

ROWS: list[Row] = [
    ("a1", "Anna", "O'Berg", "1980-01-02", "2000"),
    ("", "Nobody", "Nameless", "1980-01-02", "2000"),
]


@pytest.fixture
def loaded(system: System) -> Envelope:
    """Return an Envelope of which one row was rejected."""
    change_setting("Worker.Load.MaxRejectedRows", 1, COMMAND_LINE)
    envelope = system.load("first", ROWS)
    assert envelope.state == "Success"
    return envelope


def person(role: Role) -> User:
    user = User.objects.create(username=role.value.lower())
    Membership.objects.create(user=user, project=LinkageProject.objects.get(code="P1"), role=role)
    return user


def taken(response: Any) -> bytes:
    assert response.status_code == 200, response.content
    assert response["Content-Disposition"].startswith("attachment")
    content = b"".join(response.streaming_content) if response.streaming else response.content
    return bytes(content)


def logged(action: str) -> list[str]:
    rows = AuditLogEntry.objects.filter(action=action)
    return list(rows.values_list("user__username", flat=True))


def test_an_envelope_comes_as_it_was_received_and_is_in_the_audit_log(loaded: Envelope, key_for: KeyFor) -> None:
    path = f"/envelopes/{loaded.pk}/file"
    response = key_for(person(Role.REVIEWER)).get(path)
    assert response["Content-SHA256"] == hashlib.sha256(taken(response)).hexdigest() == loaded.sha256
    assert logged("download Envelope") == ["reviewer"]
    assert key_for(person(Role.OPERATOR)).get(path).status_code == 403
    narrowed = key_for(User.objects.get(username="reviewer"), permissions=[Permission.SEE_JOBS])
    assert narrowed.get(path).status_code == 403
    assert key_for(User.objects.create(username="stranger")).get(path).status_code == 404
    assert logged("download Envelope") == ["reviewer"]


def test_rejected_rows_come_with_line_and_reason(loaded: Envelope, key_for: KeyFor) -> None:
    load = Job.objects.get(envelope=loaded, kind=JobKind.LOAD)
    operator = key_for(person(Role.OPERATOR))
    lines = taken(operator.get(f"/jobs/{load.pk}/rejects")).decode().splitlines()
    assert len(lines) == 2
    assert lines[1].startswith("3,")
    assert logged("download rejected rows") == ["operator"]
    match = Job.objects.get(envelope=loaded, kind=JobKind.MATCH)
    assert operator.get(f"/jobs/{match.pk}/rejects").status_code == 404
    assert key_for(person(Role.VIEWER)).get(f"/jobs/{load.pk}/rejects").status_code == 403


def test_a_match_configuration_comes_in_both_forms(system: System, key_for: KeyFor) -> None:
    viewer, path = key_for(person(Role.VIEWER)), "/projects/P1/match-configuration"
    definition = viewer.get(path).json()["definition"]
    assert yaml.safe_load(taken(viewer.get(f"{path}/file"))) == definition
    splink = json.loads(taken(viewer.get(f"{path}/file", form="splink", strategy="person")))
    assert len(splink["comparisons"]) == 3
    refused = viewer.get(f"{path}/file", form="splink", strategy="none")
    assert refused.status_code == 409
    assert "Strategies with comparisons: person" in refused.json()["error"]["message"]


def test_linkage_fields_show_values_only_if_asked_for_by_whom_may_see_them(
    loaded: Envelope, key_for: KeyFor
) -> None:
    path = "/projects/P1/linkage-fields"
    viewer, reviewer = key_for(person(Role.VIEWER)), key_for(person(Role.REVIEWER))

    def surname(api: Api, **query: Any) -> Any:
        return next(one for one in api.get(path, **query).json()["items"] if one["name"] == "surname")

    shown = surname(viewer)
    assert shown["sources"][0]["column"] == "surname"
    assert shown["uses"][0]["comparisons"] == ["surname (exact)"]
    assert (shown["held_values"], surname(reviewer)["held_values"]) == (None, None)
    assert viewer.get(path, values="true").status_code == 403
    assert logged("see identifying values") == []
    assert surname(reviewer, values="true")["held_values"] == ["oberg"]
    assert logged("see identifying values") == ["reviewer"]


def test_a_changed_entry_of_the_audit_log_is_found(db: None, key_for: KeyFor) -> None:
    admin = key_for(User.objects.create(username="admin", is_superuser=True))
    good = admin.get("/audit-log/check").json()
    assert (good["fault"], good["is_whole"]) == ("", True)
    assert good["checked_count"] == good["entries_count"] == AuditLogEntry.objects.count()
    AuditLogEntry.objects.filter(number=1).update(target="somebody else")
    bad = admin.get("/audit-log/check").json()
    assert (bad["fault_number"], "was changed" in bad["fault"]) == (1, True)
