"""Rolling an Envelope back from the page: what it would undo, the two offers, the reason."""

import pytest
from django.test import Client

from linkwright.store.models import (
    AuditLogEntry,
    Envelope,
    EnvelopeState,
    Job,
    JobKind,
    LinkageProject,
    Membership,
    Role,
    User,
)
from tests.integration.pipeline.acting import delete, review
from tests.integration.pipeline.conftest import Row, System, system, without_drawing
from tests.integration.web.conftest import SignIn
from tests.integration.web.test_jobs_tab import words_of

__all__ = ["system", "without_drawing"]

pytestmark = pytest.mark.usefixtures("without_drawing")

ANNA: Row = ("a1", "Anna", "Berg", "1980-01-02", "2000")
BEN: Row = ("b1", "Ben", "Cole", "1975-05-06", "2010")
CLEO: Row = ("c1", "Cleo", "Dunn", "1990-09-10", "2020")


@pytest.fixture
def operator(system: System, sign_in: SignIn) -> Client:
    """Return the browser of an Operator of the project, in which two Envelopes were loaded."""
    for name, rows in (("first", [ANNA]), ("second", [BEN, CLEO])):
        assert system.load(name, rows).state == EnvelopeState.SUCCESS
    user = User.objects.create(username="operator")
    Membership.objects.create(user=user, project=LinkageProject.objects.get(code="P1"), role=Role.OPERATOR)
    return sign_in(user)


def _path(name: str) -> str:
    return f"/jobs/envelopes/{Envelope.objects.get(name=name).pk}/rollback/"


def test_the_dialog_says_what_the_rollback_would_undo_and_offers_the_later_ones(operator: Client) -> None:
    latest = operator.get(_path("second")).content.decode()
    assert "2 records with their pairs and groups" in words_of(latest)
    assert 'name="scope"' not in latest
    earlier = operator.get(_path("first")).content.decode()
    words = words_of(earlier)
    assert "1 record with its pairs and groups" in words
    assert "1 Envelope of the project was processed after it: second 2 records" in words
    assert "This one alone; the groups that it touched are worked out anew" in words
    assert "This one and all later ones: 2 more records" in words
    assert "This cannot be undone." in words


def test_the_quality_reviews_that_go_with_it_are_listed_however_many_envelopes_came_since(
    operator: Client, system: System
) -> None:
    review(system, "a1>x", "b1>y", name="twins, as the mother says")
    for number in range(11):
        delete(system, f"none{number}", name=f"later{number}")
    words = words_of(operator.get(_path("first")).content.decode())
    assert "13 Envelopes of the project were processed after it: later10" in words
    assert (
        "1 Quality Review made since is undone with it, whichever you choose: twins, as the mother says" in words
    )
    assert "2 records" in words[words.index("twins, as the mother says") :]
    none = words_of(operator.get(_path("later3")).content.decode())
    assert "Quality Review" not in none


def test_a_rollback_without_a_reason_is_refused_and_with_one_is_queued_as_a_job(
    operator: Client, system: System
) -> None:
    refused = operator.post(_path("first"), {"reason": " ", "scope": "with_later"})
    assert refused.status_code == 409
    assert "A rollback needs a reason" in refused.content.decode()
    assert not Job.objects.filter(kind=JobKind.ROLLBACK).exists()
    operator.post(_path("first"), {"reason": "the wrong month", "scope": "with_later"})
    assert Job.objects.get(kind=JobKind.ROLLBACK).state == "Queued"
    assert AuditLogEntry.objects.filter(user__username="operator", reason="the wrong month").count() == 1
    system.drain()
    assert set(Envelope.objects.values_list("state", flat=True)) == {EnvelopeState.ROLLED_BACK}
