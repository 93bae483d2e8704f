"""Sending Envelopes and data files: whole or not at all, to those projects that exist for the sender."""

import hashlib
import io
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client, RequestFactory
from ninja.errors import HttpError

from linkwright.api import receiving
from linkwright.config import load_config
from linkwright.services.receive_envelope import receive_envelope
from linkwright.services.submit_rights import SubmitRefusedError
from linkwright.store.audit_log import COMMAND_LINE, Actor
from linkwright.store.models import AuditLogEntry, Envelope, Job
from linkwright.store.settings import change_setting
from tests.integration.api.conftest import API, KeyFor
from tests.integration.web.seed import World
from tests.integration.web.test_upload import make_package


def _left_over() -> list[Path]:
    """Return every file of the data folder that belongs to no Envelope."""
    config = load_config()
    known = set(Envelope.objects.values_list("file_name", flat=True))
    files = [path for path in config.incoming_folder.iterdir() if path.name not in known]
    return [*files, *config.scratch_folder.glob("upload-*")]


def test_an_envelope_is_queued_in_the_name_of_the_keys_person(empty_world: World, key_for: KeyFor) -> None:
    content = make_package()
    response = key_for(empty_world.owner).send("/envelopes?name=BIRTHS-2026-03", content)
    assert response.status_code == 201
    shown = response.json()
    assert (shown["name"], shown["status"], shown["project_code"]) == ("BIRTHS-2026-03", "Queued", "PERINATAL")
    assert shown["sha256"] == hashlib.sha256(content).hexdigest()
    envelope = Envelope.objects.get()
    assert envelope.received_by == empty_world.owner
    assert (load_config().incoming_folder / envelope.file_name).read_bytes() == content
    entry = AuditLogEntry.objects.get(action="submit Envelope")
    assert (entry.user, entry.origin) == (empty_world.owner, "API key key 0 from 127.0.0.1")
    assert _left_over() == []


def test_what_is_no_envelope_becomes_corrupt_with_its_reasons(empty_world: World, key_for: KeyFor) -> None:
    shown = key_for(empty_world.owner).send("/envelopes?name=broken", b"no zip").json()
    assert shown["status"] == "Corrupt"
    assert "not a zip" in shown["faults"][0]
    assert Job.objects.count() == 0


def test_a_form_with_a_file_is_taken_as_well(empty_world: World, key_for: KeyFor) -> None:
    api, content = key_for(empty_world.owner), make_package()
    for name, checksum, expected in (
        ("births-2026.zip", hashlib.sha256(content).hexdigest(), 201),
        ("births-2027.zip", "0" * 64, 400),
    ):
        file = SimpleUploadedFile(name, content)
        response = Client().post(
            f"{API}/envelopes", {"file": file}, headers={**api.headers, "Content-SHA256": checksum}
        )
        assert response.status_code == expected
    assert Envelope.objects.get().name == "births-2026"
    response = Client().post(f"{API}/envelopes", {"name": "no file"}, headers=api.headers)
    assert response.status_code == 422
    assert _left_over() == []


def test_a_wrong_checksum_keeps_nothing(empty_world: World, key_for: KeyFor) -> None:
    api, content = key_for(empty_world.owner), make_package()
    right = hashlib.sha256(content).hexdigest().upper()
    assert api.send("/envelopes", content, **{"Content-SHA256": right}).status_code == 201
    refused = api.send("/envelopes", content + b"!", **{"Content-SHA256": right})
    assert refused.status_code == 400
    assert "Send it again" in refused.json()["error"]["message"]
    assert api.send("/envelopes", content, **{"Content-SHA256": "none"}).status_code == 422
    assert Envelope.objects.count() == 1
    assert _left_over() == []


def test_an_upload_that_breaks_off_keeps_nothing(empty_world: World, key_for: KeyFor) -> None:
    api, content = key_for(empty_world.owner), make_package()
    came_only: dict[str, Any] = {"wsgi.input": io.BytesIO(content[:-1])}
    response = Client().generic(
        "POST", f"{API}/envelopes", content, content_type="application/zip", headers=api.headers, **came_only
    )
    assert response.status_code == 400
    assert "broke off" in response.json()["error"]["message"]
    assert not Envelope.objects.exists()
    assert _left_over() == []


def test_a_body_without_length_or_over_the_limit_is_not_read(empty_world: World, key_for: KeyFor) -> None:
    api = key_for(empty_world.owner)
    change_setting("Envelope.MaxSizeMiB", 1, COMMAND_LINE)
    for length, expected in (("", 411), ("-1", 411), ("chunked", 411), (str(3 * 1024 * 1024), 413)):
        response = Client().generic("POST", f"{API}/envelopes", b"x", headers=api.headers, CONTENT_LENGTH=length)
        assert (length, response.status_code) == (length, expected)
    assert not Envelope.objects.exists()


def test_a_full_disk_is_told_as_such(monkeypatch: pytest.MonkeyPatch) -> None:
    request = RequestFactory().post("/", b"x" * 10, content_type="application/zip")

    def write(_self: Path, *_arguments: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "open", write)
    with pytest.raises(HttpError, match="No space left on device") as caught:
        receiving._store_body(request, Path("/nowhere"))
    assert caught.value.status_code == 507


def test_a_project_of_others_is_answered_as_one_that_does_not_exist(empty_world: World, key_for: KeyFor) -> None:
    api = key_for(empty_world.stranger)
    foreign = api.send("/envelopes?name=x", make_package("PERINATAL")).json()
    unknown = api.send("/envelopes?name=x", make_package("NOWHERE12")).json()
    for shown in (foreign, unknown):
        for different in ("id", "received_at", "sha256", "project_code"):
            shown.pop(different)
    assert foreign == unknown
    assert list(Envelope.objects.values_list("project", flat=True)) == [None, None]


def test_a_member_without_the_permission_is_told_so_by_every_way_in(
    empty_world: World, key_for: KeyFor, tmp_path: Path
) -> None:
    refused = key_for(empty_world.viewer).send("/envelopes", make_package())
    assert refused.status_code == 403
    assert "'submit'" in refused.json()["error"]["message"]
    path = tmp_path / "births.zip"
    path.write_bytes(make_package())
    with pytest.raises(SubmitRefusedError):
        receive_envelope(path, name="", actor=Actor(empty_world.viewer, "somewhere"))
    assert not Envelope.objects.exists()
    assert _left_over() == []


def test_a_narrowed_key_submits_only_if_it_may(empty_world: World, key_for: KeyFor) -> None:
    sends = key_for(empty_world.owner, permissions=["submit"])
    assert sends.send("/envelopes", make_package()).status_code == 201
    assert sends.get("/envelopes").status_code == 403
    assert sends.post("/queue/pause", {"reason": "x"}).status_code == 403
    reads = key_for(empty_world.owner, permissions=["see jobs"])
    assert reads.send("/envelopes", make_package()).status_code == 403
    assert len(reads.get("/envelopes").json()["items"]) == 1


def test_a_data_file_becomes_an_envelope(empty_world: World, key_for: KeyFor) -> None:
    api = key_for(empty_world.owner)
    content = b"id,name\n1,Ada\n"
    response = api.send("/projects/PERINATAL/data-files?event_type=BIRTHS&file_name=births.csv", content)
    assert response.status_code == 201
    shown = response.json()
    assert (shown["name"], shown["sender_code"], shown["event_type_codes"]) == ("births", "WAHEALTH", ["BIRTHS"])
    refused = api.send("/projects/PERINATAL/data-files?event_type=TUMOURS", content)
    assert refused.status_code == 409
    assert "'TUMOURS' is not attached to PERINATAL" in refused.json()["error"]["faults"][0]
    assert _left_over() == []


class _Endless:
    """A body of 24 MiB that is made as it is read, and remembers how much was asked for at once."""

    def __init__(self) -> None:
        self.left_bytes = 24 * 1024 * 1024
        self.asked: set[int] = set()

    def read(self, size: int = -1) -> bytes:
        self.asked.add(size)
        given = min(size, self.left_bytes)
        self.left_bytes -= given
        return bytes(given)

    def readline(self, _size: int = -1) -> bytes:
        raise AssertionError("a body has no lines")


def test_a_body_is_read_piece_by_piece_and_never_whole(empty_world: World, key_for: KeyFor) -> None:
    body = _Endless()
    extra: dict[str, Any] = {"wsgi.input": body, "CONTENT_LENGTH": str(body.left_bytes)}
    response = Client().generic("POST", f"{API}/envelopes", headers=key_for(empty_world.owner).headers, **extra)
    assert response.status_code == 201
    assert response.json()["size_bytes"] == 24 * 1024 * 1024
    assert 0 < max(body.asked) <= 1024 * 1024
    assert min(body.asked) >= 0
