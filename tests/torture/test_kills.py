"""kill -9 at random instants, of workers and of jobs, while Envelopes keep coming: nothing is lost or doubled."""

import random
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from pytest_django.plugin import DjangoDbBlocker

from linkwright.store.audit_log import COMMAND_LINE
from linkwright.store.models import Envelope
from linkwright.store.settings import change_setting
from tests.live_system import ROOT, LiveSystem, migrated_postgres_database, new_sqlite_database, wait_until
from tests.small_envelopes import write_project_file
from tests.torture import invariants
from tests.torture.rampage import Rampage, wait_for_the_rest
from tests.torture.reference import Reference, content_of

pytestmark = pytest.mark.torture

TAKEOVER_WITHIN_S = 1.0
# so that Compact jobs are among those that are killed; the undisturbed run has none
COMPACT_AFTER = 1
DATABASES: dict[str, Callable[[Path], str]] = {
    "sqlite": new_sqlite_database,
    "postgres": lambda _home: migrated_postgres_database(),
}


@contextmanager
def submitter(system: LiveSystem, folder: Path) -> Iterator[None]:
    """Run a process that submits Envelopes while the block runs; it must end well."""
    folder.mkdir()
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.torture.submitter", folder],
        env={**system.environment, "DJANGO_SETTINGS_MODULE": "linkwright.django_settings"},
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
    )
    try:
        yield
        assert process.poll() is None, "the submitter has ended before its time"
    finally:
        process.communicate()
    assert process.returncode == 0


def tell(text: str) -> None:
    """Show a line, where pytest lets it through: `make torture` does."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


@pytest.fixture(params=[pytest.param("sqlite"), pytest.param("postgres", marks=pytest.mark.postgres)])
def system(
    request: pytest.FixtureRequest, tmp_path: Path, django_db_blocker: DjangoDbBlocker
) -> Iterator[LiveSystem]:
    """Return a system on each database in turn, without workers, in which no job is ever given up."""
    with django_db_blocker.unblock():
        live = LiveSystem(tmp_path / "home", DATABASES[request.param](tmp_path / "home"))
        with live.entered():
            try:
                live.set_up(write_project_file(tmp_path))
                change_setting("Worker.Jobs.MaxAttemptsAfterCrash", 10_000, COMMAND_LINE)
                change_setting("Worker.Compact.AfterBatches", COMPACT_AFTER, COMMAND_LINE)
                yield live
            finally:
                live.stop()


def torment(system: LiveSystem, rampage: Rampage, kills: int, folder: Path) -> list[str]:
    """Kill while Envelopes come, let the queue run dry, stop the workers; returns what is left of processes."""
    with submitter(system, folder):
        wait_until(Envelope.objects.exists, "the first Envelope")
        rampage.run(kills)
    wait_for_the_rest(system)
    known = [process for worker in system.live_workers() for process in worker.tree()]
    orphans = list(invariants.faults_of_processes(system, known))
    return [*rampage.orphans, *orphans, *(f"had to be killed in the end: {left}" for left in system.stop())]


def differences(system: LiveSystem, reference: Reference) -> list[str]:
    """Compare what each Envelope became with what it became undisturbed."""
    disturbed = content_of(system)
    reference.process(len(disturbed))
    return [
        f"{one['name']}: {part} differ from the undisturbed run"
        for one, other in zip(disturbed, reference.content(len(disturbed)), strict=True)
        for part in one
        if one[part] != other[part]
    ]


def test_kills_at_random_instants_lose_double_and_disorder_nothing(
    system: LiveSystem, kills_per_database: int, seed: int, reference: Reference, tmp_path: Path
) -> None:
    database = system.database_url.split(":")[0]
    rampage = Rampage(system, random.Random(f"{seed} {database}"), reference.typical_s())
    faults = torment(system, rampage, kills_per_database, tmp_path / "envelopes")
    faults += invariants.faults_of_rows()
    faults += invariants.faults_of_events()
    faults += invariants.faults_of_files(system)
    faults += differences(system, reference)
    taken_over = invariants.takeovers(rampage.kills, TAKEOVER_WITHIN_S)
    faults += taken_over.faults
    victims = Counter(kill.victim.value for kill in rampage.kills)
    envelopes_count = Envelope.objects.count()
    tell(f"{database}: {rampage}, {dict(victims)}, {envelopes_count} Envelopes; {taken_over}; seed {seed}")
    assert len(rampage.kills) >= kills_per_database
    assert taken_over.seconds, "no worker was killed"
    assert faults == [], f"seed {seed}: LINKWRIGHT_TORTURE_SEED={seed} repeats it as far as a machine can"
