"""What every job is given, and what it gives back."""

import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from linkwright.config import ServerConfig
from linkwright.engine.progress import ReportProgress
from linkwright.envelopes.limits import MIB, PackageLimits
from linkwright.envelopes.manifest import RequestType
from linkwright.errors import LinkwrightError
from linkwright.store import batch_catalog
from linkwright.store.models import Batch, BatchKind, Envelope, Job, LinkageProject, Severity
from linkwright.store.settings import read_setting
from linkwright.warehouse.limits import EngineLimits
from linkwright.warehouse.live_files import LiveFiles

# in the parameters of a Rollback job: the ids of the Envelopes that it undoes
UNDONE_ENVELOPES = "envelopes"


class JobError(LinkwrightError):
    """The job cannot do its work; the text says what to mend before a retry."""


class WriteAudit(Protocol):
    """Adds one timed line to the job's audit messages, at once."""

    def __call__(self, text: str, /) -> None: ...


class RaiseNotification(Protocol):
    """Keeps a Notification, to be stored when the job ends, well or not."""

    def __call__(self, severity: Severity, text: str, /) -> None: ...


@dataclass(frozen=True)
class JobContext:
    """The job at hand, the folders it may use, and the ways in which it speaks."""

    job: Job
    config: ServerConfig
    report: ReportProgress
    audit: WriteAudit
    notify: RaiseNotification

    @property
    def envelope(self) -> Envelope:
        """The Envelope that the job belongs to."""
        if self.job.envelope is None:
            raise JobError(
                f"Job {self.job.pk} ({self.job.kind}) belongs to no Envelope. Submit the Envelope again."
            )
        return self.job.envelope

    @property
    def project(self) -> LinkageProject:
        """The project that the job works on."""
        project = self.job.project if self.job.envelope is None else self.envelope.project
        if project is None:
            raise JobError(
                f"Project {self.job.project_code!r} is unknown. Retry Validate, or submit the Envelope again."
            )
        return project

    @property
    def envelope_path(self) -> Path:
        """The received Envelope on disk."""
        return self.config.incoming_folder / self.envelope.file_name

    @property
    def project_folder(self) -> Path:
        """The folder of the project's batches, made on first use."""
        folder = project_folder(self.config, self.project)
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return folder

    def paths(self, batches: Iterable[Batch]) -> tuple[Path, ...]:
        """Return where the files of batches lie, in the same order."""
        folder = self.project_folder
        return tuple(folder / batch.file_name for batch in batches)

    def live_files(self) -> LiveFiles:
        """Return the project's live data, without what this Envelope has brought."""
        return LiveFiles(
            *(
                self.paths(batch_catalog.held_batches(self.envelope, kind))
                for kind in (BatchKind.RECORDS, BatchKind.PAIRS, BatchKind.ASSIGNMENTS, BatchKind.ENDS)
            )
        )

    @property
    def scratch_folder(self) -> Path:
        """A folder of this attempt alone; emptied by whoever runs the job."""
        return attempt_scratch_folder(self.config, self.job)

    @property
    def attempts_folder(self) -> Path:
        """What one attempt leaves to the next, if it is killed; deleted when the job ends."""
        return attempts_folder(self.config, self.job)

    @property
    def stem(self) -> str:
        """The start of the names of this attempt's files: no attempt ever writes over another's."""
        owner = "s" if self.job.envelope is None else f"e{self.job.envelope.pk}"
        return f"{owner}-j{self.job.pk}-a{self.job.attempt}"

    @property
    def limits(self) -> EngineLimits:
        """What the computations of this job may use."""
        return engine_limits(self.scratch_folder)


@dataclass(frozen=True)
class JobResult:
    """What a job asks to have committed together with its own end."""

    statistics: Mapping[str, Any] = field(default_factory=dict)
    # writes rows only; runs inside the transaction that ends the job
    commit: Callable[[], None] = lambda: None


def is_estimation(envelope: Envelope) -> bool:
    """Tell whether an Envelope's data is for an estimation only: it is not linked, and nothing of it is kept."""
    return envelope.request_type == RequestType.ESTIMATE_PROBABILITIES


def project_folder(config: ServerConfig, project: LinkageProject) -> Path:
    """Return the folder of a project's batches: by key, so that no code ever becomes a path."""
    return config.warehouse_folder / f"project-{project.pk}"


def attempt_scratch_folder(config: ServerConfig, job: Job) -> Path:
    """Return the scratch folder of one attempt of one job."""
    return config.scratch_folder / f"job-{job.pk}-attempt-{job.attempt}"


def attempts_folder(config: ServerConfig, job: Job) -> Path:
    """Return the folder of what all attempts of a job share, so that one goes on where another was killed."""
    return config.scratch_folder / f"parts-job-{job.pk}"


def engine_limits(scratch_folder: Path) -> EngineLimits:
    """Return what a computation may use, by the Settings in force and the machine's processors."""
    return EngineLimits(
        scratch_folder=scratch_folder,
        memory_mib=int(read_setting("Worker.Memory.LimitMiB")),
        threads=max(1, os.cpu_count() or 1),
    )


def package_limits() -> PackageLimits:
    """Return how large an Envelope may be, by the Settings in force."""
    return PackageLimits(
        max_size_bytes=int(read_setting("Envelope.MaxSizeMiB")) * MIB,
        max_compression_ratio=float(read_setting("Envelope.MaxCompressionRatio")),
    )
