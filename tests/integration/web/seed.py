"""Fills a database with what the pages show: people, projects, Envelopes and jobs in every state, reports."""

from dataclasses import dataclass, field
from datetime import timedelta
from functools import cache
from typing import Any

from django.contrib.auth.hashers import make_password
from django.db.models import F
from django.utils import timezone

from linkwright.store.models import (
    AuditMessage,
    DataProvider,
    EndReason,
    Envelope,
    EnvelopeReport,
    EnvelopeState,
    Estimation,
    EventType,
    ExtractionProject,
    ExtractionResult,
    ImportFormat,
    Job,
    JobEvent,
    JobKind,
    JobState,
    LinkageProject,
    MatchConfigurationVersion,
    Membership,
    Notification,
    QueueState,
    Role,
    Severity,
    User,
    WorkerPresence,
    WorkerRole,
)
from tests.integration.web.seed_chain import CHAIN, MIB, add_chain, run_events, seconds_of
from tests.integration.web.seed_estimation import add_estimation
from tests.integration.web.seed_extraction import add_extraction_project, add_results
from tests.integration.web.seed_statistics import (
    ENVELOPE_NUMBERS,
    MATCH_CONFIGURATION,
    PLOTS,
    PROJECT_NUMBERS,
    STATISTICS,
)

PASSWORD = "correct horse battery"


@dataclass
class World:
    """What the tests reach for by name."""

    admin: User
    owner: User
    viewer: User
    stranger: User
    perinatal: LinkageProject
    cancer: LinkageProject
    operator: User
    reviewer: User
    estimation: Estimation | None = None
    extraction: ExtractionProject | None = None
    result: ExtractionResult | None = None
    envelopes: dict[str, Envelope] = field(default_factory=dict)

    def job(self, envelope: str, kind: JobKind) -> Job:
        """Return the first job of a kind of an Envelope."""
        return self.envelopes[envelope].jobs.filter(kind=kind).order_by("chain_position")[0]


@cache
def _hashed() -> str:
    """Hash the password once: doing so is slow on purpose."""
    return make_password(PASSWORD)


def seed_people_and_projects() -> World:
    """Make two projects, and people: Administrator, one of each role in PERINATAL, Owner of CANCER (stranger)."""
    names = (*(role.value.lower() for role in Role), "stranger")
    people = {name: User.objects.create(username=name, password=_hashed()) for name in names}
    admin = User.objects.create(username="admin", password=_hashed(), is_superuser=True)
    form = ImportFormat.objects.create(
        code="CSV", definition={"columns": {"source_unique_id": "id", "given_name": "name"}}
    )
    projects = []
    for code, name, provider, types in (
        ("PERINATAL", "Perinatal outcomes", "WAHEALTH", ("BIRTHS", "HOSP", "DEATHS")),
        ("CANCER", "Cancer registry follow-up", "CANREG", ("TUMOURS",)),
    ):
        sender = DataProvider.objects.create(code=provider, organisation=f"{provider} data services")
        project = LinkageProject.objects.create(
            code=code,
            name=name,
            description=f"{name}: yearly linkage for the research programme.",
            own_fields={"birth_hospital": "identifier"} if code == "PERINATAL" else {},
            grouping={"method": "merge"},
        )
        for event_type in types:
            project.event_types.add(
                EventType.objects.create(
                    code=event_type, provider=sender, import_format=form, description=event_type.capitalize()
                )
            )
        MatchConfigurationVersion.objects.create(project=project, version=3, definition=MATCH_CONFIGURATION)
        projects.append(project)
    for role in Role:
        Membership.objects.create(user=people[role.value.lower()], project=projects[0], role=role)
    Membership.objects.create(user=people["stranger"], project=projects[1], role=Role.OWNER)
    WorkerPresence.objects.create(
        host="linkage-1", pid=4711, role=WorkerRole.ACTIVE, started_at=timezone.now(), seen_at=timezone.now()
    )
    QueueState.objects.get_or_create(pk=1)
    return World(
        admin,
        people["owner"],
        people["viewer"],
        people["stranger"],
        projects[0],
        projects[1],
        people["operator"],
        people["reviewer"],
    )


def add_envelope(
    world: World,
    name: str,
    *,
    ended: int = 0,
    state: EnvelopeState = EnvelopeState.QUEUED,
    age: timedelta = timedelta(hours=1),
    project: LinkageProject | None = None,
    types: tuple[str, ...] = ("BIRTHS", "HOSP"),
    **changes: Any,
) -> Envelope:
    """Make an Envelope with its chain; the first `ended` jobs have succeeded, the others are queued."""
    target, received = project or world.perinatal, timezone.now() - age
    envelope = Envelope.objects.create(
        **{
            "name": name,
            "state": state,
            "request_type": "SubmitLinkage",
            "project": target,
            "project_code": target.code,
            "sender_code": "WAHEALTH" if target == world.perinatal else "CANREG",
            "event_type_codes": list(types),
            "file_name": f"{name}.zip",
            "size_bytes": 12 * MIB,
            "received_at": received,
            "received_by": world.owner,
            **changes,
        }
    )
    rank = envelope.pk
    add_chain(envelope, rank, received, ended)
    if ended:
        envelope.processing_started_at = received + timedelta(seconds=2)
    if ended == len(CHAIN):
        envelope.processed_at = received + timedelta(seconds=74)
        envelope.records_count = 48_213
    envelope.save(update_fields=["processing_started_at", "processed_at", "records_count"])
    world.envelopes[name] = envelope
    return envelope


def _count_run(job: Job) -> None:
    """Add a run to what its Envelope ran."""
    Envelope.objects.filter(jobs=job).update(ran_s=F("ran_s") + seconds_of(job), running_since=None)


def start_job(job: Job, *, done: int = 620, total: int | None = 1000) -> None:
    """Make a queued job the running one, as a worker's claim does."""
    now = timezone.now()
    job.state, job.attempt, job.started_at = JobState.RUNNING, job.attempt + 1, now - timedelta(seconds=41)
    job.progress = progress_of(done, total)
    job.save()
    JobEvent.objects.create(
        job=job, attempt=job.attempt, left=JobState.QUEUED, entered=JobState.RUNNING, at=job.started_at
    )
    AuditMessage.objects.create(job=job, attempt=job.attempt, at=job.started_at, text=f"{job.kind} started.")
    QueueState.objects.update_or_create(pk=1, defaults={"active_envelope": job.envelope})
    Envelope.objects.filter(jobs=job, processing_started_at=None).update(processing_started_at=job.started_at)
    Envelope.objects.filter(jobs=job).update(running_since=job.started_at)


def progress_of(done: int, total: int | None) -> dict[str, Any]:
    """Return a running job's progress, 41 seconds into its stage."""
    now = timezone.now()
    return {
        "stage": "Scoring candidate pairs",
        "done": done * 1000,
        "total": None if total is None else total * 1000,
        "unit": "pairs",
        "stage_started_at": (now - timedelta(seconds=41)).isoformat(),
        "reported_at": now.isoformat(),
    }


def end_job(job: Job) -> None:
    """End the running job well."""
    job.state, job.ended_at, job.progress = JobState.SUCCESS, timezone.now(), {}
    job.statistics, job.peak_memory_bytes = STATISTICS[JobKind(job.kind)], 300 * MIB
    job.save()
    JobEvent.objects.create(
        job=job, attempt=job.attempt, left=JobState.RUNNING, entered=JobState.SUCCESS, at=timezone.now()
    )
    _count_run(job)


def fail_job(job: Job, message: str, *, end_reason: EndReason = EndReason.FAILED) -> None:
    """End a job in Errors, hold those behind it, and raise the Notification."""
    started = job.queued_at + timedelta(seconds=30)
    Job.objects.filter(pk=job.pk).update(
        state=JobState.ERRORS,
        end_reason=end_reason,
        error_message=message,
        errors_occurred=True,
        attempt=1,
        started_at=started,
        ended_at=started + timedelta(seconds=3),
    )
    job.refresh_from_db()
    JobEvent.objects.bulk_create(run_events(job, 1))
    _count_run(job)
    later = Job.objects.filter(envelope=job.envelope, chain_position__gt=job.chain_position)
    later.update(state=JobState.HELD)
    Envelope.objects.filter(jobs=job).update(
        state=EnvelopeState.ERRORS, errors_occurred=True, processed_at=started + timedelta(seconds=3)
    )
    notify(Envelope.objects.get(jobs=job), Severity.ERROR, message, job)


def notify(envelope: Envelope, severity: Severity, text: str, job: Job | None = None) -> None:
    """Raise a Notification."""
    Notification.objects.create(envelope=envelope, job=job, severity=severity, text=text, raised_at=timezone.now())


def seed_world() -> World:
    """Make a busy morning: Envelopes in every status, one of them processing, two waiting."""
    world = seed_people_and_projects()
    world.estimation = add_estimation(world.perinatal)
    world.extraction = add_extraction_project(world.perinatal, world.owner)
    world.result = add_results(world.extraction)
    _add_reported_months(world)
    _add_other_ends(world)
    add_envelope(world, "HOSP-2026-09", ended=3, age=timedelta(minutes=2))
    start_job(world.job("HOSP-2026-09", JobKind.MATCH))
    add_envelope(world, "HOSP-2026-10", age=timedelta(seconds=50))
    add_envelope(world, "BIRTHS-2026", age=timedelta(seconds=20))
    return world


def _add_reported_months(world: World) -> None:
    for month in range(1, 9):
        envelope = add_envelope(
            world,
            f"HOSP-2026-{month:02}",
            ended=len(CHAIN),
            state=EnvelopeState.SUCCESS,
            age=timedelta(days=20 - month),
        )
        EnvelopeReport.objects.create(
            envelope=envelope,
            statistics={"envelope": ENVELOPE_NUMBERS, "project": PROJECT_NUMBERS},
            plots=PLOTS,
            created_at=envelope.received_at + timedelta(seconds=74),
        )
    notify(
        envelope,
        Severity.WARNING,
        "births.csv: 3 of 48 213 rows were rejected (Worker.Load.MaxRejectedRows allows 10). "
        "Lines 112, 4 018 and 20 511: the Source Unique ID is empty.",
        world.job("HOSP-2026-08", JobKind.LOAD),
    )
    notify(envelope, Severity.INFO, "Match found 1 204 318 candidate pairs and kept 61 902.")


def _add_other_ends(world: World) -> None:
    done = len(CHAIN)
    add_envelope(world, "HOSP-2025-test", ended=done, state=EnvelopeState.ROLLED_BACK, age=timedelta(hours=26))
    add_envelope(
        world,
        "TUMOURS-2026",
        ended=done,
        state=EnvelopeState.SUCCESS,
        age=timedelta(hours=8),
        project=world.cancer,
        types=("TUMOURS", "TUMOURS"),
        received_by=world.stranger,
    )
    add_envelope(world, "BIRTHS-2025-late", ended=1, age=timedelta(hours=5))
    fail_job(
        world.job("BIRTHS-2025-late", JobKind.LOAD),
        "births.csv, line 8 211: the row has 11 columns, but Import Format CSV expects 12. "
        "Correct the row, or raise Worker.Load.MaxRejectedRows, and retry.",
    )
    _add_corrupt(world)
    ended_at = timezone.now() - timedelta(hours=2)
    cancelled = add_envelope(
        world,
        "HOSP-2026-09-draft",
        state=EnvelopeState.CANCELLED,
        age=timedelta(hours=2),
        processed_at=ended_at,
    )
    cancelled.jobs.update(state=JobState.ERRORS, end_reason=EndReason.CANCELLED, ended_at=ended_at)


def _add_corrupt(world: World) -> Envelope:
    at = timezone.now() - timedelta(hours=3)
    envelope = Envelope.objects.create(
        name="DEATHS-2026-Q1",
        state=EnvelopeState.CORRUPT,
        errors_occurred=True,
        file_name="deaths.zip",
        size_bytes=3 * MIB,
        received_at=at,
        received_by=world.owner,
        processed_at=at,
    )
    notify(
        envelope,
        Severity.ERROR,
        "manifest.xml lists deaths.csv, but the zip holds no such file. Add it, or correct the manifest, "
        "and pack again.",
    )
    world.envelopes[envelope.name] = envelope
    return envelope
