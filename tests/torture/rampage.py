"""Kills workers, fork servers and jobs at random instants, and keeps a standby ready.

Knows processes only; what became of the jobs is read by invariants.py.
"""

import random
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

import psutil

from linkwright.store.models import Job, JobState
from tests.live_system import LiveSystem, WorkerProcess, machine_slowdown, wait_until

WORKING = "Worker: working"
STANDING_BY = "standing by"
# a replacement is not started in the very second in which its predecessor's takeover is measured
REPLACED_AFTER_S = 1.0
GONE_WITHIN_S = 1.0
UNKNOWN_KIND_S = 0.3


class Victim(StrEnum):
    """What is killed with SIGKILL."""

    JOB = "job"
    WORKER = "worker"
    FORK_SERVER = "fork server"
    # as when the machine's memory is gone, or a container is killed
    ALL = "worker, fork server and job"


WEIGHTS = {Victim.JOB: 76, Victim.WORKER: 14, Victim.FORK_SERVER: 3, Victim.ALL: 7}
# one at work, one that takes over, one that has just been started
WORKERS = 3


@dataclass(frozen=True)
class Kill:
    """One kill: when (seconds since the epoch), whom, and how slow the machine was around it."""

    at_s: float
    victim: Victim
    slowdown: float


@dataclass
class Rampage:
    """Kills until enough are dead.

    Args:
        system: whose workers are killed.
        rng: decides when and whom.
        typical_s: how long a job of each kind takes undisturbed.
    """

    system: LiveSystem
    rng: random.Random
    typical_s: Mapping[str, float]
    kills: list[Kill] = field(default_factory=list)
    # processes that outlived their worker
    orphans: list[str] = field(default_factory=list)
    _replace_at_s: float = 0.0
    _doomed: list[tuple[float, psutil.Process]] = field(default_factory=list)

    def __str__(self) -> str:
        spent_s = self.kills[-1].at_s - self.kills[0].at_s
        return f"{len(self.kills)} kills in {spent_s:.0f} s, {60 * len(self.kills) / spent_s:.0f} a minute"

    def run(self, kills_count: int) -> None:
        """Kill so many times; a standby is there before a worker is killed."""
        while len(self.kills) < kills_count:
            self._keep_workers()
            (victim,) = self.rng.choices(list(WEIGHTS), list(WEIGHTS.values()))
            if victim in {Victim.WORKER, Victim.ALL}:
                self._wait_for_standby()
            time.sleep(self._pause_s())
            self._kill_one(victim)
            self._look_for_orphans()
        self._keep_workers(at_once=True)

    def _pause_s(self) -> float:
        """Choose an instant: in what is left of the job that runs, at its end, or in the next job."""
        running = Job.objects.filter(state=JobState.RUNNING).values_list("kind", flat=True).first()
        # mostly soon; now and then later, so that chains get on
        share = self.rng.uniform(0, self.rng.choice([0.9, 2.5]))
        return share * self.typical_s.get(running or "", UNKNOWN_KIND_S)

    def _keep_workers(self, *, at_once: bool = False) -> None:
        if at_once or time.monotonic() >= self._replace_at_s:
            for _ in range(WORKERS - len(self.system.live_workers())):
                self.system.start_worker()

    def _working(self) -> WorkerProcess | None:
        working = [worker for worker in self.system.live_workers() if worker.has_said(WORKING)]
        return working[0] if working else None

    def _wait_for_standby(self) -> None:
        """Wait until a worker stands by, while jobs go on."""

        def stands_by() -> bool:
            self._keep_workers()
            # one that has just taken over, and has not said so, stands by no more
            others = [worker for worker in self.system.live_workers() if not worker.has_said(WORKING)]
            return self._working() is not None and any(worker.has_said(STANDING_BY) for worker in others)

        wait_until(stands_by, "a worker to stand by")

    def _kill_one(self, victim: Victim) -> None:
        worker = self._working()
        if worker is None:
            return
        if victim is Victim.JOB:
            job = worker.job()
            if job is None:
                return
            self._kill([job], victim)
        elif victim is Victim.FORK_SERVER:
            server = worker.fork_server()
            if server is None:
                return
            self._kill([server], victim)
        else:
            self._kill_worker(worker, victim)

    def _kill_worker(self, worker: WorkerProcess, victim: Victim) -> None:
        tree = worker.tree()
        self._kill([psutil.Process(worker.pid)] if victim is Victim.WORKER else tree, victim)
        worker.process.wait()
        now_s = time.monotonic()
        self._replace_at_s = now_s + REPLACED_AFTER_S
        self._doomed.extend((now_s, process) for process in tree)

    def _kill(self, processes: list[psutil.Process], victim: Victim) -> None:
        slowdown = machine_slowdown() if victim in {Victim.WORKER, Victim.ALL} else 1.0
        at_s = time.time()
        killed = 0
        for process in processes:
            try:
                process.kill()
                killed += 1
            except psutil.NoSuchProcess:
                continue
        if killed:
            self.kills.append(Kill(at_s, victim, slowdown))

    def _look_for_orphans(self) -> None:
        """Note what outlived its worker by more than a second."""
        now_s = time.monotonic()
        still_doomed = []
        for since_s, process in self._doomed:
            if not process.is_running() or process.status() == psutil.STATUS_ZOMBIE:
                continue
            if now_s - since_s > GONE_WITHIN_S * machine_slowdown():
                self.orphans.append(f"{process.pid} outlived its worker by {now_s - since_s:.1f} s")
            else:
                still_doomed.append((since_s, process))
        self._doomed = still_doomed


def wait_for_the_rest(system: LiveSystem) -> None:
    """Let the queue run dry."""
    open_jobs = Job.objects.filter(state__in=[JobState.QUEUED, JobState.RUNNING, JobState.HELD])
    wait_until(lambda: not open_jobs.exists(), "the queue to run dry", within_s=300)
    assert system.live_workers(), "no worker is left"
