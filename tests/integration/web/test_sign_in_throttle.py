"""Guessing passwords: the wait grows, is told, holds for the right password too, and can be lifted."""

from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from linkwright.config import load_config
from linkwright.services import throttle_sign_in
from linkwright.services.sweep_sign_ins import sweep_sign_ins
from linkwright.services.throttle_sign_in import WaitError, attempt_failed, attempt_succeeded, begin_attempt
from linkwright.store.audit_log import COMMAND_LINE
from linkwright.store.models import AuditLogEntry, SignInThrottle
from linkwright.store.settings import change_setting
from tests.integration.web.conftest import SignIn
from tests.integration.web.seed import PASSWORD, World

pytestmark = pytest.mark.django_db


def sign_in_as(name: str, password: str, address: str = "10.0.0.1") -> Any:
    return Client(REMOTE_ADDR=address).post("/sign-in/", {"username": name, "password": password})


def pass_time(**amount: int) -> None:
    """Let everything have happened so much earlier."""
    for row in SignInThrottle.objects.all():
        earlier = timedelta(**amount)
        row.last_at -= earlier
        row.wait_until = row.wait_until and row.wait_until - earlier
        row.save()


def fails(name: str, address: str = "10.0.0.1") -> int:
    """Fail once; returns the wait that is told, 0 for none."""
    try:
        begin_attempt(name, address)
        attempt_failed(name, address)
    except WaitError as error:
        return error.wait_s
    return 0


def test_after_some_wrong_passwords_even_the_right_one_waits_and_the_wait_is_told(
    empty_world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    # checking a password takes long on a busy machine
    now = timezone.now()
    monkeypatch.setattr(throttle_sign_in, "timezone", SimpleNamespace(now=lambda: now))
    for _ in range(4):
        answer = sign_in_as("viewer", "wrong")
        assert (answer.status_code, "do not fit together" in answer.content.decode()) == (200, True)
    fifth = sign_in_as("viewer", "wrong")
    assert (fifth.status_code, fifth["Retry-After"]) == (429, "15")
    assert "Wait 15 seconds" in fifth.content.decode()
    right = sign_in_as("viewer", PASSWORD)
    assert (right.status_code, "Too many wrong passwords" in right.content.decode()) == (429, True)
    entry = AuditLogEntry.objects.get(action="hold up sign-in")
    assert (entry.target, entry.origin, entry.detail) == ("viewer", "10.0.0.1", {"wait_s": 15})
    # others are not held up
    assert sign_in_as("owner", PASSWORD).status_code == 302
    assert sign_in_as("viewer", PASSWORD, "10.9.9.9").status_code == 429
    pass_time(seconds=16)
    assert sign_in_as("viewer", PASSWORD).status_code == 302
    assert sign_in_as("viewer", "wrong").status_code == 200


def test_the_wait_doubles_up_to_its_bound_and_is_forgotten_after_a_day() -> None:
    change_setting("SignIn.LongestWaitSeconds", 100, COMMAND_LINE)
    waits = []
    for _ in range(9):
        waits.append(fails("ada"))
        pass_time(seconds=101)
    assert waits == [0, 0, 0, 0, 15, 30, 60, 100, 100]
    pass_time(days=1)
    assert fails("ada") == 0


def test_names_that_there_are_not_are_held_up_alike_and_stand_nowhere() -> None:
    assert [fails("hunter2 my password") for _ in range(5)] == [0, 0, 0, 0, 15]
    assert "hunter2" not in repr([*SignInThrottle.objects.values(), *AuditLogEntry.objects.values()])


def test_many_names_from_one_address_are_held_up_and_a_right_one_takes_only_itself_off() -> None:
    change_setting("SignIn.FailuresPerAddress", 6, COMMAND_LINE)
    assert [fails(f"name {number}") for number in range(5)] == [0] * 5
    begin_attempt("mallory", "10.0.0.1")
    attempt_succeeded("mallory", "10.0.0.1")
    assert fails("name 6") == 15
    with pytest.raises(WaitError):
        begin_attempt("mallory", "10.0.0.1")
    begin_attempt("mallory", "10.0.0.2")


def test_an_administrator_ends_the_wait_and_old_counts_are_swept(empty_world: World, sign_in: SignIn) -> None:
    for _ in range(5):
        fails("viewer")
    admin, page = sign_in(empty_world.admin), f"/admin/people/{empty_world.viewer.pk}/"
    assert "has to wait until" in admin.get(page).content.decode()
    assert admin.post(f"{page}lift/").status_code == 302
    assert "has to wait until" not in admin.get(page).content.decode()
    assert sign_in_as("viewer", PASSWORD).status_code == 302
    assert AuditLogEntry.objects.latest("pk").action == "lift sign-in wait"
    assert SignInThrottle.objects.exists()
    pass_time(days=2)
    sweep_sign_ins(load_config())
    assert not SignInThrottle.objects.exists()
