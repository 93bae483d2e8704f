"""What must hold after any number of kills; every function returns what is wrong, in words."""

import statistics
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise

import psutil

from linkwright.jobs.context import project_folder
from linkwright.store.batch_catalog import counted_file_names
from linkwright.store.models import (
    Batch,
    BatchKind,
    BatchState,
    Envelope,
    EnvelopeState,
    Job,
    JobEvent,
    JobState,
    LinkageProject,
    QueueState,
)
from tests.live_system import LiveSystem
from tests.torture.rampage import Kill, Victim

# (left, entered) of every change of state that a job may make whose only misfortune is to be killed
LEGAL = {("", "Queued"), ("Queued", "Running"), ("Running", "Queued"), ("Running", "Success")}


def faults_of_rows() -> Iterator[str]:
    """Nothing failed, nothing is left open, nothing was lost."""
    for envelope in Envelope.objects.exclude(state=EnvelopeState.SUCCESS):
        yield f"{envelope} is {envelope.state}"
    for job in Job.objects.exclude(state=JobState.SUCCESS):
        yield f"{job} is {job.state}: {job.error_message}"
    # compacted files and match indexes are derived: they are given up when they were made anew
    originals = Batch.objects.filter(position=None).exclude(kind=BatchKind.INDEX)
    for batch in originals.exclude(state=BatchState.LIVE):
        yield f"batch {batch} is {batch.state}"
    state = QueueState.objects.get(pk=1)
    if state.active_envelope_id is not None:
        yield f"Envelope {state.active_envelope_id} still counts as under way"


def faults_of_events() -> Iterator[str]:
    """Every job went a legal way, with one success; never two ran at once; chains were not mixed, in order."""
    events = list(JobEvent.objects.select_related("job").order_by("id"))
    for before, after in pairwise(events):
        if after.at < before.at:
            yield f"event {after.pk} is earlier than event {before.pk} before it"
    by_job: dict[int, list[JobEvent]] = defaultdict(list)
    for event in events:
        by_job[event.job_id].append(event)
    for job in Job.objects.all():
        yield from _faults_of_job(job, by_job[job.pk])
    yield from _faults_of_order(events)


def _faults_of_job(job: Job, events: Sequence[JobEvent]) -> Iterator[str]:
    entered, attempt = "", 0
    for event in events:
        if (event.left, event.entered) not in LEGAL or event.left != entered:
            yield f"{job} went from {entered or 'nothing'} by {event.left} to {event.entered}"
        if event.entered == JobState.RUNNING:
            attempt += 1
        if event.attempt != attempt:
            yield f"{job}: attempt {event.attempt} in event {event.pk}, where {attempt} is next"
        entered = event.entered
    successes = sum(event.entered == JobState.SUCCESS for event in events)
    if successes != 1:
        yield f"{job} has {successes} successes"
    if job.attempt != attempt or job.crash_count != attempt - 1:
        yield f"{job} has attempt {job.attempt} and {job.crash_count} crashes after {attempt} starts"


def _faults_of_order(events: Sequence[JobEvent]) -> Iterator[str]:
    running: Job | None = None
    for event in events:
        if event.entered == JobState.RUNNING and running is not None:
            yield f"{event.job} was started while {running} ran"
        if event.entered == JobState.RUNNING:
            running = event.job
        elif event.job == running:
            running = None
    starts = [event.job for event in events if event.entered == JobState.RUNNING]
    # one after the other, with no other Envelope's job in between, means: in one go
    runs = groupby(starts, key=lambda job: job.envelope_id)
    # jobs of no Envelope stand between chains, and would split one that they came into
    chains = [envelope for envelope, _jobs in runs if envelope is not None]
    if len(chains) != len(set(chains)):
        yield f"the chains of Envelopes were mixed: {chains}"
    if chains != sorted(chains):
        yield f"Envelopes were not processed in the order in which they came: {chains}"
    for envelope, jobs in groupby(starts, key=lambda job: job.envelope_id):
        positions = [job.chain_position for job in jobs if envelope is not None]
        if positions != sorted(positions):
            yield f"the jobs of Envelope {envelope} were not run in their order: {positions}"


def faults_of_files(system: LiveSystem) -> Iterator[str]:
    """On disk are the files that count and no others; no scratch is left."""
    config = system.config
    for project in LinkageProject.objects.all():
        folder = project_folder(config, project)
        on_disk = {path.name for path in folder.iterdir()} if folder.is_dir() else set()
        counted = counted_file_names(project)
        yield from (f"{name} in {folder.name} is named by no batch" for name in sorted(on_disk - counted))
        yield from (f"{name} in {folder.name} is gone" for name in sorted(counted - on_disk))
    yield from (f"scratch is left: {path.name}" for path in config.scratch_folder.iterdir())
    received = set(Envelope.objects.values_list("file_name", flat=True))
    kept = {path.name for path in config.incoming_folder.iterdir()}
    yield from (f"received Envelope without a row, or a row without it: {name}" for name in received ^ kept)


def faults_of_processes(system: LiveSystem, except_for: Sequence[psutil.Process]) -> Iterator[str]:
    """No process is left but those that are known to work."""
    known = {process.pid for process in except_for}
    for process in system.processes():
        if process.pid not in known:
            yield f"process {process.pid} is an orphan: {' '.join(process.cmdline())}"


@dataclass(frozen=True)
class Takeovers:
    """Seconds from the kill of a worker to the next claim, and those that took too long."""

    seconds: list[float]
    faults: list[str]

    def __str__(self) -> str:
        median_s, longest_s = statistics.median(self.seconds), max(self.seconds)
        return f"{len(self.seconds)} takeovers, median {median_s:.3f} s, longest {longest_s:.3f} s"


def takeovers(kills: Sequence[Kill], within_s: float) -> Takeovers:
    """Measure every takeover; a worker that was killed before its first claim is measured by its successor's.

    A kill while the queue was empty tells nothing.
    """
    events = [(event.at.timestamp(), event.left, event.entered) for event in JobEvent.objects.order_by("id")]
    claimed_s = [at_s for at_s, _left, entered in events if entered == JobState.RUNNING]
    of_workers = [kill for kill in kills if kill.victim in {Victim.WORKER, Victim.ALL}]
    seconds, faults = [], []
    for kill, following in zip(of_workers, [*of_workers[1:], None], strict=True):
        claim_s = next((moment_s for moment_s in claimed_s if moment_s > kill.at_s), None)
        came = sum(at_s <= kill.at_s and not left for at_s, left, _entered in events)
        done = sum(at_s <= kill.at_s and entered == JobState.SUCCESS for at_s, _left, entered in events)
        if claim_s is None or came == done or (following and claim_s > following.at_s):
            continue
        seconds.append(claim_s - kill.at_s)
        if seconds[-1] > within_s * kill.slowdown:
            faults.append(
                f"a takeover took {seconds[-1]:.3f} s on a machine {kill.slowdown:.1f} times slowed down"
            )
    return Takeovers(seconds, faults)
