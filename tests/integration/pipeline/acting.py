"""What tests do with the small project P1: delete, review and roll back, and look at what is left."""

from collections.abc import Iterable

from linkwright.envelopes.manifest import RequestType
from linkwright.services.roll_back_envelope import RollbackScope, roll_back_envelope
from linkwright.services.sweep_files import sweep_files
from linkwright.store.audit_log import COMMAND_LINE
from linkwright.store.models import Envelope, EnvelopeState, Job, JobKind
from tests.integration.pipeline.conftest import Row, System


def person(identifier: str, given: str = "Anna", surname: str = "Berg", birth: str = "1980-01-02") -> Row:
    """Return a row of the small project's files."""
    return (identifier, given, surname, birth, "2000")


# b is like both a and c, which are not like each other: it holds their group together
A, B, C = person("a", "Anna", "Berg"), person("b", "Anna", "Cole"), person("c", "Carl", "Cole")


def send(system: System, name: str, request_type: RequestType, lines: Iterable[str]) -> Envelope:
    """Submit an Envelope that lists records of ADM, and process it."""
    content = {"ADM": "".join(f"{line}\n" for line in lines).encode()}
    envelope = system.submit(system.build_raw(name, content, request_type=request_type))
    system.drain()
    envelope.refresh_from_db()
    return envelope


def delete(system: System, *identifiers: str, name: str = "deletion") -> Envelope:
    """Delete records by Envelope."""
    return send(system, name, RequestType.SUBMIT_DELETION, identifiers)


def review(system: System, *moves: str, name: str = "review") -> Envelope:
    """Move records: `a>x` moves the record a to the target group x."""
    lines = [f"P1,{identifier},ADM,{target}" for identifier, target in (move.split(">") for move in moves)]
    return send(system, name, RequestType.SUBMIT_QUALITY_REVIEW, lines)


def roll_back(system: System, envelope: Envelope, scope: RollbackScope = RollbackScope.ALONE) -> Job:
    """Roll an Envelope back, and delete what nothing names; returns the job."""
    job = roll_back_envelope(envelope.pk, COMMAND_LINE, reason="a test", scope=scope)
    system.drain()
    job.refresh_from_db()
    envelope.refresh_from_db()
    assert envelope.state == EnvelopeState.ROLLED_BACK, job.error_message
    sweep_files(system.config)
    return job


def statistics(envelope: Envelope, kind: JobKind) -> dict[str, int]:
    """Return the statistics of an Envelope's job."""
    found: dict[str, int] = Job.objects.get(envelope=envelope, kind=kind).statistics
    return found


def groups(*members: str) -> set[frozenset[str]]:
    """Return groups of records with identifiers of one letter."""
    return {frozenset(group) for group in members}
