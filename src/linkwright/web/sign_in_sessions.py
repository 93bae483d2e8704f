"""Sessions in the database, as the framework keeps them; one statement reads a session together with its person.

Every request asks who it comes from, also the polls of pages on which nothing happens: two statements through the
ORM would be most of what these cost. What a session holds, how long it lasts, and that it is really the person's
(the hash of the password in it) stays the framework's to decide.
"""

from typing import Any

from django.contrib.auth.backends import ModelBackend
from django.contrib.sessions.backends.db import SessionStore as DatabaseSessionStore
from django.contrib.sessions.models import Session
from django.db.models import CharField, DateTimeField, QuerySet, Subquery
from django.utils import timezone

from linkwright.store.kept_query import Given, KeptQuery
from linkwright.store.models import SignIn, User
from linkwright.store.one_look import is_looking, once


def _with_person() -> QuerySet[User]:
    """Return the query of the person of a session, with what that holds: None if it is over."""
    key = Given("key", CharField())
    # by subselects, each by a key: a join of three tables takes PostgreSQL longer to plan
    noted = SignIn.objects.filter(session_key=key).order_by("-pk").values("user")[:1]
    held = Session.objects.filter(session_key=key, expire_date__gt=Given("now", DateTimeField()))
    return User.objects.filter(pk=Subquery(noted)).annotate(session_data=Subquery(held.values("session_data")))


_PERSON = KeptQuery(_with_person)


class SessionStore(DatabaseSessionStore):
    """The framework's own; reads the person along, where an answer changes nothing."""

    def __init__(self, session_key: str | None = None) -> None:
        # anybody can send this character in a cookie, and PostgreSQL takes it in no text
        super().__init__(None if session_key and "\0" in session_key else session_key)

    def load(self) -> dict[str, Any]:
        """Return what the session holds; nothing for one that is over."""
        if not is_looking():
            return super().load()
        person = _PERSON.first(key=self.session_key, now=timezone.now())
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
