"""Systems on a real PostgreSQL, and on SQLite for what must hold on both."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_django.plugin import DjangoDbBlocker

from tests.live_system import LiveSystem, migrated_postgres_database, new_sqlite_database
from tests.small_envelopes import write_project_file


def running_system(tmp_path: Path, database: str, blocker: DjangoDbBlocker) -> Iterator[LiveSystem]:
    """Set a system up, enter it, and make sure that none of its processes is left when the test ends."""
    home = tmp_path / "home"
    with blocker.unblock():
        url = migrated_postgres_database() if database == "postgres" else new_sqlite_database(home)
        system = LiveSystem(home, url)
        with system.entered():
            try:
                system.set_up(write_project_file(tmp_path))
                yield system
            finally:
                left = system.stop()
    assert left == []


@pytest.fixture
def on_postgres(tmp_path: Path, django_db_blocker: DjangoDbBlocker) -> Iterator[LiveSystem]:
    """Return a system on PostgreSQL, without workers."""
    yield from running_system(tmp_path, "postgres", django_db_blocker)


@pytest.fixture(params=[pytest.param("sqlite"), pytest.param("postgres", marks=pytest.mark.postgres)])
def on_both(
    request: pytest.FixtureRequest, tmp_path: Path, django_db_blocker: DjangoDbBlocker
) -> Iterator[LiveSystem]:
    """Return a system on each database in turn, without workers."""
    yield from running_system(tmp_path, request.param, django_db_blocker)
