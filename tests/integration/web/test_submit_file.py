"""The page for a single data file: choose, look, confirm or cancel; by script and as a plain form."""

import os
import re
import time
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from linkwright.config import ServerConfig, load_config, prepare_home
from linkwright.store.models import AuditLogEntry, Envelope, ImportFormat
from tests.integration.web.conftest import SignIn
from tests.integration.web.seed import World

SCRIPT = {"HX-Request": "true"}
PAGE = "/projects/PERINATAL/submit/"
CSV = b"id,given,born\n1,<b>Ada</b>,1980-02-30\n2,Bo\n"
FORMAT = {
    "kind": "delimited",
    "columns": {"source_unique_id": "id", "given_name": "given", "date_of_birth": "born"},
    "date_formats": ["%Y-%m-%d"],
}


@pytest.fixture(autouse=True)
def config(empty_world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ServerConfig:
    monkeypatch.setenv("LINKWRIGHT_HOME", str(tmp_path / "home"))
    ImportFormat.objects.update(definition=FORMAT)
    prepare_home(load_config())
    return load_config()


def upload(client: Client, content: bytes = CSV, **changes: str) -> str:
    """Upload a file; returns the address of its preview, or what the page said."""
    fields = {"action": "SubmitLinkage", "event_type": "BIRTHS", **changes}
    file = SimpleUploadedFile("births.csv", content)
    response = client.post(PAGE, {**fields, "file": file}, headers=SCRIPT)
    assert response.status_code == 200
    return response.get("Linkwright-Next") or response.content.decode()


def waiting(config: ServerConfig) -> list[str]:
    return [path.name for path in config.waiting_folder.rglob("data")] if config.waiting_folder.exists() else []


def test_the_page_offers_the_actions_and_the_attached_event_types(empty_world: World, sign_in: SignIn) -> None:
    html = sign_in(empty_world.owner).get(PAGE).content.decode()
    assert re.findall(r'name="action" value="(\w+)"( checked)?', html) == [
        ("SubmitLinkage", " checked"),
        ("SubmitDeletion", ""),
        ("EstimateProbabilities", ""),
        ("SubmitQualityReview", ""),
    ]
    assert re.findall(r'<option value="(\w+)"', html) == ["BIRTHS", "DEATHS", "HOSP"]
    link = f'href="{PAGE}"'
    assert link in sign_in(empty_world.owner).get("/projects/PERINATAL/").content.decode()
    assert link not in sign_in(empty_world.viewer).get("/projects/PERINATAL/").content.decode()


def test_a_file_is_shown_and_then_queued_under_the_chosen_name(
    empty_world: World, sign_in: SignIn, config: ServerConfig
) -> None:
    client = sign_in(empty_world.owner)
    address = upload(client)
    html = client.get(address).content.decode()
    for part in (
        "&lt;b&gt;Ada&lt;/b&gt;",
        "This is no date that can be read",
        "The row has 2 columns instead of 3.",
        'value="births"',
        "Load accepts no such row",
    ):
        assert part in html
    assert not Envelope.objects.exists()
    response = client.post(address, {"name": "BIRTHS-2026-03"}, follow=True)
    assert "BIRTHS-2026-03 is queued with 5 jobs." in response.content.decode()
    envelope = Envelope.objects.get()
    assert (envelope.received_by, envelope.project) == (empty_world.owner, empty_world.perinatal)
    assert AuditLogEntry.objects.get(action="submit Envelope").origin == "127.0.0.1"
    # a second browser, and a look back
    for again in (client.post(address, {"name": "AGAIN"}), client.get(address)):
        assert again["Location"] == "/projects/PERINATAL/"
    assert (Envelope.objects.count(), waiting(config)) == (1, [])
    cancelled = client.post(f"{address}cancel/", follow=True).content.decode()
    assert "BIRTHS-2026-03 is queued" in cancelled


def test_a_plain_form_works_without_a_script(empty_world: World, sign_in: SignIn) -> None:
    client = sign_in(empty_world.owner)
    fields = {"action": "SubmitDeletion", "event_type": "HOSP", "file": SimpleUploadedFile("ids.txt", b"a1\na2\n")}
    response = client.post(PAGE, fields, follow=True)
    assert "First rows" in response.content.decode()
    refused = client.post(PAGE, {"action": "SubmitDeletion"}, follow=True)
    assert "No file was sent." in refused.content.decode()


@pytest.mark.parametrize(
    ("content", "changes", "text"),
    [
        (b"", {}, "is empty"),
        (CSV, {"action": ""}, "No data action was chosen"),
        (CSV, {"action": "SubmitExtraction"}, "cannot ask for SubmitExtraction"),
        (CSV, {"event_type": ""}, "No Event Type was chosen"),
        (CSV, {"event_type": "TUMOURS"}, "is not attached to PERINATAL"),
        (b"PAR1", {"action": "SubmitQualityReview"}, "this is Parquet"),
    ],
)
def test_what_cannot_be_is_refused_at_once_and_not_kept(
    empty_world: World, sign_in: SignIn, content: bytes, changes: dict[str, str], text: str
) -> None:
    config = load_config()
    answer = upload(sign_in(empty_world.owner), content, **changes)
    assert text in answer
    assert "flash-error" in answer
    assert waiting(config) == []
    assert list(config.scratch_folder.iterdir()) == []


def test_a_file_of_the_wrong_format_says_why_and_cannot_be_confirmed(
    empty_world: World, sign_in: SignIn, config: ServerConfig
) -> None:
    client = sign_in(empty_world.owner)
    address = upload(client, b"id;given;born\n1;Ada;1980-01-01\n")
    html = client.get(address).content.decode()
    assert "is mapped to the column &#x27;id&#x27;" in html
    assert 'id="confirm-file"' not in html
    assert client.post(address, {"name": "x"}).status_code == 409
    assert not Envelope.objects.exists()
    gone = client.post(f"{address}cancel/", follow=True).content.decode()
    assert "The file was deleted. Nothing was queued." in gone
    assert list(config.waiting_folder.iterdir()) == []


def test_the_preview_is_for_its_sender_alone(empty_world: World, sign_in: SignIn, config: ServerConfig) -> None:
    address = upload(sign_in(empty_world.owner))
    for person in (empty_world.admin, empty_world.viewer, empty_world.stranger):
        client = sign_in(person)
        for response in (client.get(address), client.post(address), client.post(f"{address}cancel/")):
            assert response.status_code in {302, 403, 404}
            assert b"Ada" not in response.content
    assert (Envelope.objects.count(), waiting(config)) == (0, ["data"])


def test_a_file_that_was_swept_meanwhile_says_so(
    empty_world: World, sign_in: SignIn, config: ServerConfig
) -> None:
    client = sign_in(empty_world.owner)
    address = upload(client)
    (folder,) = config.waiting_folder.iterdir()
    os.utime(folder, (time.time() - 90_000,) * 2)
    upload(client)
    response = client.post(address, {"name": "late"}, follow=True)
    assert "This file does not wait any more" in response.content.decode()
    assert not Envelope.objects.exists()
