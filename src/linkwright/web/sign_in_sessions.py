"""Sessions in the database, as the framework keeps them; one statement reads a session together with its person.

Every request asks who it comes from, also the polls of pages on which nothing happens: two statements through the
ORM would be most of what these cost. What a session holds, how long it lasts, and that it is really the person's
(the hash of the password in it) stays the framework's to decide.
"""

from typing import Any

from django.contrib.auth.backends import ModelBackend
from django.contrib.sessions.backends.db import SessionStore as DatabaseSessionStore
from django.contrib.sessions.models import Session
from django.utils import timezone

from linkwright.store.models import SignIn, User
from linkwright.store.one_look import is_looking, once

_SESSIONS, _NOTED, _PEOPLE = (model._meta.db_table for model in (Session, SignIn, User))  # noqa: SLF001
_STATEMENT = (
    f"SELECT person.*, session.session_data FROM {_SESSIONS} AS session"
    f" JOIN {_NOTED} AS noted ON noted.session_key = session.session_key"
    f" JOIN {_PEOPLE} AS person ON person.id = noted.user_id"
    " WHERE session.session_key = %s AND session.expire_date > %s"
)


class SessionStore(DatabaseSessionStore):
    """The framework's own; reads the person along, where an answer changes nothing."""

    def load(self) -> dict[str, Any]:
        """Return what the session holds; nothing for one that is over."""
        if not is_looking():
            return super().load()
        found = list(User.objects.raw(_STATEMENT, [self.session_key, timezone.now()])[:1])
        if not found:
            # nobody's, or its first request
            return super().load()
        person = found[0]
        once(_key(person.pk), lambda: person)
        return dict(self.decode(person.__dict__["session_data"]))


class PersonBackend(ModelBackend):
    """The framework's passwords; takes the person of a session from where the session was read."""

    def get_user(self, user_id: int) -> User | None:
        """Return the person of a key, if they may sign in."""
        person = once(_key(user_id), lambda: User.objects.filter(pk=user_id).first())
        return person if person is not None and self.user_can_authenticate(person) else None


def _key(user_id: int) -> tuple[str, int]:
    return "person of the session", user_id
