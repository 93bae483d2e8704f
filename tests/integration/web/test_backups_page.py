"""The page of the backups, and the Cancel option of jobs outside any Envelope."""

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.utils import timezone

from linkwright.queue.enqueue import Step, enqueue_job
from linkwright.store.audit_log import COMMAND_LINE
from linkwright.store.backup.manifest import FORMAT, MANIFEST_NAME, Manifest, WrittenPart, manifest_text
from linkwright.store.models import AuditLogEntry, EndReason, Job, JobKind, JobState
from linkwright.store.settings import change_setting
from linkwright.web.formatting import THIN_SPACE
from tests.integration.web.conftest import SignIn
from tests.integration.web.seed import World

PAGE = "/admin/backups/"
LIVE = "/admin/backups/live/"


@pytest.fixture
def folder(tmp_path: Path, db: None) -> Path:
    """Return the folder of the backups, which is empty."""
    made = tmp_path / "backups"
    made.mkdir()
    change_setting("Backup.Folder", str(made), COMMAND_LINE)
    return made


def add_backup(folder: Path, name: str) -> None:
    """Put a finished backup there, as far as the page looks."""
    ended_at = datetime(2026, 1, 31, 2, 0, 5, tzinfo=UTC)
    manifest = Manifest(
        format=FORMAT,
        version="1.2.3",
        migration="0010_backup",
        job=1,
        attempt=1,
        snapshot_at=ended_at,
        ended_at=ended_at,
        tables=(),
        files=WrittenPart(name="files.jsonl.gz", bytes_count=1024, sha256="0"),
        files_count=4711,
        files_bytes=7 * 1024 * 1024,
    )
    (folder / name).mkdir()
    (folder / name / MANIFEST_NAME).write_text(manifest_text(manifest))


def test_the_administrator_sees_the_backups_newest_first_and_others_not_even_the_tab(
    empty_world: World, sign_in: SignIn, folder: Path
) -> None:
    for name in ("backup-20260130T020005Z", "backup-20260131T020005Z"):
        add_backup(folder, name)
    html = sign_in(empty_world.admin).get(PAGE).content.decode()
    assert re.findall(r"backup-\d{8}T\d{6}Z", html) == ["backup-20260131T020005Z", "backup-20260130T020005Z"]
    assert f"7.0{THIN_SPACE}MiB" in html
    assert "1.2.3" in html
    assert f'href="{PAGE}" aria-current="page">Admin' in html
    assert PAGE not in sign_in(empty_world.owner).get("/jobs/all/").content.decode()


def test_the_page_says_what_the_settings_ask_for(empty_world: World, sign_in: SignIn, folder: Path) -> None:
    client = sign_in(empty_world.admin)
    html = client.get(PAGE).content.decode()
    assert "No backup has been made yet" in html
    assert "no backup is made by itself" in html
    change_setting("Schedule.Backup.EveryHours", 24, COMMAND_LINE)
    change_setting("Schedule.Backup.At", "02:30", COMMAND_LINE)
    html = client.get(PAGE).content.decode()
    assert re.search(r"every 24 hours, next at \d{4}-\d\d-\d\d 02:30 UTC", html)
    change_setting("Backup.Folder", str(folder / "gone"), COMMAND_LINE)
    assert str(folder / "gone") in client.get(PAGE).content.decode()


def test_a_damaged_backup_is_shown_as_such(empty_world: World, sign_in: SignIn, folder: Path) -> None:
    add_backup(folder, "backup-20260130T020005Z")
    (folder / "backup-20260130T020005Z" / MANIFEST_NAME).write_text("{")
    add_backup(folder, "backup-99999999T999999Z")
    html = sign_in(empty_world.admin).get(PAGE).content.decode()
    assert "manifest.json is not as it was written" in html
    assert "backup-99999999T999999Z" not in html


def test_a_backup_is_started_followed_and_cancelled(empty_world: World, sign_in: SignIn, folder: Path) -> None:
    client = sign_in(empty_world.admin)
    page = client.get(PAGE)
    version = re.search(r'id="backups" data-version="([0-9a-f]{12})"', page.content.decode())
    assert version
    assert client.post("/admin/backups/start/").status_code == 302
    assert client.post("/admin/backups/start/").status_code == 409
    job = Job.objects.get()
    assert AuditLogEntry.objects.get(action="back up").user == empty_world.admin
    answer = client.get(LIVE, {"shown": f"backups~{version[1]}"}, HTTP_IF_NONE_MATCH=page.headers.get("ETag", ""))
    assert "(Backup) waits for its turn" in answer.content.decode()
    assert answer.headers["Linkwright-Active"] == "1"
    assert client.get(LIVE, HTTP_IF_NONE_MATCH=answer.headers["ETag"]).status_code == 304
    assert f"/jobs/{job.pk}/cancel/" in client.get("/jobs/all/").content.decode()
    assert client.post(f"/jobs/{job.pk}/cancel/", {"reason": "not now"}).status_code == 302
    job.refresh_from_db()
    assert (job.state, job.end_reason) == (JobState.ERRORS, EndReason.CANCELLED)
    assert job.error_message == "Never started: it was cancelled by admin."
    assert AuditLogEntry.objects.get(action="cancel job").reason == "not now"
    html = client.get("/jobs/all/").content.decode()
    assert f"/jobs/{job.pk}/cancel/" not in html
    assert f"/jobs/{job.pk}/retry/" not in html
    assert "ended in Errors" in client.get(PAGE).content.decode()


def test_a_running_system_job_is_asked_to_stop_once_by_whoever_may_cancel_in_its_project(
    empty_world: World, sign_in: SignIn
) -> None:
    job = enqueue_job(Step(JobKind.ESTIMATE), empty_world.perinatal)
    Job.objects.update(state=JobState.RUNNING, attempt=1, started_at=timezone.now())
    path = f"/jobs/{job.pk}/cancel/"
    people = (empty_world.viewer, empty_world.stranger, empty_world.owner)
    shown = [path in sign_in(person).get("/jobs/all/").content.decode() for person in people]
    assert shown == [False, False, True]
    assert "It stops within seconds" in sign_in(empty_world.owner).get(path).content.decode()
    assert [sign_in(person).post(path).status_code for person in people] == [403, 404, 302]
    job.refresh_from_db()
    assert job.state == JobState.RUNNING
    assert job.cancel_requested_by == empty_world.owner
    assert path not in sign_in(empty_world.owner).get("/jobs/all/").content.decode()


def test_a_job_of_the_whole_system_exists_for_administrators_alone(empty_world: World, sign_in: SignIn) -> None:
    job = enqueue_job(Step(JobKind.BACKUP))
    for person in (empty_world.owner, empty_world.viewer, empty_world.stranger):
        client = sign_in(person)
        assert client.get(f"/jobs/{job.pk}/audit/").status_code == 404
        assert client.post(f"/jobs/{job.pk}/cancel/").status_code == 404
        assert "Backup" not in client.get("/jobs/all/").content.decode()
    assert "Backup" in sign_in(empty_world.admin).get("/jobs/all/").content.decode()
