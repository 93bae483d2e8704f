"""How often to kill, with which seed, and the undisturbed run to compare with."""

import os
import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_django.plugin import DjangoDbBlocker

from tests.live_system import LiveSystem, new_sqlite_database
from tests.small_envelopes import write_project_file
from tests.torture.reference import Reference

# over both databases
DEFAULT_KILLS = 100
# from which the typical duration of each job kind is taken
FIRST_ENVELOPES = 4


@pytest.fixture(scope="session")
def kills_per_database() -> int:
    """Half of LINKWRIGHT_TORTURE_KILLS, which `make torture KILLS=...` sets."""
    return (int(os.environ.get("LINKWRIGHT_TORTURE_KILLS", DEFAULT_KILLS)) + 1) // 2


@pytest.fixture(scope="session")
def seed() -> int:
    """LINKWRIGHT_TORTURE_SEED, to repeat a run as far as a machine can; else a new one for each run."""
    return int(os.environ.get("LINKWRIGHT_TORTURE_SEED", secrets.randbelow(1_000_000)))


@pytest.fixture(scope="session")
def reference(tmp_path_factory: pytest.TempPathFactory, django_db_blocker: DjangoDbBlocker) -> Iterator[Reference]:
    """Process a few Envelopes without any kill, on SQLite."""
    folder: Path = tmp_path_factory.mktemp("undisturbed")
    system = LiveSystem(folder / "home", new_sqlite_database(folder / "home"))
    with django_db_blocker.unblock():
        with system.entered():
            system.set_up(write_project_file(folder))
        undisturbed = Reference(system, folder)
        undisturbed.process(FIRST_ENVELOPES)
        yield undisturbed
        system.stop()
