"""Ends sessions that were idle for too long or last too long, and notes which there are.

What a session is allowed is fixed when it begins and lies in it: no request has to look a Setting up. A page that
polls is no activity; use is written down to the minute.
"""

import time
from collections.abc import Callable

from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse

from linkwright.services.note_session import move_session, note_session, see_session
from linkwright.store.models import User

_KEY = "sign_in"
_NOTED_EVERY_S = 60
_POLLS = "/live/"
_OF_KEYS = "/api/"


class SessionLimitsMiddleware:
    """Stands behind the one that says who asks, and before the one that sends people to sign in."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer the request; a session that is over is nobody's."""
        if not request.path_info.startswith(_OF_KEYS) and isinstance(request.user, User):
            _look_at(request, request.user)
        return self._get_response(request)


def _look_at(request: HttpRequest, user: User) -> None:
    session, now_s = request.session, time.time()
    key, state = str(session.session_key), session.get(_KEY)
    if state is None:
        browser = request.headers.get("User-Agent", "")
        number, limits = note_session(user, key, request.META.get("REMOTE_ADDR", ""), browser)
        times = {"at": now_s, "seen": now_s, "idle_s": limits.idle_s, "max_s": limits.max_s}
        session[_KEY] = {"id": number, "key": key, **times}
        session.set_expiry(limits.max_s)
    elif now_s - state["seen"] > state["idle_s"] or now_s - state["at"] > state["max_s"]:
        logout(request)
    elif state["key"] != key:
        move_session(state["id"], key)
        session[_KEY] = {**state, "key": key}
    elif now_s - state["seen"] > _NOTED_EVERY_S and not request.path_info.endswith(_POLLS):
        see_session(state["id"])
        session[_KEY] = {**state, "seen": now_s}
