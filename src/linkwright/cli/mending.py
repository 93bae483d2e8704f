"""Commands that steer what is queued or has failed: retry a job, cancel an Envelope or a job of none."""

from typing import Annotated

import typer

from linkwright.cli.waiting import say_queued
from linkwright.config import load_config
from linkwright.services.cancel_envelope import cancel_envelope
from linkwright.services.cancel_job import cancel_job
from linkwright.services.prepare_database import prepare_database
from linkwright.services.retry_job import retry_job
from linkwright.store.audit_log import COMMAND_LINE
from linkwright.store.models import Envelope, EnvelopeState, Job

JobArgument = Annotated[int, typer.Argument(help="The job's number, as the list of all jobs shows it.")]
ReasonOption = Annotated[str, typer.Option(help="Why; it stands in the audit log.")]


def retry_job_command(job_id: JobArgument) -> None:
    """Queue a failed job at the front as a new attempt, with the held jobs of its Envelope behind it."""
    prepare_database(load_config())
    say_queued(retry_job(job_id, COMMAND_LINE))


def cancel_envelope_command(
    envelope_id: Annotated[int, typer.Argument(help="The Envelope's id, as `linkwright status` shows it.")],
    reason: ReasonOption = "",
) -> None:
    """Cancel a queued or running Envelope; it leaves nothing behind."""
    prepare_database(load_config())
    cancel_envelope(envelope_id, COMMAND_LINE, reason)
    envelope = Envelope.objects.get(pk=envelope_id)
    _say_cancelled(str(envelope), is_over=envelope.state == EnvelopeState.CANCELLED)


def cancel_job_command(job_id: JobArgument, reason: ReasonOption = "") -> None:
    """Cancel a queued or running job that belongs to no Envelope; it leaves nothing behind."""
    prepare_database(load_config())
    cancel_job(job_id, COMMAND_LINE, reason)
    job = Job.objects.get(pk=job_id)
    _say_cancelled(str(job), is_over=job.ended_at is not None)


def _say_cancelled(what: str, *, is_over: bool) -> None:
    state = "is cancelled" if is_over else "is being cancelled: it stops within seconds"
    typer.echo(f"{what} {state}.")
