"""The headers that keep a page from running or loading anything that is not Linkwright's own; odd addresses.

Plots are SVG written into the page: they carry presentation attributes only, so no inline style needs allowing.
"""

from collections.abc import Callable

from django.http import Http404, HttpRequest, HttpResponse

CONTENT_SECURITY_POLICY = "; ".join(  # noqa: FLY002 - one rule a line
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
_HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=()",
    "Cross-Origin-Resource-Policy": "same-origin",
}


class OddAddressMiddleware:
    """Lets nothing be at an address with a NUL character: no code holds it, and PostgreSQL takes it in no text."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer the request.

        Raises:
            Http404: for such an address.
        """
        if "\0" in request.path_info:
            raise Http404("No address holds this character.")
        return self._get_response(request)


class SecurityHeadersMiddleware:
    """Adds the headers to every response that does not bring its own."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer the request, with the headers."""
        response = self._get_response(request)
        for name, value in _HEADERS.items():
            response.headers.setdefault(name, value)
        return response
