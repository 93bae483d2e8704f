"""Says when the worker sweeps: whenever something may have been left or given up, and not otherwise."""

from linkwright.config import ServerConfig
from linkwright.services.sweep_files import empty_write_ahead_log, sweep_files
from linkwright.store.models import Envelope, EnvelopeState, Job, JobKind, JobState
from linkwright.worker.supervise import Ended


class Housekeeping:
    """What one worker remembers between its looks.

    Args:
        config: of this server.
    """

    def __init__(self, config: ServerConfig) -> None:
        self._config = config
        self._cancelled_count: int | None = None

    def before_claim(self) -> None:
        """Sweep everything when the worker takes over, and once Envelopes were cancelled or cleared.

        These are settled by the page or command that asks for it, as long as none of their jobs runs.
        """
        cancelled_count = Envelope.objects.filter(state=EnvelopeState.CANCELLED).count()
        if cancelled_count != self._cancelled_count:
            sweep_files(self._config)
            self._cancelled_count = cancelled_count

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
