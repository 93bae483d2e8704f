"""The one shape of every error, and which errors each operation can answer with.

Successful answers are described beside their resources. Names are those of the code, units included; times are
ISO 8601 in UTC.
"""

from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

from django.http import HttpResponse, JsonResponse
from ninja import Schema
from pydantic import Field

# what a program can tell apart, by status
CODES: dict[int, str] = {
    400: "bad_request",
    401: "unauthenticated",
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
    408: "too_slow",
    409: "refused",
    411: "length_required",
    413: "too_large",
    415: "unsupported_media_type",
    422: "invalid",
    423: "locked",
    429: "too_many_requests",
    500: "server_error",
    503: "busy",
    507: "no_room",
}
VALUES_HIDDEN = "With `[hidden]` in the place of identifying values for those who may not see them."
"""What is said of a text that may name values of the data."""
_ALWAYS = (400, 401, 403, 404, 422, 429, 500)


class ErrorDetail(Schema):
    """What went wrong."""

    code: str = Field(description=f"One of: {', '.join(sorted(CODES.values()))}.")
    message: str = Field(description="What, to what, and what to do; for people.")
    faults: list[str] = Field(description="Every single fault, where there are several; else empty.")


class ErrorAnswer(Schema):
    """Every error has this shape."""

    error: ErrorDetail


def possible_errors(*statuses: int) -> dict[int, type[ErrorAnswer]]:
    """Return the answers of an operation that are errors: those that all have, and `statuses`."""
    return dict.fromkeys(sorted({*_ALWAYS, *statuses}), ErrorAnswer)


def error_content(status: int, message: str, faults: Sequence[str] = ()) -> dict[str, Any]:
    """Return an error's body."""
    code = CODES.get(status, HTTPStatus(status).phrase.lower().replace(" ", "_"))
    return {"error": {"code": code, "message": message, "faults": list(faults)}}


def error_response(status: int, message: str, faults: Sequence[str] = ()) -> HttpResponse:
    """Return an error as a response."""
    response = JsonResponse(error_content(status, message, faults), status=status)
    if status == HTTPStatus.UNAUTHORIZED:
        response.headers["WWW-Authenticate"] = 'Bearer realm="Linkwright"'
    return response
