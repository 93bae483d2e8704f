"""Deciding about a group on its page: it becomes an Envelope, binds, is told on the page, and can be undone."""

import csv
import zipfile
from collections.abc import Iterable

import pytest

from linkwright.errors import LinkwrightError
from linkwright.services.look_at_group import LookedAtGroup, look_at_group
from linkwright.services.review_group import GroupReview, ReviewDecision, ReviewRefusedError, review_group
from linkwright.services.roll_back_envelope import RollbackScope, roll_back_envelope
from linkwright.store.audit_log import Actor
from linkwright.store.models import (
    AttachedEventType,
    AuditLogEntry,
    Envelope,
    EnvelopeState,
    LinkageProject,
    Membership,
    Role,
    User,
)
from linkwright.store.permissions import Permission
from tests.integration.pipeline.conftest import Row, System, system, without_drawing

__all__ = ["system", "without_drawing"]

pytestmark = pytest.mark.usefixtures("without_drawing")

PEOPLE: list[Row] = [
    ("a1", "Anna", "Berg", "1980-01-02", "2000"),
    ("a2", "Anna", "Berg", "1980-01-02", "2000"),
    ('a,"3', "Anna", "Berg", "1980-01-02", "2000"),
    ("a5", "Ben", "Low", "1971-05-06", "2010"),
]
WHY = "twins: both were born at Saint Mary's"


@pytest.fixture
def linked(system: System) -> System:
    """Return a project with a group of three and a group of one."""
    assert system.load("first", PEOPLE).state == EnvelopeState.SUCCESS
    assert system.groups() == {frozenset({"a1", "a2", 'a,"3'}), frozenset({"a5"})}
    return system


@pytest.fixture
def reviewer(linked: System) -> Actor:
    """Return a person who may review, and not submit."""
    return person(Role.REVIEWER)


def person(role: Role) -> Actor:
    """Make a member of the project."""
    user = User.objects.create(username=role.value.lower())
    Membership.objects.create(user=user, project=LinkageProject.objects.get(code="P1"), role=role)
    return Actor(user, "192.0.2.7")


def decide(
    system: System,
    actor: Actor,
    decision: ReviewDecision,
    chosen: Iterable[int] = (),
    *,
    group_id: int = 1,
    seen: Iterable[int] = (1, 2, 3),
    other: int | None = None,
    reason: str = WHY,
) -> Envelope:
    """Decide about a group, by default the one of records 1, 2 and 3."""
    review = GroupReview(group_id, frozenset(seen), decision, frozenset(chosen), other, reason)
    return review_group(system.config, actor, "P1", review)


def look(system: System, actor: Actor, group_id: int = 1) -> LookedAtGroup:
    """Look at a group."""
    return look_at_group(system.config, actor, "P1", group_id)


def test_records_are_taken_out_by_an_envelope_in_the_queue(linked: System, reviewer: Actor) -> None:
    envelope = decide(linked, reviewer, ReviewDecision.TAKE_OUT, [2, 3])
    assert (envelope.name, envelope.request_type) == ("Review of group 1", "SubmitQualityReview")
    assert envelope.received_by == reviewer.user
    assert linked.groups() == {frozenset({"a1", "a2", 'a,"3'}), frozenset({"a5"})}
    assert [one.pk for one in look(linked, reviewer).queued_reviews] == [envelope.pk]
    linked.drain()
    assert linked.groups() == {frozenset({"a1"}), frozenset({"a2", 'a,"3'}), frozenset({"a5"})}
    assert look(linked, reviewer).queued_reviews == ()


def test_each_chosen_record_leaves_for_itself(linked: System, reviewer: Actor) -> None:
    decide(linked, reviewer, ReviewDecision.EACH_APART, [1, 2, 3])
    linked.drain()
    assert linked.groups() == {frozenset({"a1"}), frozenset({"a2"}), frozenset({'a,"3'}), frozenset({"a5"})}


def test_two_groups_are_joined(linked: System, reviewer: Actor) -> None:
    other = linked.group_ids()["a5"]
    envelope = decide(linked, reviewer, ReviewDecision.TOGETHER, other=other)
    assert envelope.name == f"Review of groups 1 and {other}"
    linked.drain()
    assert linked.groups() == {frozenset({"a1", "a2", 'a,"3', "a5"})}


def test_the_envelope_is_a_batch_quality_review(linked: System, reviewer: Actor) -> None:
    envelope = decide(linked, reviewer, ReviewDecision.TAKE_OUT, [3])
    with zipfile.ZipFile(linked.config.incoming_folder / envelope.file_name) as package:
        rows = list(csv.reader(package.read("review.csv").decode().splitlines()))
    assert rows == [["P1", 'a,"3', "ADM", "taken out"]]


def test_a_decision_binds_what_is_loaded_later(linked: System, reviewer: Actor) -> None:
    decide(linked, reviewer, ReviewDecision.TAKE_OUT, [1])
    linked.drain()
    linked.load("second", [("b9", "Anna", "Berg", "1980-01-02", "2000")])
    groups = linked.group_ids()
    assert groups["a1"] != groups["a2"]


def test_a_decision_can_be_rolled_back(linked: System, reviewer: Actor) -> None:
    before = linked.group_ids()
    envelope = decide(linked, reviewer, ReviewDecision.EACH_APART, [2])
    linked.drain()
    assert linked.group_ids() != before
    roll_back_envelope(envelope.pk, person(Role.OWNER), reason="not twins", scope=RollbackScope.ALONE)
    linked.drain()
    assert linked.group_ids() == before
    assert look(linked, reviewer).reviews == ()


def test_the_group_tells_who_decided_when_and_why(linked: System, reviewer: Actor) -> None:
    envelope = decide(linked, reviewer, ReviewDecision.TAKE_OUT, [3])
    linked.drain()
    (review,) = look(linked, reviewer).reviews
    assert (review.envelope.pk, review.envelope.reason) == (envelope.pk, WHY)
    assert review.envelope.received_by == reviewer.user
    told = {(one.record_ids, one.is_together, one.holds) for one in review.decisions}
    assert told == {((1, 3), False, True), ((2, 3), False, True)}


def test_reasons_name_people_and_are_for_those_who_see_values(linked: System, reviewer: Actor) -> None:
    decide(linked, reviewer, ReviewDecision.TAKE_OUT, [3])
    linked.drain()
    assert look(linked, reviewer).shows_reasons
    assert not look(linked, person(Role.VIEWER)).shows_reasons


def test_of_two_decisions_about_the_same_records_the_newer_is_told(linked: System, reviewer: Actor) -> None:
    decide(linked, reviewer, ReviewDecision.TAKE_OUT, [3])
    linked.drain()
    other = linked.group_ids()['a,"3']
    decide(linked, reviewer, ReviewDecision.TOGETHER, seen=[1, 2], other=other, reason="one person after all")
    linked.drain()
    assert frozenset({"a1", "a2", 'a,"3'}) in linked.groups()
    newest, oldest = look(linked, reviewer).reviews
    assert {(one.record_ids, one.is_together) for one in newest.decisions} == {((1, 2), True), ((2, 3), True)}
    assert [(one.record_ids, one.holds) for one in oldest.decisions] == [((1, 3), False)]


def test_a_decision_is_in_the_audit_log_and_its_reason_not_in_the_history_of_the_queue(
    linked: System, reviewer: Actor
) -> None:
    envelope = decide(linked, reviewer, ReviewDecision.TAKE_OUT, [3])
    entry = AuditLogEntry.objects.get(action="review group")
    assert (entry.user, entry.target, entry.reason, entry.project_code) == (reviewer.user, "group 1", WHY, "P1")
    assert entry.detail["envelope"] == envelope.pk
    assert entry.detail["records"] == ['ADM:a,"3']
    submitted = AuditLogEntry.objects.get(action="submit Envelope", user=reviewer.user)
    assert (submitted.reason, submitted.is_steering) == ("", True)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"reason": "  "}, "Give a reason"),
        ({"reason": "x" * 501}, "at most 500"),
        ({"chosen": []}, "Choose the records"),
        ({"chosen": [4]}, "Choose the records"),
        ({"chosen": [1, 2, 3]}, "none would be left"),
        ({"seen": [1, 2]}, "has changed since you looked"),
        ({"group_id": 99, "seen": []}, "has changed since you looked"),
        ({"decision": ReviewDecision.TOGETHER, "other": 1}, "no other group 1"),
        ({"decision": ReviewDecision.TOGETHER, "other": 2**70}, "no other group"),
        ({"decision": ReviewDecision.TOGETHER, "group_id": 2, "seen": [4]}, "Name a group to join it with"),
        (
            {"decision": ReviewDecision.EACH_APART, "chosen": [4], "group_id": 2, "seen": [4]},
            "nothing to take apart",
        ),
    ],
)
def test_what_cannot_be_meant_is_refused_and_queues_nothing(
    linked: System, reviewer: Actor, changes: dict[str, object], said: str
) -> None:
    asked: dict[str, object] = {"decision": ReviewDecision.TAKE_OUT, "chosen": [3], **changes}
    with pytest.raises(ReviewRefusedError, match=said):
        decide(linked, reviewer, **asked)  # type: ignore[arg-type]
    assert Envelope.objects.count() == 1
    assert len(list(linked.config.incoming_folder.iterdir())) == 1


def test_who_may_not_review_is_refused(linked: System) -> None:
    with pytest.raises(ReviewRefusedError, match="permission 'review'"):
        decide(linked, person(Role.OPERATOR), ReviewDecision.TAKE_OUT, [3])


def test_an_api_key_that_is_narrowed_may_not_review(linked: System, reviewer: Actor) -> None:
    narrowed = Actor(reviewer.user, "192.0.2.7", frozenset({Permission.SEE_JOBS}))
    with pytest.raises(ReviewRefusedError, match="permission 'review'"):
        decide(linked, narrowed, ReviewDecision.TAKE_OUT, [3])
    assert look(linked, narrowed).values is None


def test_for_strangers_there_is_no_project(linked: System) -> None:
    stranger = Actor(User.objects.create(username="stranger"), "192.0.2.7")
    with pytest.raises(LinkwrightError, match="There is no Linkage Project 'P1'"):
        decide(linked, stranger, ReviewDecision.TAKE_OUT, [3])


def test_without_an_attached_event_type_no_envelope_can_be_made(linked: System, reviewer: Actor) -> None:
    AttachedEventType.objects.all().delete()
    with pytest.raises(ReviewRefusedError, match="No Event Type is attached"):
        decide(linked, reviewer, ReviewDecision.TAKE_OUT, [3])


def test_an_identifier_that_no_list_can_hold_is_refused(system: System) -> None:
    system.load("odd", [("x\ny", "Anna", "Berg", "1980-01-02", "2000"), ("z", "Anna", "Berg", "1980-01-02", "")])
    with pytest.raises(ReviewRefusedError, match="line break"):
        decide(system, person(Role.REVIEWER), ReviewDecision.TAKE_OUT, [1], seen=[1, 2])
