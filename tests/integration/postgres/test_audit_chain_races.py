"""The chain of the audit log under many writers, on both databases: whole, and nobody waits for ever."""

import threading
from collections.abc import Callable
from contextlib import suppress

from django.db import transaction

from linkwright.services.check_audit_log import check_audit_log
from linkwright.store.audit_log import COMMAND_LINE, record_action
from linkwright.store.models import AuditLogEntry, LinkageProject, Membership, Role, User
from tests.integration.postgres.test_races import ROUNDS, race
from tests.live_system import LiveSystem

MEETING_S = 0.15


def test_many_writers_at_once_make_one_chain(on_both: LiveSystem) -> None:
    before = check_audit_log().head.entries_count

    def write(name: str) -> Callable[[], None]:
        def act() -> None:
            for number in range(ROUNDS):
                with transaction.atomic():
                    record_action(COMMAND_LINE, "first", f"{name} {number}")
                    record_action(COMMAND_LINE, "second", f"{name} {number}", detail={"weight": 0.1, "n": 2.0})
                    # what some of them did is taken back
                    transaction.set_rollback(number % 5 == 0)

        return act

    assert race(*(write(name) for name in "abcd")) == [None] * 4
    found = check_audit_log()
    assert found.ok, found.fault
    assert found.checked_count - before == 4 * (ROUNDS - ROUNDS // 5) * 2
    # those of one transaction stand together
    targets = list(
        AuditLogEntry.objects.filter(number__gt=before).order_by("number").values_list("target", flat=True)
    )
    assert targets[::2] == targets[1::2]


def test_two_that_write_before_and_after_they_lock_the_same_row_do_not_wait_for_each_other(
    on_both: LiveSystem,
) -> None:
    """One has written and then wants the row, the other has the row and then writes: both end."""
    project = LinkageProject.objects.get(code="TA")
    met = threading.Barrier(2)

    def meet() -> None:
        # one writer at a time: the other one has not begun
        with suppress(threading.BrokenBarrierError):
            met.wait(MEETING_S)

    def write_then_lock() -> None:
        with transaction.atomic():
            record_action(COMMAND_LINE, "first", "a")
            meet()
            LinkageProject.objects.filter(pk=project.pk).update(description="a")

    def lock_then_write() -> None:
        with transaction.atomic():
            LinkageProject.objects.filter(pk=project.pk).update(description="b")
            meet()
            record_action(COMMAND_LINE, "second", "b")

    for _ in range(3):
        met = threading.Barrier(2)
        assert race(write_then_lock, lock_then_write) == [None, None]
    assert check_audit_log().ok


def test_the_check_of_a_foreign_key_at_the_end_waits_for_nobody_who_waits_for_the_chain(
    on_both: LiveSystem,
) -> None:
    """The row that a new one refers to is locked by one who then writes: the chain is locked after such checks."""
    project = LinkageProject.objects.get(code="TA")
    people = [User.objects.create(username=f"person {number}") for number in range(ROUNDS)]
    turn = iter(people)
    held, done = threading.Event(), threading.Event()

    def refer() -> None:
        with transaction.atomic():
            record_action(COMMAND_LINE, "first", "a")
            held.wait(MEETING_S)
            Membership.objects.create(user=next(turn), project=project, role=Role.VIEWER)
        done.set()

    def lock() -> None:
        with transaction.atomic():
            LinkageProject.objects.select_for_update().get(pk=project.pk)
            held.set()
            # time for the other one to come to its end, where it waits for this row
            done.wait(MEETING_S)
            record_action(COMMAND_LINE, "second", "b")

    for _ in range(5):
        held.clear()
        done.clear()
        assert race(refer, lock) == [None, None]
    assert check_audit_log().ok
