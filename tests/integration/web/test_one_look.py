"""What one answer asks twice is read once: persons with their sessions, roles, lists; and never across answers."""

from datetime import timedelta

import pytest
from django.contrib.sessions.models import Session
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from linkwright.services.end_sessions import end_sessions
from linkwright.store.audit_log import COMMAND_LINE
from linkwright.store.models import Membership, Role
from linkwright.store.one_look import is_looking, once, one_look
from linkwright.store.permissions import Permission, is_allowed
from tests.integration.web.conftest import SignIn as SignInClient
from tests.integration.web.seed import World

PAGE = "/jobs/envelopes/"


def test_what_is_read_once_is_kept_to_the_end_of_the_look_and_no_longer() -> None:
    answers = iter(range(10))
    assert [once("key", lambda: next(answers)) for _time in range(2)] == [0, 1]
    with one_look():
        assert [once("key", lambda: next(answers)) for _time in range(2)] == [2, 2]
        assert once("another key", lambda: next(answers)) == 3
        with one_look():
            assert once("key", lambda: next(answers)) == 4
        assert once("key", lambda: next(answers)) == 2
    assert not is_looking()
    assert once("key", lambda: next(answers)) == 5
    with pytest.raises(RuntimeError), one_look():
        raise RuntimeError
    assert not is_looking()


def test_a_role_taken_away_holds_from_the_next_answer_on(world: World) -> None:
    with one_look():
        assert is_allowed(world.operator, Permission.SUBMIT)
        Membership.objects.filter(user=world.operator).delete()
        assert is_allowed(world.operator, Permission.SUBMIT)
    assert not is_allowed(world.operator, Permission.SUBMIT)


def test_a_page_reads_what_its_reader_may_see_once(world: World, sign_in: SignInClient) -> None:
    browser = sign_in(world.operator)
    browser.get(PAGE)
    for page in (PAGE, "/jobs/all/"):
        with CaptureQueriesContext(connection) as asked:
            assert browser.get(page).status_code == 200
        table = Membership._meta.db_table
        assert sum(f'FROM "{table}"' in query["sql"] for query in asked) == 1


def test_a_session_that_ended_and_a_person_shut_out_are_nobody_at_once(
    world: World, sign_in: SignInClient
) -> None:
    browser = sign_in(world.operator)
    assert browser.get(PAGE).status_code == 200
    world.operator.is_active = False
    world.operator.save()
    assert browser.get(PAGE).status_code == 302
    world.operator.is_active = True
    world.operator.save()

    browser = sign_in(world.operator)
    assert browser.get(PAGE).status_code == 200
    Session.objects.update(expire_date=timezone.now() - timedelta(seconds=1))
    assert browser.get(PAGE).status_code == 302

    browser = sign_in(world.operator)
    assert browser.get(PAGE).status_code == 200
    world.operator.set_password("four other words without sense")
    world.operator.save()
    assert browser.get(PAGE).status_code == 302

    browser = sign_in(world.operator)
    assert browser.get(PAGE).status_code == 200
    end_sessions(world.operator, COMMAND_LINE)
    assert browser.get(PAGE).status_code == 302


def test_a_session_never_answers_for_the_person_of_another(world: World, sign_in: SignInClient) -> None:
    first, second = sign_in(world.operator), sign_in(world.viewer)
    for _time in range(2):
        assert first.get(PAGE).wsgi_request.user == world.operator
        assert second.get(PAGE).wsgi_request.user == world.viewer
    # somebody signs in as another person in the same browser
    first.force_login(world.viewer)
    for _time in range(2):
        assert first.get(PAGE).wsgi_request.user == world.viewer


def test_what_changes_something_reads_everything_anew(world: World, sign_in: SignInClient) -> None:
    browser = sign_in(world.operator)
    browser.get(PAGE)
    Membership.objects.filter(user=world.operator).update(role=Role.VIEWER)
    assert browser.post("/jobs/queue/pause/", {"reason": "a look"}).status_code == 403
