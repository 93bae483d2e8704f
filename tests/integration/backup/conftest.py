"""Systems of their own, each with a data folder and a database, to back up and to restore into."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from pytest_django.plugin import DjangoDbBlocker

from linkwright.config import ServerConfig
from linkwright.engine.progress import silent
from linkwright.services.prepare_database import prepare_database
from linkwright.services.restore_backup import Restored, restore_backup
from linkwright.services.start_backup import start_backup
from linkwright.store.audit_log import COMMAND_LINE
from linkwright.store.models import Job, JobState
from tests.integration.pipeline.conftest import PROJECT_YAML, System, draw_nothing
from tests.live_system import LiveSystem, lay_tables, new_sqlite_database
from tests.servers import new_postgres_database

ROWS = [
    ("a1", "Anna", "Berg", "1980-01-02", "2000"),
    ("a2", "Anna", "Berg", "1980-01-02", "2000"),
    ("c1", "Cleo", "Dunn", "1990-09-10", "2600"),
]
LATER_ROWS = [("a3", "Anna", "Berg", "1980-01-02", "2000"), ("d1", "Dora", "Eck", "1960-11-12", "3000")]


@dataclass(frozen=True)
class Place:
    """A data folder and a database that a system may live in; nothing is there yet."""

    live: LiveSystem
    folder: Path

    @property
    def config(self) -> ServerConfig:
        """The configuration of a system there."""
        return self.live.config

    @contextmanager
    def entered(self) -> Iterator[System]:
        """Let this process work there while the block runs."""
        with self.live.entered():
            yield System(self.config, self.folder)

    @contextmanager
    def set_up(self) -> Iterator[System]:
        """Make the tables and project P1, and stay there while the block runs."""
        if self.live.database_url.startswith("sqlite"):
            lay_tables(self.config)
        with self.entered() as system:
            prepare_database(self.config)
            system.apply(PROJECT_YAML)
            yield system

    def restore(self, backup: Path) -> AbstractContextManager[System]:
        """Restore a backup there, and stay while the block runs."""
        return self._restored(backup)

    @contextmanager
    def _restored(self, backup: Path) -> Iterator[System]:
        with self.entered() as system:
            restore(backup, self.config)
            yield system


def restore(backup: Path, config: ServerConfig) -> Restored:
    """Restore a backup into the system that was entered."""
    return restore_backup(backup, config, COMMAND_LINE, silent)


def back_up(system: System) -> Path:
    """Make a backup in this process; returns its folder."""
    job = start_backup(COMMAND_LINE)
    system.drain()
    return backup_of(system, job)


def backup_of(system: System, job: Job) -> Path:
    """Return the folder that a Backup job has made."""
    job.refresh_from_db()
    assert job.state == JobState.SUCCESS, job.error_message
    return system.config.backups_folder / str(job.statistics["name"])


NewPlace = Callable[..., Place]


@pytest.fixture(autouse=True)
def _plots_drawn_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    draw_nothing(monkeypatch)


@pytest.fixture
def new_place(tmp_path: Path, django_db_blocker: DjangoDbBlocker) -> Iterator[NewPlace]:
    """Return a function that names a place for a system, on SQLite or PostgreSQL."""
    names = iter("abcdefgh")

    def make(database: str = "sqlite") -> Place:
        folder = tmp_path / next(names)
        folder.mkdir()
        home = folder / "home"
        url = new_postgres_database() if database == "postgres" else new_sqlite_database(home)
        return Place(LiveSystem(home, url), folder)

    with django_db_blocker.unblock():
        yield make
