"""The upload form: queued, or refused with all reasons; by script and as a plain form."""

import io
import zipfile
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from linkwright.config import load_config, prepare_home
from linkwright.store.models import AuditLogEntry, Envelope, Job
from tests.integration.web.conftest import SignIn
from tests.integration.web.seed import World

SCRIPT = {"HX-Request": "true"}
NAMESPACE = "http://www.phrn.org.au/participants/cdl/20110801"


@pytest.fixture(autouse=True)
def _home() -> None:
    prepare_home(load_config())


def make_package(
    project: str = "PERINATAL", listed: str = "births.csv", held: str = "births.csv", padding: bytes = b""
) -> bytes:
    """Return the bytes of a small Envelope; `padding` is a file more, which nothing lists."""
    manifest = (
        f'<?xml version="1.0"?><Manifest xmlns="{NAMESPACE}"><LinkageProject>{project}</LinkageProject>'
        "<Sender>WAHEALTH</Sender><RequestType>SubmitLinkage</RequestType><NumberOfDataFiles>1</NumberOfDataFiles>"
        f'<Data><File fileName="{listed}" format="FlatFile" datasource="BIRTHS"/></Data></Manifest>'
    )
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as package:
        package.writestr("manifest.xml", manifest)
        package.writestr(held, "id,name\n1,Ada\n")
        if padding:
            package.writestr("padding", padding)
    return stream.getvalue()


def _send(client: Client, content: bytes, name: str = "") -> tuple[int, str]:
    file = SimpleUploadedFile("births-2026.zip", content, content_type="application/zip")
    response = client.post("/jobs/envelopes/upload/", {"envelope": file, "name": name}, headers=SCRIPT)
    return response.status_code, response.content.decode()


def test_an_envelope_is_queued_with_its_chain(empty_world: World, sign_in: SignIn) -> None:
    status, html = _send(sign_in(empty_world.owner), make_package(), "BIRTHS-2026-03")
    assert status == 200
    assert "BIRTHS-2026-03 is queued with 5 jobs." in html
    assert "flash-success" in html
    envelope = Envelope.objects.get()
    assert (envelope.name, envelope.received_by, envelope.project) == (
        "BIRTHS-2026-03",
        empty_world.owner,
        empty_world.perinatal,
    )
    assert AuditLogEntry.objects.get().origin == "127.0.0.1"


def test_without_a_name_it_is_called_like_its_file(empty_world: World, sign_in: SignIn) -> None:
    _send(sign_in(empty_world.owner), make_package())
    assert Envelope.objects.get().name == "births-2026"


def test_a_damaged_file_becomes_corrupt_and_says_why(empty_world: World, sign_in: SignIn) -> None:
    status, html = _send(sign_in(empty_world.owner), b"this is no zip", "broken")
    assert status == 200
    assert "broken is Corrupt: it cannot be used." in html
    assert "zip" in html
    assert "flash-error" in html
    assert Job.objects.count() == 0


def test_the_reason_of_a_corrupt_envelope_names_the_missing_file(empty_world: World, sign_in: SignIn) -> None:
    _, html = _send(sign_in(empty_world.owner), make_package(listed="births.csv", held="deaths.csv"))
    assert "births.csv" in html
    assert "is not in the zip" in html


def test_a_project_of_others_is_answered_as_one_that_does_not_exist(empty_world: World, sign_in: SignIn) -> None:
    answers = [
        _send(sign_in(empty_world.stranger), make_package(code), "mine") for code in ("PERINATAL", "NOWHERE")
    ]
    assert answers[0] == answers[1]
    assert list(Envelope.objects.values_list("project", flat=True)) == [None, None]


def test_a_member_who_may_not_submit_is_refused_and_leaves_nothing(empty_world: World, sign_in: SignIn) -> None:
    kept = set(Path(load_config().incoming_folder).iterdir())
    status, text = _send(sign_in(empty_world.viewer), make_package("PERINATAL"))
    assert status == 403
    assert "permission" in text
    assert not Envelope.objects.exists()
    assert set(Path(load_config().incoming_folder).iterdir()) == kept


def test_an_unknown_project_is_queued_so_that_validate_can_name_every_fault(
    empty_world: World, sign_in: SignIn
) -> None:
    client = sign_in(empty_world.owner)
    status, html = _send(client, make_package("NEW"), "for a new project")
    assert status == 200
    assert "is queued" in html
    assert "for a new project" in client.get("/jobs/envelopes/").content.decode()


def test_a_form_without_a_file_is_refused_in_words(empty_world: World, sign_in: SignIn) -> None:
    response = sign_in(empty_world.owner).post("/jobs/envelopes/upload/", {"name": "x"}, headers=SCRIPT)
    assert "No file was sent. Choose an Envelope" in response.content.decode()


def test_a_plain_form_returns_to_the_list_and_says_what_happened(empty_world: World, sign_in: SignIn) -> None:
    client = sign_in(empty_world.owner)
    file = SimpleUploadedFile("births-2026.zip", make_package())
    response = client.post("/jobs/envelopes/upload/", {"envelope": file, "name": "plain"}, follow=True)
    assert response.redirect_chain == [("/jobs/envelopes/", 302)]
    assert "plain is queued with 5 jobs." in response.content.decode()
