"""What the tests of records that come again, and of attaching and detaching, do with a small project."""

from linkwright.engine.updates import UpdateMode
from linkwright.services.attach_event_type import change_update_mode
from linkwright.services.roll_back_envelope import RollbackScope, roll_back_envelope
from linkwright.services.sweep_files import sweep_files
from linkwright.store.audit_log import COMMAND_LINE
from linkwright.store.models import Envelope, EnvelopeState, Job, JobKind, LinkageProject
from tests.integration.pipeline.conftest import Row, System


def person(identifier: str, given: str = "Anna", surname: str = "Berg", birth: str = "1980-01-02") -> Row:
    """Return a row of the small project's files."""
    return (identifier, given, surname, birth, "2000")


def set_mode(mode: UpdateMode, code: str = "ADM") -> None:
    """Say what is done with records that come again."""
    change_update_mode(LinkageProject.objects.get(code="P1"), code, COMMAND_LINE, updates=mode)


def roll_back(system: System, envelope: Envelope, scope: RollbackScope = RollbackScope.ALONE) -> None:
    """Roll an Envelope back, and delete what nothing names."""
    job = roll_back_envelope(envelope.pk, COMMAND_LINE, reason="a test", scope=scope)
    system.drain()
    job.refresh_from_db()
    envelope.refresh_from_db()
    assert envelope.state == EnvelopeState.ROLLED_BACK, job.error_message
    sweep_files(system.config)


def statistics(envelope: Envelope, kind: JobKind) -> dict[str, int]:
    """Return the statistics of an Envelope's job."""
    found: dict[str, int] = Job.objects.get(envelope=envelope, kind=kind).statistics
    return found


def groups(*members: str) -> set[frozenset[str]]:
    """Return groups of records with identifiers of one letter."""
    return {frozenset(group) for group in members}
