"""What is no whole backup, or no empty place, is refused in words, and nothing is written."""

import gzip
import hashlib
import json
import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from pytest_django.plugin import DjangoDbBlocker

from linkwright.config import ServerConfig
from linkwright.engine.progress import Progress
from linkwright.errors import LinkwrightError
from linkwright.services.restore_backup import restore_backup
from linkwright.services.verify_backup import FAULTS_NAMED
from linkwright.store.audit_log import COMMAND_LINE
from linkwright.store.backup.manifest import (
    FILES_NAME,
    FORMAT,
    MANIFEST_NAME,
    Manifest,
    manifest_text,
    read_manifest,
)
from linkwright.store.models import Job
from tests.integration.backup.conftest import ROWS, NewPlace, Place, back_up, restore
from tests.live_system import LiveSystem, new_sqlite_database

# in one process: what the tests share is made once
pytestmark = pytest.mark.xdist_group("restore refusals")


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory, django_db_blocker: DjangoDbBlocker) -> Path:
    """Return a backup that nobody may change."""
    folder = tmp_path_factory.mktemp("whole")
    home = folder / "home"
    with (
        django_db_blocker.unblock(),
        Place(LiveSystem(home, new_sqlite_database(home)), folder).set_up() as system,
    ):
        system.load("first", ROWS)
        return back_up(system)


@pytest.fixture
def backup(whole: Path, tmp_path: Path) -> Path:
    """Return a backup of one's own to damage."""
    return Path(shutil.copytree(whole, tmp_path / whole.name))


def refusal(backup: Path, place: Place) -> str:
    """Try to restore; returns why it is refused, and makes sure that nothing was left."""
    with place.entered():
        with pytest.raises(LinkwrightError) as refused:
            restore(backup, place.config)
        connection.close()
    assert not place.config.home.exists() or list(place.config.home.iterdir()) == []
    return str(refused.value)


def rewrite(backup: Path, change: Callable[[dict[str, Any]], None]) -> None:
    """Change a manifest, and let its checksum be right: as somebody would who means harm."""
    values = read_manifest(backup).model_dump(mode="json")
    change(values)
    (backup / MANIFEST_NAME).write_text(manifest_text(Manifest.model_validate(values)))


def rewrite_list(backup: Path, change: Callable[[list[list[Any]]], None]) -> None:
    """Change the list of the files, and let every checksum be right."""
    lines = [json.loads(line) for line in gzip.decompress((backup / FILES_NAME).read_bytes()).splitlines()]
    change(lines)
    content = gzip.compress(b"".join(json.dumps(line).encode() + b"\n" for line in lines))
    (backup / FILES_NAME).write_bytes(content)

    def follow(values: dict[str, Any]) -> None:
        digest = hashlib.sha256(content).hexdigest()
        values["files"] = {"name": FILES_NAME, "bytes_count": len(content), "sha256": digest}
        values["files_count"] = len(lines)

    rewrite(backup, follow)


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0x40
    path.write_bytes(content)


def a_batch(backup: Path) -> Path:
    return next(iter(sorted((backup / "files" / "warehouse").rglob("*.parquet"))))


def test_what_is_no_folder_or_was_never_finished_is_refused(new_place: NewPlace, backup: Path) -> None:
    place = new_place()
    assert "is no folder. Name the folder of one backup" in refusal(backup / MANIFEST_NAME, place)
    (backup / MANIFEST_NAME).unlink()
    assert "or one that was never finished. Use another one" in refusal(backup, place)


def test_a_manifest_that_was_changed_or_cut_is_refused(new_place: NewPlace, backup: Path) -> None:
    place, path = new_place(), backup / MANIFEST_NAME
    text = path.read_text()
    for other in (text.replace('"attempt": 1', '"attempt": 2'), text[:-20], "[]", "{}", '{"sha256": 1}', ""):
        path.write_text(other)
        assert "manifest.json is not as it was written" in refusal(backup, place)


def test_a_newer_version_is_refused_by_its_form_and_by_its_tables(new_place: NewPlace, backup: Path) -> None:
    place = new_place()

    def newer_tables(values: dict[str, Any]) -> None:
        values["migration"], values["version"] = "9999_later", "99.0"

    rewrite(backup, newer_tables)
    text = refusal(backup, place)
    assert "made by a newer version of Linkwright (99.0)" in text
    assert "Install that version" in text

    def newer_form(values: dict[str, Any]) -> None:
        values["format"] = FORMAT + 1

    rewrite(backup, newer_form)
    assert f"its form is {FORMAT + 1}, and this version reads {FORMAT}" in refusal(backup, place)


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        (flip, "has another content than was written"),
        (lambda path: os.truncate(path, 10), "has 10 bytes, but had"),
        (Path.unlink, "is not there"),
    ],
)
@pytest.mark.parametrize("part", ["batch", "rows", "list"])
def test_every_damaged_part_is_found_before_anything_is_written(
    new_place: NewPlace, backup: Path, damage: Callable[[Path], None], told: str, part: str
) -> None:
    path = {
        "batch": a_batch(backup),
        "rows": backup / "database" / "store_job.jsonl.gz",
        "list": backup / FILES_NAME,
    }[part]
    damage(path)
    text = refusal(backup, new_place())
    assert "is damaged, and nothing was restored. Use another backup." in text
    assert re.search(rf"{re.escape(path.name)} {told}", text), text


def test_all_faults_are_named_up_to_a_limit(new_place: NewPlace, backup: Path) -> None:
    for path in [path for path in (backup / "files").rglob("*") if path.is_file()]:
        path.unlink()
    text = refusal(backup, new_place())
    assert text.count("is not there") >= 5
    rewrite_list(backup, lambda lines: lines.extend([f"extra-{number}", 1, "0"] for number in range(50)))
    text = refusal(backup, new_place())
    assert text.count("\n- ") == FAULTS_NAMED + 1
    assert text.endswith("And more.")


@pytest.mark.parametrize(
    "name",
    [
        "../outside",
        "/etc/outside",
        "warehouse/../../outside",
        "warehouse//outside",
        "./outside",
        "",
        "linkwright.sqlite3",
        "linkwright.sqlite3-wal",
        "scratch/outside",
        "worker.lock",
        "line\nbreak",
    ],
)
def test_a_name_that_leaves_the_data_folder_or_is_its_own_is_refused(
    new_place: NewPlace, backup: Path, name: str
) -> None:
    victim = backup.parent / "outside"
    rewrite_list(backup, lambda lines: lines.append([name, 4, hashlib.sha256(b"evil").hexdigest()]))
    for target in (backup / "files" / name, victim):
        if name and "\n" not in name and target.is_relative_to(backup.parent):
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(b"evil")
    assert f"{name!r} is no name of a file that belongs into a data folder" in refusal(backup, new_place())


def test_a_link_in_a_backup_leads_nowhere(new_place: NewPlace, backup: Path) -> None:
    secret = backup.parent / "secret-of-another"
    secret.write_text("another's secret")
    path = a_batch(backup)
    shutil.move(path, secret)
    path.symlink_to(secret)
    assert f"{path.name} is not there" in refusal(backup, new_place())


def test_tables_and_columns_that_its_version_does_not_have_are_refused(new_place: NewPlace, backup: Path) -> None:
    place = new_place()

    def rename(values: dict[str, Any]) -> None:
        values["tables"][0]["table"] = "sqlite_master"

    def add_column(values: dict[str, Any]) -> None:
        values["tables"][1]["columns"].append("x); DROP TABLE store_job; --")

    def move(values: dict[str, Any]) -> None:
        values["tables"][2]["part"]["name"] = "../rows.jsonl.gz"

    for change, told in (
        (rename, "There is no table 'sqlite_master'"),
        (add_column, "are not those of its version"),
        (move, "are said to lie in '../rows.jsonl.gz'"),
    ):
        rewrite(backup, change)
        assert told in refusal(backup, place)


def test_a_folder_that_is_not_empty_is_left_alone(new_place: NewPlace, backup: Path) -> None:
    place = new_place()
    place.config.home.mkdir()
    mine = place.config.home / "notes.txt"
    mine.write_text("mine")
    with place.entered(), pytest.raises(LinkwrightError, match="is not an empty folder"):
        restore(backup, place.config)
    assert [path.read_text() for path in place.config.home.iterdir()] == ["mine"]


@pytest.mark.parametrize("database", ["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def test_a_database_with_rows_is_left_alone(new_place: NewPlace, backup: Path, database: str) -> None:
    taken = new_place(database)
    with taken.set_up() as system:
        system.load("own", ROWS)
        before = Job.objects.count()
    target = Place(LiveSystem(taken.folder / "other", taken.live.database_url), taken.folder)
    assert "is not empty: it holds rows in store_" in refusal(backup, target)
    with taken.entered():
        assert Job.objects.count() == before


def test_a_disk_that_is_too_small_is_told_before_anything_is_written(
    new_place: NewPlace, backup: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: shutil._ntuple_diskusage(10, 9, 1))
    assert "The backup needs at least 0 MiB" in refusal(backup, new_place())


class _InterruptedError(Exception):
    """Comes from outside, in the middle."""


@pytest.mark.parametrize("stage", ["Copying files", "Filling the database"])
def test_a_restore_that_is_interrupted_leaves_an_empty_folder_and_can_be_repeated(
    new_place: NewPlace, backup: Path, stage: str
) -> None:
    place = new_place()

    def interrupt(progress: Progress) -> None:
        if progress.stage == stage and progress.done * 2 > (progress.total or 0):
            raise _InterruptedError

    with place.entered() as system:
        config: ServerConfig = place.config
        config.home.mkdir()
        with pytest.raises(_InterruptedError):
            restore_backup(backup, config, COMMAND_LINE, interrupt)
        assert list(config.home.iterdir()) == []
        restore(backup, config)
        assert len(system.group_ids()) == len(ROWS)


@pytest.mark.postgres
def test_a_restore_into_postgres_that_was_interrupted_can_be_repeated(new_place: NewPlace, backup: Path) -> None:
    place = new_place("postgres")

    def interrupt(progress: Progress) -> None:
        if progress.stage == "Filling the database" and progress.done * 2 > (progress.total or 0):
            raise _InterruptedError

    with place.entered() as system:
        with pytest.raises(_InterruptedError):
            restore_backup(backup, place.config, COMMAND_LINE, interrupt)
        restore(backup, place.config)
        assert len(system.group_ids()) == len(ROWS)


def test_rows_that_contradict_each_other_are_refused_and_nothing_stays(new_place: NewPlace, backup: Path) -> None:
    path = backup / "database" / "store_envelope.jsonl.gz"
    content = gzip.compress(b"")
    path.write_bytes(content)

    def follow(values: dict[str, Any]) -> None:
        (table,) = (one for one in values["tables"] if one["table"] == "store_envelope")
        table["rows_count"] = 0
        table["part"] |= {"bytes_count": len(content), "sha256": hashlib.sha256(content).hexdigest()}

    rewrite(backup, follow)
    assert "does not take the rows of the backup" in refusal(backup, new_place())
