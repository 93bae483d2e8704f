"""What holds for every answer below /api/: nothing is cached, no cookie is set, every error is JSON of one shape.

It stands outside all other middleware, so that it sees what they and Django itself answer: an unknown host, an
unexpected error. Successful answers pass unchanged.
"""

import json
from collections.abc import Callable
from http import HTTPStatus

from django.http import HttpRequest, HttpResponse

from linkwright.api.answers import error_content

API_PATHS = "/api/"
_JSON = "application/json"
_TEXTS = {
    400: "The server could not read this request. Check the host name and the headers.",
    404: "There is nothing at {path}. GET /api/v1/openapi.json lists what there is.",
    405: "{method} is not possible at {path}; allowed: {allow}.",
    500: "The server met an error that it did not expect, and wrote it to its log. Nothing unfinished was kept.",
}


class ApiBoundaryMiddleware:
    """Brings the answers of the API into their form; touches no other."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer the request."""
        response = self._get_response(request)
        if not request.path_info.startswith(API_PATHS):
            return response
        response.headers["Cache-Control"] = "no-store"
        response.cookies.clear()
        is_json = response.headers.get("Content-Type", "").startswith(_JSON)
        if response.status_code >= HTTPStatus.BAD_REQUEST and not is_json:
            _become_error(request, response)
        return response


def _become_error(request: HttpRequest, response: HttpResponse) -> None:
    status = response.status_code
    text = _TEXTS.get(status, HTTPStatus(status).phrase + ".").format(
        path=request.path_info, method=request.method, allow=response.headers.get("Allow", "")
    )
    response.content = json.dumps(error_content(status, text)).encode()
    response.headers["Content-Type"] = _JSON
    if "Content-Length" in response.headers:
        response.headers["Content-Length"] = str(len(response.content))
