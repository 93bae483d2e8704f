"""Turns whatever stopped a job into a text that says what happened and what to do."""

import logging
import traceback
from dataclasses import dataclass
from pathlib import Path

from django.db import DatabaseError, InterfaceError, OperationalError

from linkwright.engine.identifying import identifying
from linkwright.envelopes.corruption import CorruptEnvelopeError
from linkwright.errors import LinkwrightError
from linkwright.store.models import Job

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Explanation:
    """What an operator is told; `corrupt`: the Envelope can never be used."""

    text: str
    corrupt: bool = False


def explain(error: Exception, job: Job) -> Explanation:
    """Explain an error; one that nobody foresaw is logged with its traceback as well."""
    if isinstance(error, LinkwrightError):
        text = str(error)
        if job.envelope is not None:
            # the name that people gave it, not the one that it is kept under
            text = text.replace(job.envelope.file_name, job.envelope.name)
        return Explanation(text, corrupt=isinstance(error, CorruptEnvelopeError))
    if isinstance(error, MemoryError):
        return Explanation(
            f"{job.kind} ran out of memory. Lower Worker.Memory.LimitMiB or free memory, then retry."
        )
    if isinstance(error, OSError):
        place = f" {error.filename}" if error.filename else ""
        return Explanation(
            f"{job.kind} could not read or write{place}: {error.strerror}. "
            "Free space or restore the file, then retry."
        )
    if isinstance(error, DatabaseError):
        said = str(error).strip()
        # other than a lost connection, it can quote the row that it refused
        said = said if isinstance(error, OperationalError | InterfaceError) else identifying(said)
        return Explanation(f"{job.kind} lost the database: {said}. Check that it runs, then retry.")
    logger.error("job %s failed in a way that nobody foresaw", job.pk, exc_info=error)
    where = traceback.extract_tb(error.__traceback__)[-1]
    return Explanation(
        f"{job.kind} stopped with an error that nobody foresaw: {type(error).__name__}: "
        f"{identifying(str(error))} ({Path(where.filename).name}:{where.lineno}). The Envelope has changed "
        "nothing. Retry the job; if it fails again, report this text."
    )
