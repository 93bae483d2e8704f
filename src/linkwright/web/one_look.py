"""Answers that change nothing are one look at the system (store/one_look.py): what they ask twice is read once."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from linkwright.store.one_look import one_look

_CHANGE_NOTHING = ("GET", "HEAD")


class OneLookMiddleware:
    """Stands outside of whatever reads the database."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer the request."""
        if request.method not in _CHANGE_NOTHING:
            return self._get_response(request)
        with one_look():
            return self._get_response(request)
