"""Uploads in slices by the API: what each slice is answered, and that one Envelope comes of one file."""

import hashlib
import io
from typing import Any

import pytest
from django.test import Client

from linkwright.config import load_config
from linkwright.services import begin_upload as beginning
from linkwright.services import receive_slice as receiving
from linkwright.store.audit_log import COMMAND_LINE
from linkwright.store.models import AuditLogEntry, Envelope, Job, User
from linkwright.store.settings import change_setting
from tests.integration.api.conftest import API, Api, KeyFor
from tests.integration.web.seed import World
from tests.integration.web.test_upload import make_package

CONTENT = make_package()
HALF = len(CONTENT) // 2


@pytest.fixture
def api(empty_world: World, key_for: KeyFor) -> Api:
    """Return a caller for the Owner of PERINATAL."""
    return key_for(empty_world.owner)


def _begin(api: Api, content: bytes = CONTENT, **form: Any) -> str:
    response = api.post("/uploads", {"file_name": "births-2026.zip", "size_bytes": len(content), **form})
    assert response.status_code == 201
    assert response["Upload-Offset"] == "0"
    return f"/uploads/{response.json()['id']}"


def test_a_file_in_slices_becomes_an_envelope(api: Api, empty_world: World) -> None:
    digest = hashlib.sha256(CONTENT).hexdigest()
    path = _begin(api, name="BIRTHS-2026-03", sha256=digest.upper())
    for start, end in ((0, 100), (100, HALF), (HALF, len(CONTENT))):
        piece = CONTENT[start:end]
        checksum = {"Content-SHA256": hashlib.sha256(piece).hexdigest()}
        response = api.put_slice(path, piece, start, **checksum)
        assert (response.status_code, response["Upload-Offset"]) == (200, str(end))
    response = api.post(f"{path}/finish")
    assert response.status_code == 201
    shown = response.json()
    assert (shown["name"], shown["status"], shown["sha256"]) == ("BIRTHS-2026-03", "Queued", digest)
    envelope = Envelope.objects.get()
    assert (load_config().incoming_folder / envelope.file_name).read_bytes() == CONTENT
    assert envelope.received_by == empty_world.owner
    assert AuditLogEntry.objects.get(action="submit Envelope").origin == "API key key 0 from 127.0.0.1"
    assert api.get(path).json()["envelope_id"] == envelope.pk
    assert api.get("/uploads").json() == {"items": []}


def test_finishing_twice_makes_one_envelope(api: Api) -> None:
    path = _begin(api)
    api.put_slice(path, CONTENT, 0)
    first, second = (api.post(f"{path}/finish", {"name": name}) for name in ("one", "two"))
    assert first.json() == second.json()
    assert Envelope.objects.get().name == "one"
    # what was finished stays
    assert api.delete(path).status_code == 200
    assert api.post(f"{path}/finish").json()["id"] == first.json()["id"]


def test_what_is_no_envelope_is_corrupt_with_its_reasons(api: Api) -> None:
    path = _begin(api, b"no zip")
    api.put_slice(path, b"no zip", 0)
    shown = api.post(f"{path}/finish").json()
    assert (shown["name"], shown["status"]) == ("births-2026", "Corrupt")
    assert "not a zip" in shown["faults"][0]
    assert Job.objects.count() == 0


@pytest.mark.parametrize(
    ("offset", "what"),
    [(0, "repeated"), (HALF - 1, "overlapping"), (HALF + 1, "with a gap"), (len(CONTENT) * 2, "behind the end")],
)
def test_a_slice_at_another_offset_is_told_the_one_that_is_expected(api: Api, offset: int, what: str) -> None:
    path = _begin(api)
    api.put_slice(path, CONTENT[:HALF], 0)
    response = api.put_slice(path, CONTENT[offset : offset + 10] or b"x", offset)
    assert (what, response.status_code, response["Upload-Offset"]) == (what, 409, str(HALF))
    assert f"byte {HALF:,} is expected" in response.json()["error"]["message"]
    assert api.get(path)["Upload-Offset"] == str(HALF)
    api.put_slice(path, CONTENT[HALF:], HALF)
    assert api.post(f"{path}/finish").json()["sha256"] == hashlib.sha256(CONTENT).hexdigest()


def test_a_slice_that_is_empty_too_long_or_no_slice_is_refused(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    path = _begin(api)
    assert api.put_slice(path, CONTENT + b"!", 0).status_code == 422
    assert api.put_slice(path, b"x", -1).status_code == 422
    assert api.put_slice(path, b"x", "one").status_code == 422
    for length, expected in (("", 411), ("-1", 411), ("many", 411), ("0", 422)):
        headers = {**api.headers, "Upload-Offset": "0"}
        response = Client().generic("PUT", f"{API}{path}", b"x", headers=headers, CONTENT_LENGTH=length)
        assert (length, response.status_code) == (length, expected)
    form = Client().put(
        f"{API}{path}", b"x", content_type="multipart/form-data", headers={**api.headers, "Upload-Offset": "0"}
    )
    assert form.status_code == 415
    monkeypatch.setattr(receiving, "SLICE_LIMIT_BYTES", 10)
    assert api.put_slice(path, CONTENT[:11], 0).status_code == 413
    assert api.get(path)["Upload-Offset"] == "0"


def test_a_slice_that_changed_or_broke_off_counts_for_nothing(api: Api) -> None:
    path = _begin(api)
    changed = api.put_slice(path, CONTENT[:HALF], 0, **{"Content-SHA256": "0" * 64})
    assert (changed.status_code, changed["Upload-Offset"]) == (400, "0")
    came_only: dict[str, Any] = {"wsgi.input": io.BytesIO(CONTENT[: HALF - 1])}
    headers = {**api.headers, "Upload-Offset": "0"}
    short = Client().generic("PUT", f"{API}{path}", CONTENT[:HALF], headers=headers, **came_only)
    assert short.status_code == 400
    assert "broke off" in short.json()["error"]["message"]
    (folder,) = load_config().uploads_folder.iterdir()
    assert (folder / "data").stat().st_size == 0


def test_a_file_that_is_not_what_was_announced_is_deleted(api: Api) -> None:
    path = _begin(api, sha256="0" * 64)
    assert api.post(f"{path}/finish").status_code == 409
    api.put_slice(path, CONTENT, 0)
    response = api.post(f"{path}/finish")
    assert response.status_code == 400
    assert "was announced" in response.json()["error"]["message"]
    assert api.get(path).status_code == 404
    assert not Envelope.objects.exists()
    assert list(load_config().incoming_folder.iterdir()) == list(load_config().uploads_folder.iterdir()) == []


def test_an_upload_that_was_abandoned_is_gone(api: Api) -> None:
    path = _begin(api)
    api.put_slice(path, CONTENT[:HALF], 0)
    assert [each["offset_bytes"] for each in api.get("/uploads").json()["items"]] == [HALF]
    assert api.delete(path).status_code == 200
    asked = [api.get(path), api.put_slice(path, b"x", HALF), api.post(f"{path}/finish"), api.delete(path)]
    assert [response.status_code for response in asked] == [404] * 4
    assert api.get("/uploads").json() == {"items": []}
    assert not list(load_config().uploads_folder.iterdir())
    for unfit in ("0" * 32, "x", "..", "%2e%2e"):
        assert api.get(f"/uploads/{unfit}").status_code == 404


def test_what_cannot_be_taken_is_refused_before_a_byte_is_sent(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    change_setting("Envelope.MaxSizeMiB", 1, COMMAND_LINE)
    large = {"file_name": "births.zip", "size_bytes": 1024 * 1024 + 1}
    assert api.post("/uploads", large).status_code == 409
    for form in ({"file_name": " ", "size_bytes": 1}, {"file_name": "x", "size_bytes": 0}, {"size_bytes": 1}):
        assert api.post("/uploads", form).status_code == 422
    monkeypatch.setattr(beginning, "MOST_OPEN", 2)
    for expected in (201, 201, 409):
        assert api.post("/uploads", {"file_name": "x", "size_bytes": 1}).status_code == expected


def test_a_full_disk_counts_what_other_uploads_will_bring(
    api: Api, empty_world: World, key_for: KeyFor, monkeypatch: pytest.MonkeyPatch
) -> None:
    free_bytes = beginning.SPARE_BYTES + 1000

    def usage(_path: object) -> Any:
        return type("Usage", (), {"free": free_bytes})

    monkeypatch.setattr("linkwright.services.begin_upload.shutil.disk_usage", usage)
    assert api.post("/uploads", {"file_name": "x", "size_bytes": 600}).status_code == 201
    other = key_for(User.objects.create(username="other", is_superuser=True))
    response = other.post("/uploads", {"file_name": "x", "size_bytes": 401})
    assert (response.status_code, response.json()["error"]["code"]) == (507, "no_room")
    assert other.post("/uploads", {"file_name": "x", "size_bytes": 400}).status_code == 201


def test_a_data_file_in_slices_becomes_an_envelope_once(api: Api) -> None:
    content = b"id,name\n1,Ada\n"
    path = _begin(api, content, file_name="births.csv")
    api.put_slice(path, content, 0)
    unfit = api.post(f"{path}/finish", {"project_code": "PERINATAL", "event_type": "TUMOURS"})
    assert unfit.status_code == 409
    assert "'TUMOURS' is not attached" in unfit.json()["error"]["faults"][0]
    assert api.post(f"{path}/finish", {"project_code": "NOWHERE"}).status_code == 404
    asked = {"project_code": "PERINATAL", "event_type": "BIRTHS"}
    first, second = (api.post(f"{path}/finish", asked) for _ in range(2))
    assert (first.status_code, first.json()["name"], first.json()["event_type_codes"]) == (
        201,
        "births",
        ["BIRTHS"],
    )
    assert first.json() == second.json()
    assert Envelope.objects.count() == 1
    (folder,) = load_config().uploads_folder.iterdir()
    assert not (folder / "data").exists()


def test_a_narrowed_key_and_a_role_that_was_lost_send_nothing(
    empty_world: World, key_for: KeyFor, api: Api
) -> None:
    reads = key_for(empty_world.owner, permissions=["see jobs"])
    assert reads.post("/uploads", {"file_name": "x", "size_bytes": 1}).status_code == 403
    path = _begin(api)
    # the same person by another key goes on with it
    assert key_for(empty_world.owner, permissions=["submit"]).put_slice(path, CONTENT[:9], 0).status_code == 200
    empty_world.owner.memberships.all().delete()
    asked = [api.get(path), api.put_slice(path, CONTENT[9:], 9), api.post(f"{path}/finish")]
    assert [response.status_code for response in asked] == [403] * 3
    assert not Envelope.objects.exists()
