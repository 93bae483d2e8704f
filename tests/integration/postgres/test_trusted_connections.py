"""Whether a connection lives is asked once it has been idle, and after every error; not while it answers."""

from collections.abc import Callable
from typing import Any
from wsgiref.util import setup_testing_defaults

import psycopg
import pytest
from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler
from django.db import connection
from django.db.backends.postgresql.base import DatabaseWrapper

from linkwright.store import postgres_session
from tests.live_system import LiveSystem

pytestmark = pytest.mark.postgres
Ask = Callable[[], int]


@pytest.fixture
def ask(on_postgres: LiveSystem, monkeypatch: pytest.MonkeyPatch) -> Ask:
    """Return what asks for a page the server's way and gives its status; a test's client keeps no connection."""
    monkeypatch.setattr(settings, "ALLOWED_HOSTS", ["*"])
    # longer than a busy machine takes from one request to the next
    monkeypatch.setattr(postgres_session, "TRUSTED_S", 120.0)
    # as in production; a test's connections are not asked
    monkeypatch.setitem(connection.settings_dict, "CONN_HEALTH_CHECKS", True)
    monkeypatch.setitem(connection.settings_dict, "CONN_MAX_AGE", None)
    connection.close()
    # a test's client takes the framework's receiver away for each request, and puts it behind all others
    postgres_session.set_up_sessions()
    handler = WSGIHandler()

    def get() -> int:
        environ: dict[str, Any] = {"PATH_INFO": "/health"}
        setup_testing_defaults(environ)
        statuses: list[str] = []

        def start(status: str, *_headers: Any) -> Callable[[bytes], object]:
            statuses.append(status)
            return lambda _written: None

        response = handler(environ, start)
        b"".join(response)
        response.close()
        return int(statuses[0][:3])

    return get


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Return what is filled with the answers of the connection when it is asked whether it lives."""
    answers: list[bool] = []
    is_usable = DatabaseWrapper.is_usable

    def noted(wrapper: DatabaseWrapper) -> bool:
        answers.append(is_usable(wrapper))
        return answers[-1]

    monkeypatch.setattr(DatabaseWrapper, "is_usable", noted)
    return answers


def _cut_off() -> None:
    """End the session from the outside, as a restart of the database does."""
    number = connection.connection.info.backend_pid
    with psycopg.connect(connection.connection.info.dsn, autocommit=True) as other:
        other.execute("SELECT pg_terminate_backend(%s, 5000)", [number])


def test_a_connection_that_has_just_answered_is_not_asked(ask: Ask, asked: list[bool]) -> None:
    first = ask()
    session = connection.connection
    assert [ask(), ask()] == [first, first]
    assert connection.connection is session
    assert asked == []


def test_an_idle_connection_is_asked_and_opened_anew_if_it_is_gone(
    ask: Ask, asked: list[bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    first = ask()
    monkeypatch.setattr(postgres_session, "TRUSTED_S", 0.0)
    assert (ask(), asked) == (first, [True])
    _cut_off()
    assert (ask(), asked) == (first, [True, False])


def test_a_connection_that_goes_away_while_it_is_trusted_costs_one_answer(ask: Ask, asked: list[bool]) -> None:
    first = ask()
    _cut_off()
    assert ask() != first
    assert (ask(), ask()) == (first, first)
