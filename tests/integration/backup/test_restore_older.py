"""A backup of an older version is restored into its own tables, and these are then brought up to date."""

from pathlib import Path

from django.core.management import call_command
from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django.utils import timezone

from linkwright.services.prepare_database import needs_migration
from linkwright.store.backup.manifest import FILES_NAME, FORMAT, MANIFEST_NAME, Manifest, manifest_text
from linkwright.store.backup.parts import make_folder, write_lines, write_text
from linkwright.store.backup.rows import APP, backed_up_models, write_table
from linkwright.store.backup.snapshot import open_snapshot, table_name
from linkwright.store.models import AuditLogEntry, LinkageProject, ScheduleState, User
from tests.integration.backup.conftest import NewPlace, Place
from tests.integration.pipeline.conftest import PROJECT_YAML

# before schedules were remembered
OLDER = "0006_deletion_and_review"


def older_backup(place: Place) -> Path:
    """Make a backup as an older version would have made it, of one person and one project."""
    backup = place.folder / "backup-20260101T000000Z"
    make_folder(backup / "database")
    place.config.home.mkdir()
    with place.entered():
        call_command("migrate", APP, OLDER, verbosity=0)
        models = backed_up_models(MigrationLoader(connection).project_state((APP, OLDER)).apps)
        by_table = {table_name(model): model for model in models}
        assert "store_schedulestate" not in by_table
        by_table["store_user"]._base_manager.create(username="ada", password="x", is_superuser=True)
        by_table["store_linkageproject"]._base_manager.create(code="OLD", name="An old project")
        with open_snapshot() as snapshot:
            tables = tuple(write_table(model, snapshot, backup, lambda _rows: None) for model in models)
    with write_lines(backup, FILES_NAME) as lines:
        pass
    manifest = Manifest(
        format=FORMAT,
        version="0.0.1",
        migration=OLDER,
        job=1,
        attempt=1,
        snapshot_at=timezone.now(),
        ended_at=timezone.now(),
        tables=tables,
        files=lines.written,
        files_count=0,
        files_bytes=0,
    )
    write_text(backup / MANIFEST_NAME, manifest_text(manifest))
    return backup


def test_an_older_backup_is_brought_up_to_date(new_place: NewPlace) -> None:
    backup = older_backup(new_place())
    with new_place().restore(backup) as system:
        assert not needs_migration()
        assert User.objects.get().username == "ada"
        assert LinkageProject.objects.get().code == "OLD"
        assert ScheduleState.objects.count() == 0
        assert AuditLogEntry.objects.get(action="restore backup").detail["version"] == "0.0.1"
        system.apply(PROJECT_YAML)
        assert LinkageProject.objects.count() == 2
