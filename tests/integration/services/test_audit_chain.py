"""The chain of the audit log: whatever is done to it past Linkwright is found."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.db.models import F
from hypothesis import given
from hypothesis import strategies as st

from linkwright.config import load_config
from linkwright.services.check_audit_log import check_audit_log, fault_of_kept
from linkwright.services.check_system import check_system
from linkwright.store.audit_chain import Head, content_sha256, read_head, storable
from linkwright.store.audit_log import COMMAND_LINE, Actor, record_action
from linkwright.store.models import AuditLogEntry, AuditLogHead, User

NOW = COMMAND_LINE


def write(count: int = 5) -> None:
    for number in range(1, count + 1):
        record_action(NOW, "pause queue", "Job Queue", reason=f"reason {number}", detail={"weight": 0.5, "n": 3.0})
    # PostgreSQL links at the end of a transaction, which a test never reaches
    connection.check_constraints()


def entries(number: int) -> Any:
    return AuditLogEntry.objects.filter(number=number)


def swap_values() -> None:
    (one,), (other,) = entries(2).values("reason", "content_sha256"), entries(3).values("reason", "content_sha256")
    entries(2).update(**other)
    entries(3).update(**one)


def swap_places() -> None:
    entries(2).update(number=99)
    entries(3).update(number=2)
    entries(99).update(number=3)


def change_with_its_content_hash() -> None:
    entry = entries(3).get()
    entry.reason = "another reason"
    entries(3).update(reason=entry.reason, content_sha256=content_sha256(entry))


def put_in() -> None:
    for number in (5, 4):
        entries(number).update(number=F("number") + 1)
    last = entries(3).get()
    last.pk, last.number = None, 4
    last.save(force_insert=True)
    AuditLogHead.objects.update(entries_count=6)


def cut_and_lower_the_head() -> None:
    AuditLogEntry.objects.filter(number__gt=3).delete()
    AuditLogHead.objects.update(entries_count=3)


TAMPERINGS: dict[str, tuple[Callable[[], object], int | None, str]] = {
    "reason": (lambda: entries(3).update(reason="x"), 3, "was changed"),
    "person": (lambda: entries(3).update(user=User.objects.create(username="eve")), 3, "was changed"),
    "time": (lambda: entries(3).update(at=F("at") + timedelta(microseconds=1)), 3, "was changed"),
    "detail": (lambda: entries(3).update(detail={"weight": 0.5, "n": 4}), 3, "was changed"),
    "key": (lambda: entries(3).update(id=1000), 3, "was changed or moved"),
    "change with hash": (change_with_its_content_hash, 3, "was changed or moved"),
    "gap": (lambda: entries(3).delete(), 3, "Entry 3 is not there; the next one is 4"),
    "first": (lambda: entries(1).delete(), 1, "Entry 1 is not there"),
    "values swapped": (swap_values, 2, "its values are not those"),
    "places swapped": (swap_places, 2, "does not follow entry 1"),
    "put in": (put_in, 4, "does not follow entry 3"),
    "tail": (lambda: entries(5).delete(), 5, "Entry 5 is not there: 1 were cut off the end"),
    "tail and count": (cut_and_lower_the_head, 3, "The head says"),
    "head": (lambda: AuditLogHead.objects.update(sha256="0" * 64), 5, "The head says"),
    "head's count": (lambda: AuditLogHead.objects.update(entries_count=4), 4, "The head says"),
    "everything": (lambda: AuditLogEntry.objects.all().delete(), 1, "Entry 1 is not there"),
    "loose": (lambda: AuditLogEntry.objects.filter(pk=entries(5).get().pk).update(number=None), 5, "not there"),
}


@pytest.mark.django_db
@pytest.mark.parametrize("name", TAMPERINGS)
def test_the_first_entry_that_does_not_fit_is_named(name: str) -> None:
    write()
    assert check_audit_log().ok
    tamper, number, told = TAMPERINGS[name]
    tamper()
    found = check_audit_log()
    assert (found.ok, found.fault_number) == (False, number)
    assert told in found.fault
    finding = {one.subject: one for one in check_system(load_config())}["audit log"]
    assert not finding.ok
    assert told in finding.text


@pytest.mark.django_db
def test_a_chain_is_whole_whatever_its_length_and_can_be_checked_in_part(monkeypatch: pytest.MonkeyPatch) -> None:
    assert check_audit_log().ok
    assert check_audit_log().head == Head(0, "")
    monkeypatch.setattr("linkwright.services.check_audit_log.ROWS_AT_ONCE", 3)
    write(10)
    whole, part = check_audit_log(), check_audit_log(newest=4)
    assert (whole.ok, whole.checked_count, whole.is_whole) == (True, 10, True)
    assert (part.ok, part.checked_count, part.is_whole) == (True, 4, False)
    entries(2).update(reason="x")
    assert check_audit_log(newest=4).ok
    assert check_audit_log().fault_number == 2


@pytest.mark.django_db(transaction=True)
def test_what_was_rolled_back_leaves_no_gap() -> None:
    write(2)
    with transaction.atomic():
        record_action(NOW, "clear queue")
        transaction.set_rollback(True)
    with transaction.atomic():
        with transaction.atomic():
            record_action(NOW, "clear queue")
            transaction.set_rollback(True)
        # the inner one alone is taken back
        record_action(NOW, "resume queue")
    found = check_audit_log()
    assert (found.ok, found.checked_count) == (True, 3)
    assert list(AuditLogEntry.objects.order_by("number").values_list("action", flat=True))[-1] == "resume queue"


@pytest.mark.django_db
def test_a_head_that_was_kept_outside_finds_a_chain_that_was_made_anew() -> None:
    write(4)
    kept = read_head()
    write(3)
    assert fault_of_kept(kept) == ""
    config = load_config()
    told = {one.subject: one for one in check_system(config, str(kept))}["audit log"]
    assert told.ok
    assert f"head {read_head()}" in told.text
    # whoever may write to the database can make all of it anew
    AuditLogEntry.objects.all().delete()
    AuditLogHead.objects.all().delete()
    write(7)
    assert check_audit_log().ok
    finding = {one.subject: one for one in check_system(config, str(kept))}["audit log"]
    assert not finding.ok
    assert "had" in finding.text
    assert "is not there" in fault_of_kept(Head(8, "0" * 64))
    wrong = {one.subject: one for one in check_system(config, "7")}["audit log"]
    assert "'7' is no head" in wrong.text


@pytest.mark.django_db
def test_a_head_that_is_gone_is_made_anew_from_the_last_entry() -> None:
    write(3)
    AuditLogHead.objects.all().delete()
    assert not check_audit_log().ok
    write(1)
    assert check_audit_log().ok
    assert read_head().entries_count == 4


@pytest.mark.django_db
@given(
    detail=st.dictionaries(
        st.text(st.characters(codec="utf-8")),
        st.recursive(
            st.none()
            | st.booleans()
            | st.integers()
            | st.text(st.characters(codec="utf-8"))
            | st.floats(-1e30, 1e30),
            st.lists,
            max_leaves=5,
        ),
    ),
    text=st.text(st.characters(codec="utf-8"), max_size=400),
)
def test_values_keep_their_hash_through_the_database(detail: dict[str, Any], text: str) -> None:
    with transaction.atomic():
        record_action(Actor(None, text), "clear queue", text, project_code=text[:255], reason=text, detail=detail)
        connection.check_constraints()
        assert check_audit_log().ok
        assert AuditLogEntry.objects.latest("pk").detail == storable(detail)
