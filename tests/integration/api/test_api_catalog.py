"""The data catalog over the API: created, changed, deleted only when unused, and what the audit log says of it."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from linkwright.config import load_config
from linkwright.store.models import (
    AttachedEventType,
    AuditLogEntry,
    DataProvider,
    EventType,
    ImportFormat,
    LinkageProject,
)
from tests.integration.api.conftest import Api, KeyFor
from tests.integration.web.seed import World

DEFINITION = {"separator": "|", "columns": {"source_unique_id": "id", "birth_hospital": "hospital"}}


@pytest.fixture
def admin(empty_world: World, key_for: KeyFor) -> Api:
    return key_for(empty_world.admin)


def entries() -> list[tuple[str, str]]:
    return list(AuditLogEntry.objects.exclude(action__contains="API key").values_list("action", "target"))[::-1]


def faults(response: Any) -> list[str]:
    assert response.status_code == 409
    return list(response.json()["error"]["faults"])


def test_a_catalog_is_made_changed_and_taken_down_again(admin: Api) -> None:
    provider = {"code": "NSWHEALTH", "organisation": "NSW Health", "email": "link@nsw.example"}
    assert admin.post("/providers", provider).json() == {
        **provider,
        "contact_name": "",
        "phone": "",
        "used_by": [],
    }
    made = admin.post("/import-formats", {"code": "piped", "definition": DEFINITION})
    assert made.json() == {"code": "piped", "description": "", "definition": DEFINITION, "used_by": []}
    event_type = {"provider_code": "NSWHEALTH", "import_format_code": "piped", "category": "care"}
    assert admin.post("/event-types", {"code": "VISITS", **event_type}).status_code == 201
    changed = admin.put("/event-types/VISITS", {**event_type, "authoritative": True})
    assert changed.json() == admin.get("/event-types/VISITS").json()
    assert changed.json()["authoritative"] is True
    for path in ("/providers/NSWHEALTH", "/import-formats/piped"):
        assert faults(admin.delete(path)) == ["Event Type VISITS uses it."]
    for path in ("/event-types/VISITS", "/providers/NSWHEALTH", "/import-formats/piped"):
        held = admin.get(path).json()
        assert admin.delete(path).json() == held
        assert admin.get(path).status_code == 404
        assert admin.delete(path).status_code == 404
    assert entries() == [
        ("create Data Provider", "NSWHEALTH"),
        ("create Import Format", "piped"),
        ("create Event Type", "VISITS"),
        ("update Event Type", "VISITS"),
        ("delete Event Type", "VISITS"),
        ("delete Data Provider", "NSWHEALTH"),
        ("delete Import Format", "piped"),
    ]
    update = AuditLogEntry.objects.get(action="update Event Type")
    assert update.detail == {
        "fields": ["authoritative"],
        "before": {"authoritative": False},
        "after": {"authoritative": True},
    }


def test_a_change_that_changes_nothing_leaves_no_entry(admin: Api) -> None:
    row = DataProvider.objects.get(code="WAHEALTH")
    assert admin.put("/providers/WAHEALTH", {"organisation": row.organisation}).status_code == 200
    assert entries() == []


def test_what_is_in_use_names_what_uses_it(empty_world: World, admin: Api) -> None:
    assert faults(admin.delete("/event-types/BIRTHS")) == ["Linkage Project PERINATAL takes it."]
    assert len(faults(admin.delete("/import-formats/CSV"))) == 4
    assert EventType.objects.filter(code="BIRTHS").exists()


@pytest.mark.parametrize(
    ("path", "body", "told"),
    [
        ("/providers", {"code": "WAHEALTH", "organisation": "x"}, "there is a Data Provider 'WAHEALTH' already"),
        ("/providers", {"code": "a b", "organisation": "x"}, "'a b' is no code"),
        ("/providers", {"code": "A234567890123456", "organisation": "x"}, "15 characters"),
        (
            "/event-types",
            {"code": "X", "provider_code": "NOBODY", "import_format_code": "CSV"},
            "Data Provider 'NOBODY' is unknown. Known: CANREG, WAHEALTH.",
        ),
        ("/import-formats", {"code": "X", "definition": {}}, "definition.columns: is missing."),
        (
            "/import-formats",
            {"code": "X", "definition": {**DEFINITION, "code": "Y"}},
            "definition.code: the key is unknown.",
        ),
        (
            "/import-formats",
            {"code": "X", "definition": {"columns": {"source_unique_id": "a\0", "surname": "b"}}},
            "columns: holds the zero character",
        ),
    ],
)
def test_what_cannot_be_is_refused_with_its_faults(admin: Api, path: str, body: Any, told: str) -> None:
    before = [model.objects.count() for model in (DataProvider, EventType, ImportFormat)]
    assert any(told in fault for fault in faults(admin.post(path, body)))
    assert [model.objects.count() for model in (DataProvider, EventType, ImportFormat)] == before
    assert entries() == []


def used_by(caller: Api, path: str) -> list[tuple[str, str, bool]]:
    return [(one["kind"], one["code"], one["is_over"]) for one in caller.get(path).json()["used_by"]]


def test_every_answer_says_what_uses_it(world: World, key_for: KeyFor) -> None:
    admin = key_for(world.admin)
    types = [("Event Type", code, False) for code in ("BIRTHS", "DEATHS", "HOSP")]
    assert used_by(admin, "/providers/WAHEALTH") == types
    assert used_by(admin, "/import-formats/CSV") == [*types, ("Event Type", "TUMOURS", False)]
    hosp = admin.get("/event-types/HOSP").json()["used_by"]
    assert [(one["kind"], one["code"], one["project_code"]) for one in hosp] == [
        ("Linkage Project", "PERINATAL", ""),
        ("Extraction Project", "DIABETES", "PERINATAL"),
    ]
    world.perinatal.attachments.filter(event_type__code="BIRTHS").update(
        detached_by=world.envelopes["HOSP-2026-10"]
    )
    assert used_by(admin, "/event-types/BIRTHS") == [("Linkage Project", "PERINATAL", True)]
    for path in ("/providers", "/event-types", "/import-formats"):
        for row in admin.get(path).json()["items"]:
            assert row == admin.get(f"{path}/{row['code']}").json()


def test_what_uses_it_names_nothing_of_others(world: World, key_for: KeyFor) -> None:
    stranger = key_for(world.stranger)
    assert used_by(stranger, "/import-formats/CSV") == [("Event Type", "TUMOURS", False)]
    births = EventType.objects.get(code="BIRTHS")
    AttachedEventType.objects.create(project=LinkageProject.objects.get(code="CANCER"), event_type=births)
    assert used_by(stranger, "/event-types/BIRTHS") == [("Linkage Project", "CANCER", False)]
    assert used_by(key_for(world.viewer), "/event-types/BIRTHS") == [("Linkage Project", "PERINATAL", False)]


def test_what_uses_a_page_of_rows_is_asked_for_at_once(admin: Api, django_assert_num_queries: Any) -> None:
    # the first request of a key notes that it is used
    assert len(admin.get("/event-types").json()["items"]) == 4
    with CaptureQueriesContext(connection) as few:
        admin.get("/event-types")
    row = EventType.objects.get(code="BIRTHS")
    for number in range(20):
        row.pk, row.code = None, f"MORE{number}"
        row.save()
    with django_assert_num_queries(len(few)):
        assert len(admin.get("/event-types").json()["items"]) == 24


def test_a_narrowed_key_configures_only_with_the_permission(empty_world: World, key_for: KeyFor) -> None:
    body = {"code": "NSWHEALTH", "organisation": "NSW Health"}
    reading = key_for(empty_world.admin, permissions=["see jobs"])
    assert reading.post("/providers", body).status_code == 403
    configuring = key_for(empty_world.admin, permissions=["configure catalog"])
    assert configuring.post("/providers", body).status_code == 201


def look(caller: Api, content: bytes, name: str = "births.csv") -> Any:
    return caller.send(f"/import-format-samples?file_name={name}", content)


def test_a_sample_becomes_an_import_format(admin: Api) -> None:
    sample = b"Record ID;Surname;DOB\n1;Berg;31.12.1980\n2;Quist;01.02.1999\n"
    seen = look(admin, sample).json()
    assert seen["definition"]["separator"] == ";"
    assert seen["definition"]["columns"]["surname"] == "Surname"
    assert [one["suggested_field"] for one in seen["columns"]][1:] == ["surname", "date_of_birth"]
    assert (seen["columns"][2]["type"], seen["columns"][1]["values"]) == ("date", ["Berg", "Quist"])
    definition = seen["definition"]
    definition["columns"]["source_unique_id"] = "Record ID"
    made = admin.post("/import-formats", {"code": "semicolons", "definition": definition})
    assert made.status_code == 201, made.content
    assert list(load_config().waiting_folder.glob("*")) == []


def test_a_fixed_width_sample_shows_where_its_columns_are(admin: Api) -> None:
    rows = [
        f"{number:05d} {name:<12}1980-0{number}-02" for number, name in enumerate(("Berg", "Quist", "Lind"), 1)
    ]
    seen = look(admin, "\n".join(rows).encode()).json()
    assert seen["definition"]["kind"] == "fixed_width"
    assert seen["definition"]["columns"] == {}
    assert [(one["start"], one["width"]) for one in seen["columns"]] == [(1, 6), (7, 12), (19, 10)]


def test_fixed_width_columns_are_suggested_by_their_values_and_can_be_saved(admin: Api) -> None:
    rows = [f"{number:05d}{'MF'[number % 2]}{1950 + 3 * number}0517Berg" for number in range(12)]
    seen = look(admin, "\n".join(rows).encode()).json()
    assert seen["definition"]["columns"] == {
        "source_unique_id": {"start": 1, "width": 5},
        "sex": {"start": 6, "width": 1},
        "date_of_birth": {"start": 7, "width": 8},
    }
    assert [one["suggested_why"] for one in seen["columns"]][1:] == [
        "words or codes of sex",
        "dates over many years",
        "",
    ]
    made = admin.post("/import-formats", {"code": "touching", "definition": seen["definition"]})
    assert made.status_code == 201, made.content


def test_what_is_no_sample_is_refused_and_not_kept(admin: Api) -> None:
    response = look(admin, bytes(range(256)) * 20, "picture.png")
    assert response.status_code == 409
    assert "picture.png" in response.json()["error"]["message"]
    assert list(load_config().waiting_folder.glob("*")) == []
