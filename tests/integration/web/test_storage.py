"""Storage on the project's page: what lies on disk, Compact and Purge with their dialogs."""

from datetime import timedelta

import pytest
from django.utils import timezone

from linkwright.store.models import AuditLogEntry, Batch, BatchKind, BatchState, Job, JobKind
from tests.integration.web.conftest import SignIn
from tests.integration.web.seed import World

MIB = 1024 * 1024


def add_batch(world: World, kind: BatchKind, number: int, rows_count: int = 100, age_days: int = 0) -> Batch:
    name = min(world.envelopes)
    return Batch.objects.create(
        project=world.perinatal,
        envelope=world.envelopes[name],
        job=world.job(name, JobKind.VALIDATE),
        kind=kind,
        state=BatchState.LIVE,
        file_name=f"{kind}-{number}.parquet",
        rows_count=rows_count,
        bytes_count=MIB,
        created_at=timezone.now() - timedelta(days=age_days),
    )


def page_text(content: bytes) -> str:
    return " ".join(content.decode().split())


@pytest.fixture
def stored(world: World) -> World:
    """Return a project with three records files, of which 1,234 records ended in two deletions."""
    for number in range(3):
        add_batch(world, BatchKind.RECORDS, number)
    add_batch(world, BatchKind.ENDS, 1, rows_count=1_200, age_days=40)
    add_batch(world, BatchKind.ENDS, 2, rows_count=34)
    return world


def test_the_page_says_what_lies_on_disk_and_offers_both_to_those_who_may(stored: World, sign_in: SignIn) -> None:
    text = page_text(sign_in(stored.owner).get("/projects/PERINATAL/").content)
    assert "<dt>Files</dt><dd>5, 5.0 MiB" in text
    assert "1 234 <span" in text
    assert 'id="compact"' in text
    assert 'id="purge"' in text
    text = page_text(sign_in(stored.viewer).get("/projects/PERINATAL/").content)
    assert "<dt>Files</dt>" in text
    assert 'id="purge"' not in text


def test_compact_says_how_many_files_are_read_and_starts_the_job(stored: World, sign_in: SignIn) -> None:
    client = sign_in(stored.owner)
    assert "5 files are read" in page_text(client.get("/projects/PERINATAL/compact/").content)
    assert client.post("/projects/PERINATAL/compact/").status_code == 302
    job = Job.objects.get(kind=JobKind.COMPACT)
    assert AuditLogEntry.objects.get(action="compact project").user == stored.owner
    refused = client.post("/projects/PERINATAL/compact/")
    assert refused.status_code == 409
    assert f"Job {job.pk} (Compact) of project PERINATAL is queued or runs already" in page_text(refused.content)


def test_purge_says_its_numbers_and_needs_a_reason_and_days(stored: World, sign_in: SignIn) -> None:
    client = sign_in(stored.owner)
    text = page_text(client.get("/projects/PERINATAL/purge/").content)
    assert "1 234 records have ended and still have their values on disk" in text
    assert "This cannot be undone." in text
    assert "1 Envelope, which ended these records, cannot be rolled back any more" in text
    for fields, why in (
        ({"days": "0", "reason": " "}, "A Purge needs a reason"),
        ({"days": "soon", "reason": "x"}, "The number of days is &#x27;soon&#x27;; allowed is 0 to 36,500."),
        ({"days": "50", "reason": "x"}, "1,234 ended later"),
    ):
        refused = client.post("/projects/PERINATAL/purge/", fields)
        assert refused.status_code == 409
        assert why in page_text(refused.content)
    assert not Job.objects.filter(kind=JobKind.PURGE).exists()
    assert client.post("/projects/PERINATAL/purge/", {"days": "30", "reason": "asked for"}).status_code == 302
    entry = AuditLogEntry.objects.get(action="purge project")
    assert (entry.reason, entry.detail["records"], entry.detail["older_than_days"]) == ("asked for", 1200, 30)
    assert Job.objects.get(kind=JobKind.PURGE).parameters["reason"] == "asked for"
