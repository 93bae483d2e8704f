"""Waits on the terminal for a job to end."""

import time

import typer

from linkwright.services.queue_status import worker_is_alive
from linkwright.store.models import Job, JobState

EXIT_NOT_SUCCESS = 1
POLL_S = 0.3


def say_queued(job: Job) -> None:
    """Say that a job is queued, and what it waits for if nobody is there to run it."""
    typer.echo(f"{job}: Queued")
    if not worker_is_alive():
        typer.echo("No worker is running: the job waits until one is started with `linkwright worker`.")


def await_success(job: Job) -> None:
    """Wait for a job; one that fails ends the command with its message and exit code 1."""
    while job.state in (JobState.QUEUED, JobState.RUNNING):
        time.sleep(POLL_S)
        job.refresh_from_db()
    typer.echo(f"{job}: {job.get_state_display()}")
    if job.state != JobState.SUCCESS:
        typer.echo(job.error_with_values or job.error_message)
        raise typer.Exit(EXIT_NOT_SUCCESS)
