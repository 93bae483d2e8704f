"""An Envelope for a project of others: to its sender the project is one that does not exist, to the end."""

import pytest

from linkwright.services.receive_envelope import receive_envelope
from linkwright.services.retry_job import retry_job, why_not_retry
from linkwright.store.audit_log import COMMAND_LINE, Actor
from linkwright.store.models import (
    Envelope,
    EnvelopeState,
    Job,
    JobState,
    LinkageProject,
    Membership,
    Notification,
    Role,
    User,
)
from tests.integration.pipeline.conftest import PROJECT_YAML, System

ROWS = [("a1", "Anna", "Archer", "1980-01-02", "6000"), ("a2", "Ben", "Baker", "1981-03-04", "6001")]
SECOND_PROJECT = """
projects:
  - {code: OWN, name: The sender's own, event_types: [ADM]}
"""


@pytest.fixture
def stranger(system: System) -> User:
    """Return the Owner of another project."""
    system.apply(PROJECT_YAML.replace("\nprojects:", SECOND_PROJECT.rstrip()))
    user = User.objects.create(username="stranger")
    Membership.objects.create(user=user, project=LinkageProject.objects.get(code="OWN"), role=Role.OWNER)
    return user


def _send(system: System, sender: User, project: str) -> Envelope:
    path = system.build(f"for-{project}", ROWS, project=project)
    envelope = receive_envelope(path, name="mine", actor=Actor(sender, "10.0.0.9"))
    system.drain()
    envelope.refresh_from_db()
    return envelope


def _failed(envelope: Envelope) -> Job:
    return Job.objects.get(envelope=envelope, state=JobState.ERRORS)


def test_it_is_refused_in_the_words_of_an_unknown_code(system: System, stranger: User) -> None:
    foreign, unknown = _send(system, stranger, "P1"), _send(system, stranger, "P9")
    texts = [Notification.objects.get(envelope=one).text for one in (foreign, unknown)]
    assert "Linkage Project 'P1' is unknown" in texts[0]
    assert texts[0] == texts[1].replace("P9", "P1")
    assert {foreign.state, unknown.state} == {EnvelopeState.ERRORS}
    assert (foreign.project, _failed(foreign).project) == (None, None)
    assert system.groups() == set()


def test_what_runs_in_that_project_does_not_show_in_its_retry(system: System, stranger: User) -> None:
    foreign, unknown = _send(system, stranger, "P1"), _send(system, stranger, "P9")
    system.load("secret", ROWS)
    assert why_not_retry(_failed(foreign)) == why_not_retry(_failed(unknown)) == ""
    retry_job(_failed(foreign).pk, Actor(stranger, "10.0.0.9"))
    system.drain()
    assert "Linkage Project 'P1' is unknown" in Notification.objects.filter(envelope=foreign).latest("pk").text


def test_it_keeps_nobody_of_that_project_from_retrying(system: System, stranger: User) -> None:
    failed = system.load("odd", [*ROWS, ("", "Carl", "Cook", "1982-05-06", "6002")])
    _send(system, stranger, "P1")
    assert why_not_retry(_failed(failed)) == ""


def test_whoever_becomes_a_member_can_retry_it(system: System, stranger: User) -> None:
    foreign = _send(system, stranger, "P1")
    Membership.objects.create(user=stranger, project=LinkageProject.objects.get(code="P1"), role=Role.OPERATOR)
    retry_job(_failed(foreign).pk, Actor(stranger, "10.0.0.9"))
    system.drain()
    foreign.refresh_from_db()
    assert foreign.state == EnvelopeState.SUCCESS
    assert foreign.project is not None
    assert len(system.group_ids()) == 2


def test_an_unknown_project_that_is_made_later_can_be_retried(system: System) -> None:
    envelope = receive_envelope(system.build("early", ROWS, project="OWN"), name="", actor=COMMAND_LINE)
    system.drain()
    system.apply(PROJECT_YAML.replace("\nprojects:", SECOND_PROJECT.rstrip()))
    retry_job(_failed(envelope).pk, COMMAND_LINE)
    system.drain()
    envelope.refresh_from_db()
    assert envelope.state == EnvelopeState.SUCCESS
