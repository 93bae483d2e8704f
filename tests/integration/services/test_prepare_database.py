"""Databases of other versions, and data folders that cannot be used."""

from pathlib import Path

import pytest
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder
from django.utils import timezone

from linkwright.config import DataFolderError, load_config, prepare_home, read_secret_key
from linkwright.queue.enqueue import Step, enqueue_chain
from linkwright.services.check_system import check_system
from linkwright.services.prepare_database import DatabaseVersionError, needs_migration, prepare_database
from linkwright.store.models import Batch, BatchKind, Envelope, JobKind, LinkageProject

pytestmark = pytest.mark.django_db


def test_a_database_of_this_version_needs_nothing() -> None:
    assert not needs_migration()


def test_a_database_of_a_newer_version_is_refused(tmp_path: Path) -> None:
    MigrationRecorder(connection).record_applied("store", "9999_from_the_future")
    with pytest.raises(DatabaseVersionError, match=r"newer version.*9999_from_the_future.*Nothing was changed"):
        prepare_database(load_config({"LINKWRIGHT_HOME": str(tmp_path)}))


def test_the_doctor_finds_a_newer_database(tmp_path: Path) -> None:
    MigrationRecorder(connection).record_applied("store", "9999_from_the_future")
    findings = {
        finding.subject: finding for finding in check_system(load_config({"LINKWRIGHT_HOME": str(tmp_path)}))
    }
    assert not findings["database"].ok
    assert "newer version" in findings["database"].text


def test_a_data_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(DataFolderError, match=r"file/home cannot be written"):
        prepare_home(load_config({"LINKWRIGHT_HOME": str(tmp_path / "file" / "home")}))


def test_the_secret_is_made_once_and_readable_by_its_owner_alone(tmp_path: Path) -> None:
    config = load_config({"LINKWRIGHT_HOME": str(tmp_path)})
    # a folder that nobody has prepared may be one that a backup is to be restored into
    assert read_secret_key(config) != read_secret_key(config)
    assert list(tmp_path.iterdir()) == []
    prepare_home(config)
    first = read_secret_key(config)
    assert read_secret_key(config) == first
    assert len(first) >= 48
    assert (tmp_path / "secret.key").stat().st_mode & 0o077 == 0
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["secret.key"]


def test_the_doctor_finds_a_file_of_the_catalog_that_is_gone(tmp_path: Path) -> None:
    config = load_config({"LINKWRIGHT_HOME": str(tmp_path)})
    prepare_home(config)
    assert {finding.subject: finding.ok for finding in check_system(config)} == {
        "data folder": True,
        "disk": True,
        "database": True,
        "people": False,
        "queue": True,
        "warehouse": True,
        "Envelopes": True,
        "extractions": True,
        "e-mail": True,
        "audit log": True,
    }
    project = LinkageProject.objects.create(code="P1", name="One")
    envelope = Envelope.objects.create(name="a", project=project, file_name="a.zip", received_at=timezone.now())
    job = enqueue_chain(envelope, [Step(JobKind.LOAD)])[0]
    Batch.objects.create(
        project=project,
        envelope=envelope,
        job=job,
        kind=BatchKind.RECORDS,
        file_name="gone.parquet",
        rows_count=1,
        bytes_count=1,
        created_at=timezone.now(),
    )
    findings = {finding.subject: finding for finding in check_system(config)}
    assert "gone.parquet" in findings["warehouse"].text
    assert not findings["warehouse"].ok
    assert "Send them again" in findings["Envelopes"].text
    assert "no worker is there" in findings["queue"].text
