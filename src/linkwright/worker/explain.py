"""Turns whatever stopped a job into a text that says what happened and what to do."""

import logging
import traceback
from dataclasses import dataclass
from pathlib import Path

from django.db import DatabaseError, InterfaceError, OperationalError

from linkwright.config import load_config
from linkwright.engine.identifying import identifying
from linkwright.envelopes.corruption import CorruptEnvelopeError, PackageAccessError
from linkwright.errors import LinkwrightError
from linkwright.services.find_damage import find_damage
from linkwright.store.models import Job
from linkwright.warehouse.connection import damaged_text

NAMED_COUNT = 5

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Explanation:
    """What an operator is told; `corrupt`: the Envelope can never be used."""

    text: str
    corrupt: bool = False


def explain(error: Exception, job: Job) -> Explanation:
    """Explain an error; one that nobody foresaw is logged with its traceback as well."""
    if isinstance(error, LinkwrightError):
        return _told(error, job)
    if isinstance(error, DatabaseError):
        return Explanation(_database_text(error, job))
    if isinstance(error, MemoryError):
        return Explanation(
            f"{job.kind} ran out of memory. Lower Worker.Memory.LimitMiB or free memory, then retry."
        )
    # Arrow says with an OSError of its own, without a number, that it cannot make sense of a file
    if isinstance(error, OSError) and error.errno is not None:
        place = f" {error.filename}" if error.filename else ""
        return Explanation(
            f"{job.kind} could not read or write{place}: {error.strerror}. "
            "Free space or restore the file from a backup, then retry."
        )
    logger.error("job %s failed in a way that nobody foresaw", job.pk, exc_info=error)
    damaged = _damaged(job)
    if damaged:
        return Explanation(f"{job.kind} could not go on. {damaged}")
    where = traceback.extract_tb(error.__traceback__)[-1]
    return Explanation(
        f"{job.kind} stopped with an error that nobody foresaw: {type(error).__name__}: "
        f"{identifying(str(error))} ({Path(where.filename).name}:{where.lineno}). Nothing was changed. "
        "Retry the job; if it fails again, report this text."
    )


def _told(error: LinkwrightError, job: Job) -> Explanation:
    text, envelope = str(error), job.envelope
    if envelope is not None and isinstance(error, PackageAccessError):
        # here the name that it is kept under is needed: it is what has to be put back
        text = f"{envelope.name}: {text} A backup holds it; or submit the Envelope again."
    elif envelope is not None and envelope.file_name:
        # the name that people gave it, not the one that it is kept under
        text = text.replace(envelope.file_name, envelope.name)
    return Explanation(text, corrupt=isinstance(error, CorruptEnvelopeError))


def _database_text(error: DatabaseError, job: Job) -> str:
    told = str(error).strip()
    if "locked" in told:
        return (
            f"{job.kind} could not write to the database: another program held it for too long ({told}). End what "
            "else writes to it or copies it, then retry."
        )
    # other than a lost connection, it can quote the row that it refused
    told = told if isinstance(error, OperationalError | InterfaceError) else identifying(told)
    return f"{job.kind} lost the database: {told}. Check that it runs, then retry."


def _damaged(job: Job) -> str:
    """Say which files of the job's project are damaged, or ''. Libraries do not always say which one they read."""
    project = job.project
    if project is None:
        return ""
    try:
        found = find_damage(load_config(), project)
    except Exception:
        logger.exception("the files of %s could not be looked at", project)
        return ""
    told = [damaged_text(one.path, one.reason) for one in found[:NAMED_COUNT]]
    more = [f"And {len(found) - NAMED_COUNT:,} more files."] if len(found) > NAMED_COUNT else []
    return " ".join([*told, *more])
