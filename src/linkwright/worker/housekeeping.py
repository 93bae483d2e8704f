"""Says when the worker sweeps: whenever something may have been left or given up, and not otherwise."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from django.db.models import Max

from linkwright.config import ServerConfig
from linkwright.services.sweep_files import empty_write_ahead_log, sweep_files, sweep_results
from linkwright.services.sweep_sign_ins import sweep_sign_ins
from linkwright.services.upload_folder import sweep_uploads
from linkwright.services.waiting_data_file import sweep_waiting
from linkwright.store.models import AuditLogEntry, Envelope, EnvelopeState, Job, JobKind, JobState
from linkwright.worker.supervise import Ended

RESULTS_EVERY_S = 60.0
SWEEP_WAITING_EVERY_S = 3600.0
LOOK_AGAIN_EVERY_S = 60.0
SWEEP_SIGN_INS_EVERY_S = 3600.0


@dataclass
class Periodic:
    """What is done from time to time, by an idle worker too.

    Args:
        every_s: how long to wait until it is done again.
        act: what is done.
        done_s: when it was last done, on the monotonic clock; None: it is due at once.
    """

    every_s: float
    act: Callable[[ServerConfig], object]
    done_s: float | None = field(default=None)

    def act_if_due(self, config: ServerConfig) -> None:
        """Do it if its time has come."""
        now_s = time.monotonic()
        if self.done_s is None or now_s - self.done_s > self.every_s:
            self.act(config)
            self.done_s = now_s


class Housekeeping:
    """What one worker remembers between its looks.

    Args:
        config: of this server.
    """

    def __init__(self, config: ServerConfig) -> None:
        self._config = config
        self._last_action: int | None = None
        self._cancelled_count: int | None = None
        self._periodic = (
            # results of extractions expire
            Periodic(RESULTS_EVERY_S, sweep_results),
            # uploaded data files that nobody confirms
            Periodic(SWEEP_WAITING_EVERY_S, sweep_waiting),
            # of two actions at once, the earlier entry may be committed after the later one was seen
            Periodic(LOOK_AGAIN_EVERY_S, self._forget_last_action),
            # uploads in slices that nobody goes on with
            Periodic(SWEEP_WAITING_EVERY_S, sweep_uploads),
            Periodic(SWEEP_SIGN_INS_EVERY_S, sweep_sign_ins),
        )

    def before_claim(self) -> None:
        """Sweep everything when the worker takes over, and once Envelopes were cancelled or cleared.

        These are settled by the page or command that asks for it, as long as none of their jobs runs.
        """
        for periodic in self._periodic:
            periodic.act_if_due(self._config)
        last_action = AuditLogEntry.objects.aggregate(last=Max("pk"))["last"] or 0
        if last_action == self._last_action:
            # an idle worker asks ten times a second, and whoever cancels stands in the audit log
            return
        self._last_action = last_action
        cancelled_count = Envelope.objects.filter(state=EnvelopeState.CANCELLED).count()
        if cancelled_count != self._cancelled_count:
            sweep_files(self._config)
            self._cancelled_count = cancelled_count

    def _forget_last_action(self, _config: ServerConfig) -> None:
        self._last_action = None

    def after_job(self, job: Job, ended: Ended) -> None:
        """Sweep the job's project, unless the job ended well and its chain goes on.

        The last job of a chain that ended well sweeps as well: what an earlier, failed Envelope of the project had
        left for a retry has been given up by this one.
        """
        job = Job.objects.select_related("envelope", "project").get(pk=job.pk)
        goes_on = job.envelope is not None and job.envelope.state == EnvelopeState.QUEUED
        if ended is Ended.BY_ITSELF and job.state == JobState.SUCCESS and goes_on:
            return
        sweep_files(self._config, job.project)
        if job.kind in (JobKind.ROLLBACK, JobKind.PURGE):
            empty_write_ahead_log()
