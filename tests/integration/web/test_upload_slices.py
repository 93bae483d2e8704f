"""What the upload script asks: slices with the session and its token; finished by the forms of the pages."""

from typing import Any

import pytest
from django.test import Client

from linkwright.config import load_config, prepare_home
from linkwright.services.waiting_data_file import find_waiting
from linkwright.store.models import Envelope
from tests.integration.web.conftest import SignIn
from tests.integration.web.seed import World
from tests.integration.web.test_upload import SCRIPT, make_package

CONTENT = make_package()


@pytest.fixture(autouse=True)
def _home() -> None:
    prepare_home(load_config())


def _begin(client: Client, content: bytes = CONTENT, file_name: str = "births-2026.zip") -> str:
    response = client.post("/uploads/", {"file_name": file_name, "size_bytes": len(content)}, headers=SCRIPT)
    assert response.status_code == 201
    return str(response.json()["id"])


def _put(client: Client, upload_id: str, content: bytes, offset: object = 0, **headers: str) -> Any:
    return client.put(
        f"/uploads/{upload_id}/", content, headers={**SCRIPT, "Upload-Offset": str(offset), **headers}
    )


def test_a_file_in_slices_is_finished_by_the_form_once(empty_world: World, sign_in: SignIn) -> None:
    client = sign_in(empty_world.owner)
    upload_id = _begin(client)
    assert _put(client, upload_id, CONTENT[:100]).json()["offset_bytes"] == 100
    early = client.post("/jobs/envelopes/upload/", {"upload": upload_id}, headers=SCRIPT)
    assert (early.status_code, early.json()["offset_bytes"]) == (409, 100)
    repeated = _put(client, upload_id, CONTENT[:100])
    assert (repeated.status_code, repeated.json()["offset_bytes"], repeated.json()["again"]) == (409, 100, False)
    assert client.get(f"/uploads/{upload_id}/").json()["offset_bytes"] == 100
    _put(client, upload_id, CONTENT[100:], 100)
    for _ in range(2):
        response = client.post("/jobs/envelopes/upload/", {"upload": upload_id, "name": "MARCH"}, headers=SCRIPT)
        assert "MARCH is queued with 5 jobs." in response.content.decode()
    assert Envelope.objects.get().received_by == empty_world.owner
    assert client.get(f"/uploads/{upload_id}/").json()["is_finished"]


def test_an_upload_of_somebody_else_does_not_exist(empty_world: World, sign_in: SignIn) -> None:
    upload_id = _begin(sign_in(empty_world.owner))
    for other in (empty_world.admin, empty_world.stranger):
        client = sign_in(other)
        asked = [
            client.get(f"/uploads/{upload_id}/"),
            _put(client, upload_id, CONTENT),
            client.delete(f"/uploads/{upload_id}/"),
            client.post("/jobs/envelopes/upload/", {"upload": upload_id}, headers=SCRIPT),
            client.post("/projects/PERINATAL/submit/", {"upload": upload_id}, headers=SCRIPT),
        ]
        assert {response.status_code for response in asked} == {404}
    assert _put(sign_in(empty_world.viewer), upload_id, CONTENT).status_code == 403
    assert _put(sign_in(None), upload_id, CONTENT).status_code == 302
    assert _put(sign_in(empty_world.owner), upload_id, CONTENT).status_code == 200


def test_a_slice_without_the_pages_token_is_refused(empty_world: World) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(empty_world.owner)
    assert client.post("/uploads/", {"file_name": "x", "size_bytes": 1}).status_code == 403
    assert _put(client, "0" * 32, CONTENT).status_code == 403
    assert client.delete(f"/uploads/{'0' * 32}/").status_code == 403


def test_what_cannot_be_taken_is_told_in_words(empty_world: World, sign_in: SignIn) -> None:
    client = sign_in(empty_world.owner)
    for form, status in (
        ({"file_name": "", "size_bytes": 1}, 422),
        ({"file_name": "x", "size_bytes": "many"}, 422),
        ({"file_name": "x", "size_bytes": 0}, 409),
        ({"file_name": "x", "size_bytes": 10**15}, 409),
    ):
        response = client.post("/uploads/", form, headers=SCRIPT)
        assert (form, response.status_code) == (form, status)
        assert response.json()["message"]
    upload_id = _begin(client)
    assert _put(client, upload_id, b"x", "one").status_code == 422
    changed = _put(client, upload_id, CONTENT, 0, **{"Content-SHA256": "0" * 64})
    assert (changed.status_code, changed.json()["again"]) == (400, True)
    assert client.delete(f"/uploads/{upload_id}/").status_code == 204
    assert _put(client, upload_id, CONTENT).status_code == 404


def test_a_data_file_in_slices_waits_to_be_confirmed(empty_world: World, sign_in: SignIn) -> None:
    client, content = sign_in(empty_world.owner), b"id,given\n1,Ada\n"
    upload_id = _begin(client, content, "births.csv")
    _put(client, upload_id, content)
    form = {"upload": upload_id, "action": "SubmitLinkage"}
    told = client.post("/projects/PERINATAL/submit/", form, headers=SCRIPT).content.decode()
    assert "No Event Type was chosen." in told
    # its bytes are not sent again
    response = client.post("/projects/PERINATAL/submit/", {**form, "event_type": "BIRTHS"}, headers=SCRIPT)
    waiting_id = response["Linkwright-Next"].split("/")[-2]
    waiting = find_waiting(waiting_id, load_config(), empty_world.owner, empty_world.perinatal)
    assert (waiting.submission.file_name, waiting.submission.path.read_bytes()) == ("births.csv", content)
    assert client.get(f"/uploads/{upload_id}/").status_code == 404
    assert not Envelope.objects.exists()
