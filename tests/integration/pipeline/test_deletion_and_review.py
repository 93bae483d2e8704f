"""Deletion and Quality Review by Envelope: what ends, what is decided or refused, and how both are undone."""

import pytest

from linkwright.envelopes.manifest import RequestType
from linkwright.services.roll_back_envelope import preview_rollback
from linkwright.store.models import AuditMessage, EnvelopeReport, EnvelopeState, Job, JobKind, Notification
from tests.integration.pipeline.acting import A, B, C, delete, groups, person, review, roll_back, send, statistics
from tests.integration.pipeline.conftest import System

pytestmark = pytest.mark.django_db


def test_deleted_records_leave_their_groups_which_fall_apart_without_them(system: System) -> None:
    system.load("first", [A, B, C])
    assert system.groups() == groups("abc")
    before = system.group_ids()
    deletion = delete(system, "b")
    assert deletion.state == EnvelopeState.SUCCESS
    assert system.groups() == groups("a", "c")
    # the part with the oldest record keeps the id
    assert system.group_ids()["a"] == before["a"]
    assert statistics(deletion, JobKind.DELETE)["records_count"] == 1
    chain = list(Job.objects.filter(envelope=deletion).order_by("chain_position").values_list("kind", flat=True))
    assert chain == ["Validate", "Delete", "Group", "Report"]


def test_what_is_listed_and_not_there_is_reported_and_the_rest_is_deleted(system: System) -> None:
    system.load("first", [A, B])
    deletion = delete(system, "a", "nobody", "a")
    found = statistics(deletion, JobKind.DELETE)
    assert (found["records_count"], found["unknown_count"], found["repeated_count"]) == (1, 1, 1)
    raised = Notification.objects.get(envelope=deletion)
    assert "passed over: ADM:nobody." in raised.with_values
    assert "passed over: [hidden]." in raised.text
    assert system.groups() == groups("b")
    roll_back(system, deletion)
    forgotten = Job.objects.get(envelope=deletion, kind=JobKind.DELETE).statistics
    assert (forgotten["unknown_count"], forgotten["unknown_records"]) == (1, [{"record": ""}])


def test_later_records_are_not_linked_with_deleted_ones_and_an_identifier_is_free_again(system: System) -> None:
    system.load("first", [A, B, C])
    delete(system, "b")
    system.load("second", [person("d", "Anna", "Cole")])
    assert system.groups() == groups("acd")
    system.load("third", [B])
    assert system.groups() == groups("abcd")


def test_a_deletion_is_rolled_back_to_the_very_same_map(system: System) -> None:
    system.load("first", [A, B, C])
    before = system.group_ids()
    roll_back(system, delete(system, "b"))
    assert system.group_ids() == before


def test_an_earlier_deletion_can_be_rolled_back_alone(system: System) -> None:
    system.load("first", [A, B, C])
    deletion = delete(system, "b")
    system.load("second", [person("e", "Eve", "Eck", "1955-05-05")])
    roll_back(system, deletion)
    assert system.groups() == groups("abc", "e")


def test_an_envelope_whose_records_were_deleted_is_rolled_back(system: System) -> None:
    first = system.load("first", [A, B])
    system.load("second", [C])
    delete(system, "b")
    roll_back(system, first)
    assert system.groups() == groups("c")
    system.load("again", [A, B])
    assert system.groups() == groups("abc")


def test_a_review_moves_records_and_later_data_does_not_undo_it(system: System) -> None:
    system.load("first", [A, B, C])
    reviewed = review(system, "c>somebody else")
    assert reviewed.state == EnvelopeState.SUCCESS
    assert system.groups() == groups("ab", "c")
    system.load("second", [person("d", "Anna", "Cole")])
    assert frozenset("c") in system.groups() or frozenset("cd") in system.groups()
    assert not any({"a", "c"} <= group or {"b", "c"} <= group for group in system.groups())
    chain = list(Job.objects.filter(envelope=reviewed).order_by("chain_position").values_list("kind", flat=True))
    assert chain == ["Validate", "Review", "Group", "Report"]
    # no pairs were weighed: an empty plot would say nothing
    assert [plot["name"] for plot in EnvelopeReport.objects.get(envelope=reviewed).plots] == [
        "group_sizes",
        "completeness",
    ]


def test_a_review_puts_records_together_that_no_pair_joins(system: System) -> None:
    system.load("first", [A, person("e", "Eve", "Eck", "1955-05-05")])
    review(system, "a>one", "e>one")
    assert system.groups() == groups("ae")


def test_all_that_is_wrong_with_a_review_is_named_and_nothing_is_decided(system: System) -> None:
    system.load("first", [A, B])
    before = system.group_ids()
    lines = ["P1,a,ADM,one", "P1,a,ADM,two", "P1,nobody,ADM,one", "P2,b,ADM,one", "P1,b,ADM"]
    # more than the csv module takes for one value
    lines.append(f"P1,{'b' * 140_000},ADM,one")
    refused = send(system, "review", RequestType.SUBMIT_QUALITY_REVIEW, lines)
    assert refused.state == EnvelopeState.ERRORS
    message = Job.objects.get(envelope=refused, kind=JobKind.REVIEW).error_with_values
    for part in (
        "line 2: ADM:a is moved to 'two' and to 'one'",
        "ADM:nobody: P1 has no such record",
        "line 4: the Linkage Project is 'P2'",
        "line 5: it must hold 4 values",
        "line 6: it must hold 4 values",
    ):
        assert part in message
    assert system.group_ids() == before


def told(kind: JobKind) -> list[str]:
    """Return the audit messages of the only job of a kind."""
    return list(AuditMessage.objects.filter(job__kind=kind).order_by("pk").values_list("text", flat=True))


def test_what_is_deleted_and_decided_is_told_in_numbers_while_it_happens(system: System) -> None:
    system.load("first", [A, B, C])
    delete(system, "a", "nobody", "a")
    told = list(
        AuditMessage.objects.filter(job__kind=JobKind.DELETE).order_by("pk").values_list("text", flat=True)
    )
    assert told == [
        "Reading the list: started",
        "Finding listed records: 2 records in all",
        "Listed records that end: 1; that are not in the project: 1",
        f"Warning: {Notification.objects.get().text}",
    ]
    review(system, "b>one", "c>other")
    told = list(
        AuditMessage.objects.filter(job__kind=JobKind.REVIEW).order_by("pk").values_list("text", flat=True)
    )
    assert told == [
        "Reading decisions: started",
        "Finding listed records: 2 records in all",
        "Listed records: 2; targets: 2; groups touched: 1; pairs put together: 0, apart: 1",
    ]


def test_a_later_review_that_contradicts_an_earlier_one_wins_and_says_so(system: System) -> None:
    system.load("first", [A, B])
    review(system, "a>one", "b>two", name="apart")
    assert system.groups() == groups("a", "b")
    review(system, "a>one", "b>one", name="together")
    assert system.groups() == groups("ab")


def test_reviews_made_since_go_with_the_envelope_that_is_rolled_back(system: System) -> None:
    system.load("first", [A, B, C])
    second = system.load("second", [person("d", "Dora", "Dunn", "1990-09-10")])
    reviewed = review(system, "c>somebody else")
    assert [one.name for one in preview_rollback(second).reviews] == ["review"]
    roll_back(system, second)
    reviewed.refresh_from_db()
    assert reviewed.state == EnvelopeState.ROLLED_BACK
    assert system.groups() == groups("abc")


def test_a_review_is_rolled_back_to_the_very_same_map(system: System) -> None:
    system.load("first", [A, B, C])
    before = system.group_ids()
    roll_back(system, review(system, "c>somebody else"))
    assert system.group_ids() == before
