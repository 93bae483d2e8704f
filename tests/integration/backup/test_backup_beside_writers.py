"""A backup is made while Envelopes arrive and a page polls: nobody waits for it, and it shows one moment."""

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

import pytest
from django.db import connection
from django.test import Client

from linkwright.services.check_system import check_system
from linkwright.services.create_administrator import create_administrator
from linkwright.services.start_backup import start_backup
from linkwright.store.audit_log import COMMAND_LINE
from linkwright.store.backup.rows import write_table
from linkwright.store.models import AuditLogEntry, Envelope, EnvelopeState, Job, User
from tests.integration.backup.conftest import ROWS, NewPlace, backup_of
from tests.integration.pipeline.conftest import System

AT_LEAST = 2
HANGS_AFTER_S = 30.0
# the chain of an Envelope: Validate, Load, Match, Group, Report
CHAIN_LENGTH = 5


class Arrivals:
    """Submits Envelopes one after the other, and asks for a page between them, each in a thread of its own."""

    def __init__(self, system: System) -> None:
        self._system = system
        self._stop = threading.Event()
        self.submitted: list[int] = []
        self.statuses: set[int] = set()
        self.errors: list[BaseException] = []
        self._paths = [
            system.build(f"arriving-{number}", [(f"n{number}", "Nora", "Falk", "1970-01-01", "2000")])
            for number in range(60)
        ]
        self._client = Client()
        self._client.force_login(User.objects.get(username="ada"))
        self._threads = [threading.Thread(target=self._run, args=[work]) for work in (self._submit, self._poll)]

    def _run(self, work: Callable[[], None]) -> None:
        try:
            while not self._stop.wait(0.03):
                work()
        except BaseException as error:  # noqa: BLE001 - the test looks at it
            self.errors.append(error)
        finally:
            connection.close()

    def _submit(self) -> None:
        if self._paths:
            self.submitted.append(self._system.submit(self._paths.pop()).pk)

    def _poll(self) -> None:
        self.statuses.add(self._client.get("/jobs/envelopes/live/").status_code)

    def wait_for_more(self) -> None:
        """Wait until some more Envelopes have been taken in."""
        wanted, waited = len(self.submitted) + AT_LEAST, threading.Event()
        for _look in range(int(HANGS_AFTER_S / 0.02)):
            if self.errors or len(self.submitted) >= wanted:
                return
            waited.wait(0.02)
        raise AssertionError("nobody can submit an Envelope while the backup is made")

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(HANGS_AFTER_S)
        assert not any(thread.is_alive() for thread in self._threads)


@pytest.mark.parametrize("database", ["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def test_a_backup_shows_one_moment_and_holds_nobody_up(
    new_place: NewPlace, monkeypatch: pytest.MonkeyPatch, database: str
) -> None:
    with new_place(database).set_up() as system:
        system.load("first", ROWS)
        create_administrator("ada", COMMAND_LINE)
        job = start_backup(COMMAND_LINE)
        with Arrivals(system) as arrivals:
            arrivals.wait_for_more()
            before = len(arrivals.submitted)
            seen = slow_down(monkeypatch, arrivals)
            system.drain(limit=1)
        assert arrivals.errors == []
        assert arrivals.statuses == {200}
        made: Path = backup_of(system, job)
        during = len(arrivals.submitted) - seen[0]
        assert during >= 2 * AT_LEAST
    with new_place().restore(made) as system:
        envelopes = list(Envelope.objects.order_by("pk"))
        # those that had arrived when it began, perhaps one that just did, and none that came while it was made
        assert before <= len(envelopes) - 1 <= seen[0] + 1
        assert [Job.objects.filter(envelope=one).count() for one in envelopes] == [CHAIN_LENGTH] * len(envelopes)
        assert AuditLogEntry.objects.filter(action="submit Envelope").count() == len(envelopes)
        assert [finding.text for finding in check_system(system.config) if finding.subject == "Envelopes"] == [
            "every waiting Envelope has its file; 0 job(s) running."
        ]
        system.drain(limit=2 * CHAIN_LENGTH)
        assert Envelope.objects.filter(state=EnvelopeState.SUCCESS).count() == 1 + 2
        assert len(system.group_ids()) == len(ROWS) + 2


def slow_down(monkeypatch: pytest.MonkeyPatch, arrivals: Arrivals) -> list[int]:
    """Let Envelopes arrive before and after the rows are read; returns how many had when the reading began."""
    seen: list[int] = []

    def write_slowly(*arguments: Any) -> Any:
        if not seen:
            seen.append(len(arrivals.submitted))
            arrivals.wait_for_more()
        written = write_table(*arguments)
        if len(seen) == 1:
            seen.append(len(arrivals.submitted))
            arrivals.wait_for_more()
        return written

    monkeypatch.setattr("linkwright.jobs.backup.write_table", write_slowly)
    return seen
