"""The error pages, in the frame of all pages: what happened, to what, what to do."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string

from linkwright.errors import LinkwrightError
from linkwright.web.dialogs import is_fragment_request
from linkwright.web.frame import Frame

NOT_FOUND_HELP = (
    "It does not exist, or it belongs to a Linkage Project that you are not a member of. "
    "Check the address, or ask the project's owner for access."
)
FORBIDDEN_HELP = "Ask the project's owner or an Administrator for a role that allows it."
CSRF_TEXT = "This form was opened too long ago, or in another window, so that its origin cannot be verified."
CSRF_HELP = "Go back, reload the page and send the form again. Nothing has been changed."
NOT_SHOWN_HELP = "Whoever runs the server can find what is damaged with `linkwright doctor`."
SERVER_TEXT = "The server met an error that it did not expect, and wrote it to its log."
SERVER_HELP = (
    "Nothing of an unfinished action was kept. Try again; if it happens again, whoever runs the server can look "
    "into its log."
)
BAD_REQUEST_TEXT = "The server could not read this request."
BAD_REQUEST_HELP = "Go back, reload the page and try again."


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:  # noqa: ARG001 - Django's signature
    """Answer 400."""
    return _error(request, 400, "Not understood", BAD_REQUEST_TEXT, BAD_REQUEST_HELP)


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer 403 with the reason."""
    return _error(request, 403, "Not allowed", str(exception) or "You may not do this.", FORBIDDEN_HELP)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer 404; Django's own exception holds a dict where no address matched, which is not for people."""
    told = exception.args[0] if exception.args and isinstance(exception.args[0], str) else ""
    return _error(request, 404, "Not found", told or f"There is no page at {request.path}.", NOT_FOUND_HELP)


def not_shown(request: HttpRequest, error: LinkwrightError) -> HttpResponse:
    """Answer 409 where something is there that cannot be shown, such as data in a damaged file."""
    return _error(request, 409, "Cannot be shown", str(error), NOT_SHOWN_HELP)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:  # noqa: ARG001 - Django's signature
    """Answer a form whose token is missing or wrong."""
    return _error(request, 403, "Not sent", CSRF_TEXT, CSRF_HELP)


def server_error(request: HttpRequest) -> HttpResponse:
    """Answer 500 without touching the database, which may be what failed."""
    if is_fragment_request(request):
        return HttpResponse(f"{SERVER_TEXT} {SERVER_HELP}", status=500, content_type="text/plain; charset=utf-8")
    frame = Frame(
        tabs=[], user=None, pieces=[], flashes=[], theme=request.COOKIES.get("theme", ""), is_live_on=False
    )
    context = {"frame": frame, "status": 500, "title": "Server error", "text": SERVER_TEXT, "help": SERVER_HELP}
    return HttpResponse(render_to_string("web/pages/error.html", context), status=500)


def _error(request: HttpRequest, status: int, title: str, text: str, help_text: str) -> HttpResponse:
    if is_fragment_request(request):
        return HttpResponse(f"{text} {help_text}", status=status, content_type="text/plain; charset=utf-8")
    context = {"status": status, "title": title, "text": text, "help": help_text}
    return render(request, "web/pages/error.html", context, status=status)
