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
# by subselects, each by a key: a join of three tables takes PostgreSQL longer to plan
_STATEMENT = (
    f"SELECT person.*, (SELECT session_data FROM {_SESSIONS} WHERE session_key = %s AND expire_date > %s)"
    f" AS session_data FROM {_PEOPLE} AS person"
    f" WHERE person.id = (SELECT user_id FROM {_NOTED} WHERE session_key = %s ORDER BY id DESC LIMIT 1)"
)


class SessionStore(DatabaseSessionStore):
    """The framework's own; reads the person along, where an answer changes nothing."""

    def load(self) -> dict[str, Any]:
        """Return what the session holds; nothing for one that is over."""
        if not is_looking():
            return super().load()
        key = self.session_key
        person = next(iter(User.objects.raw(_STATEMENT, [key, timezone.now(), key])), None)
        if person is None or person.__dict__["session_data"] is None:
            # nobody's, its first request, or over
            return super().load()
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
