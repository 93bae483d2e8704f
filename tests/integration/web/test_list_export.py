"""Export of a list as CSV, and download of an Envelope: what is in the file, who gets it, what is written down."""

import csv
import io
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from linkwright.config import load_config, prepare_home
from linkwright.services import export_list
from linkwright.store.models import AuditLogEntry, Envelope, EnvelopeState, Job
from linkwright.store.queries.envelope_lists import list_envelopes
from tests.integration.web.conftest import SignIn
from tests.integration.web.seed import World

ENVELOPES, JOBS = "/jobs/envelopes/export/", "/jobs/all/export/"


def rows_of(client: Client, address: str) -> list[dict[str, str]]:
    """Return the rows of an exported file."""
    response = client.get(address)
    assert response["Content-Type"] == "text/csv; charset=utf-8"
    content: bytes = b"".join(response.streaming_content)  # type: ignore[attr-defined]
    return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline="")))


def test_all_rows_that_the_filters_give_are_exported_in_the_lists_order(
    world: World, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export_list, "ROWS_AT_ONCE", 4)
    client = sign_in(world.admin)
    found = rows_of(client, ENVELOPES)
    assert [int(row["Number"]) for row in found] == list(
        Envelope.objects.order_by("-pk").values_list("pk", flat=True)
    )
    assert {row["Name"] for row in rows_of(client, f"{ENVELOPES}?type=TUMOURS")} == {"TUMOURS-2026"}
    jobs = rows_of(client, f"{JOBS}?project=PERINATAL")
    assert len(jobs) == Job.objects.filter(project=world.perinatal).count() > 50
    assert jobs[-1]["Started"] == ""


def test_cells_are_as_on_the_page_with_iso_times(world: World, sign_in: SignIn) -> None:
    envelope = world.envelopes["HOSP-2026-08"]
    (row,) = rows_of(sign_in(world.viewer), f"{ENVELOPES}?text=HOSP-2026-08")
    assert row == {
        "Number": str(envelope.pk),
        "Status": "Success",
        "Name": "HOSP-2026-08",
        "Project": "PERINATAL",
        "Provider": "WAHEALTH",
        "Data action": "Linkage",
        "Event Types": "BIRTHS, HOSP",
        "Records": "48213",
        "Received": envelope.received_at.isoformat().replace("+00:00", "Z"),
        "Received by": "owner",
        "Processed": row["Processed"],
        "Duration (s)": "68.4",
        "Errors": "0",
        "Warnings": "1",
        "Info": "1",
    }
    (failed,) = rows_of(sign_in(world.viewer), f"{JOBS}?status=Errors&from=2020-01-01")
    assert failed["Result"].startswith("births.csv, line 8 211")


@pytest.mark.parametrize("name", ['=HYPERLINK("x")', "+1", "-1", "@SUM(A1)", "\t=1"])
def test_no_spreadsheet_takes_a_name_for_a_formula(world: World, sign_in: SignIn, name: str) -> None:
    Envelope.objects.filter(name="HOSP-2026-08").update(name=name)
    found = {row["Name"] for row in rows_of(sign_in(world.admin), ENVELOPES)}
    assert f"'{name}" in found
    assert name not in found


def test_an_export_holds_nothing_of_other_projects_and_stands_in_the_audit_log(
    world: World, sign_in: SignIn
) -> None:
    client = sign_in(world.stranger)
    assert {row["Name"] for row in rows_of(client, f"{ENVELOPES}?status=Success")} == {"TUMOURS-2026"}
    assert {row["Project"] for row in rows_of(client, JOBS)} == {"CANCER"}
    entries = AuditLogEntry.objects.order_by("pk").values_list("action", "user__username", "detail")
    assert list(entries) == [
        ("export Envelopes", "stranger", {"status": "Success"}),
        ("export jobs", "stranger", {}),
    ]


def test_memory_holds_one_step_of_an_export(
    world: World, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export_list, "ROWS_AT_ONCE", 3)
    read: list[int] = []
    whole = list_envelopes

    def note(*arguments: Any, **options: Any) -> Any:
        page = whole(*arguments, **options)
        read.append(len(page.rows))
        return page

    monkeypatch.setattr(export_list, "list_envelopes", note)
    response = sign_in(world.admin).get(ENVELOPES)
    stream = iter(response.streaming_content)  # type: ignore[attr-defined]
    next(stream)
    assert read == []
    next(stream)
    assert read == [3]


def kept_file(envelope: Envelope, content: bytes = b"PK the zip") -> Path:
    """Put the file of an Envelope where received ones lie."""
    prepare_home(load_config())
    path = load_config().incoming_folder / envelope.file_name
    path.write_bytes(content)
    return path


def test_who_may_see_identifying_values_downloads_the_envelope(world: World, sign_in: SignIn) -> None:
    envelope = world.envelopes["HOSP-2026-08"]
    kept_file(envelope)
    client = sign_in(world.owner)
    assert f'id="envelope-{envelope.pk}-download"' in client.get("/jobs/envelopes/").content.decode()
    response = client.get(f"/jobs/envelopes/{envelope.pk}/download/", REMOTE_ADDR="10.1.2.3")
    assert b"".join(response.streaming_content) == b"PK the zip"  # type: ignore[attr-defined]
    assert response["Content-Disposition"] == 'attachment; filename="HOSP-2026-08.zip"'
    entry = AuditLogEntry.objects.get(action="download Envelope")
    assert (entry.user, entry.origin, entry.project_code) == (world.owner, "10.1.2.3", "PERINATAL")


def test_who_may_not_is_refused_and_not_shown_it(world: World, sign_in: SignIn) -> None:
    envelope = world.envelopes["HOSP-2026-08"]
    kept_file(envelope)
    assert '-download"' not in sign_in(world.viewer).get("/jobs/envelopes/").content.decode()
    assert sign_in(world.viewer).get(f"/jobs/envelopes/{envelope.pk}/download/").status_code == 403
    assert not AuditLogEntry.objects.exists()


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        (
            {"state": EnvelopeState.ROLLED_BACK, "file_name": ""},
            "it was deleted when the Envelope was rolled back.",
        ),
        ({"file_name": ""}, "of an estimation, nothing is kept."),
        ({"file_name": "gone.zip"}, "it is no longer in the data folder."),
    ],
)
def test_a_file_that_is_gone_says_why(world: World, sign_in: SignIn, changes: dict[str, str], told: str) -> None:
    envelope = world.envelopes["HOSP-2026-07"]
    Envelope.objects.filter(pk=envelope.pk).update(**changes)
    response = sign_in(world.admin).get(f"/jobs/envelopes/{envelope.pk}/download/")
    assert response.status_code == 404
    assert told in response.content.decode()
    assert not AuditLogEntry.objects.exists()
