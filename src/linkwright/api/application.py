"""The API as a whole: its resources, and how every error becomes the one shape."""

import json
import math
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from django.core.exceptions import (
    PermissionDenied,
    RequestDataTooBig,
    SuspiciousOperation,
)
from django.http import Http404, HttpRequest, HttpResponse, UnreadablePostError
from ninja import NinjaAPI
from ninja.errors import HttpError, ValidationError
from ninja.parser import Parser

from linkwright import __version__
from linkwright.api import (
    api_keys,
    audit_log,
    backups,
    catalog_changes,
    default_match,
    downloads,
    envelopes,
    estimations,
    event_types,
    extraction_results,
    extractions,
    groups,
    import_format_samples,
    jobs,
    linkage_fields,
    match_configuration,
    match_drafts,
    me,
    members,
    pairs,
    person_actions,
    project_changes,
    projects,
    queue,
    records,
    reports,
    settings,
    sliced_uploads,
    storage,
    uploads,
)
from linkwright.api.answers import error_response
from linkwright.api.paging import takes_no_parameters
from linkwright.api.rights import ApiKeyAuth, NoKeyError, TooManyFailuresError
from linkwright.engine.identifying import concealed
from linkwright.errors import FaultsError, LinkwrightError
from linkwright.services.kept_file import ReceiveError
from linkwright.services.submit_rights import SubmitRefusedError
from linkwright.services.upload_errors import UploadError

API_PATH = "/api/v1"
_JSON = "application/json"


class StrictParser(Parser):
    """Takes JSON only if it says that it is, and no numbers that JSON does not have."""

    def parse_body(self, request: HttpRequest) -> dict[str, Any]:
        """Return the body.

        Raises:
            HttpError: 415 for another media type, 400 for what is no JSON, or nested too deep.
        """
        if request.content_type != _JSON:
            raise HttpError(415, f"{request.content_type or 'A body of no type'} is not taken here; send {_JSON}.")
        try:
            found: dict[str, Any] = json.loads(request.body, parse_constant=_refuse_constant)
        except (ValueError, RecursionError) as error:
            raise HttpError(400, f"The body is no JSON: {error}.") from error
        return found


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no number in JSON")


api = NinjaAPI(
    title="Linkwright",
    version=__version__,
    description="Send Envelopes, follow them, steer the Job Queue, read projects. Every request needs an API key.",
    urls_namespace="api",
    openapi_url=None,
    docs_url=None,
    auth=ApiKeyAuth(),
    parser=StrictParser(),
)
api.add_router("", me.router)
api.add_router("", uploads.router)
api.add_router("/uploads", sliced_uploads.router)
api.add_router("/envelopes", envelopes.router)
api.add_router("/jobs", jobs.router)
api.add_router("/queue", queue.router)
api.add_router("/audit-log", audit_log.router)
api.add_router("/projects", projects.router)
api.add_router("", project_changes.file_router)
api.add_router("/projects", estimations.router)
api.add_router("/projects", event_types.router)
api.add_router("/projects", extractions.router)
api.add_router("/projects", extraction_results.router)
api.add_router("/projects", match_configuration.router)
api.add_router("/projects", reports.router)
api.add_router("/projects", match_drafts.router)
api.add_router("/projects", linkage_fields.router)
api.add_router("", downloads.router)
api.add_router("/projects", storage.router)
api.add_router("/projects", records.router)
api.add_router("/projects", groups.router)
api.add_router("/projects", pairs.router)
api.add_router("/projects", members.router)
api.add_router("/people", person_actions.router)
api.add_router("/api-keys", api_keys.router)
api.add_router("/backups", backups.router)
api.add_router("/settings", settings.router)
api.add_router("", catalog_changes.router)
api.add_router("", import_format_samples.router)
api.add_router("", default_match.router)


api.add_decorator(takes_no_parameters, mode="operation")


def _handles(*kinds: type[Exception]) -> Callable[[Callable[..., HttpResponse]], Callable[..., HttpResponse]]:
    def register(handler: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
        for kind in kinds:
            api.add_exception_handler(kind, handler)
        return handler

    return register


@_handles(NoKeyError)
def _no_key(_request: HttpRequest, error: NoKeyError) -> HttpResponse:
    return error_response(401, str(error))


@_handles(TooManyFailuresError)
def _too_many(_request: HttpRequest, error: TooManyFailuresError) -> HttpResponse:
    response = error_response(429, str(error))
    response.headers["Retry-After"] = str(math.ceil(error.wait_s))
    return response


@_handles(PermissionDenied, SubmitRefusedError)
def _forbidden(_request: HttpRequest, error: Exception) -> HttpResponse:
    return error_response(403, str(error) or "You may not do this.")


@_handles(Http404)
def _not_found(request: HttpRequest, error: Http404) -> HttpResponse:
    return error_response(404, str(error) or f"There is nothing at {request.path}.")


@_handles(ReceiveError)
def _no_room(_request: HttpRequest, error: ReceiveError) -> HttpResponse:
    return error_response(507, str(error))


@_handles(UploadError)
def _upload(_request: HttpRequest, error: UploadError) -> HttpResponse:
    response = error_response(error.status, str(error))
    if error.offset_bytes is not None:
        response.headers[sliced_uploads.OFFSET_HEADER] = str(error.offset_bytes)
    if error.status in {HTTPStatus.LOCKED, HTTPStatus.SERVICE_UNAVAILABLE}:
        response.headers["Retry-After"] = "1"
    return response


@_handles(FaultsError)
def _faults(_request: HttpRequest, error: FaultsError) -> HttpResponse:
    return error_response(409, concealed(error.summary), [concealed(fault) for fault in error.faults])


@_handles(LinkwrightError)
def _refused(_request: HttpRequest, error: LinkwrightError) -> HttpResponse:
    return error_response(409, concealed(str(error)))


@_handles(ValidationError)
def _invalid(_request: HttpRequest, error: ValidationError) -> HttpResponse:
    faults = [f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in error.errors]
    return error_response(422, "The request is not as described in /api/v1/openapi.json.", faults)


@_handles(HttpError)
def _http_error(_request: HttpRequest, error: HttpError) -> HttpResponse:
    # ninja hides what the parser raised behind a 400 of its own
    told = error.__cause__ if isinstance(error.__cause__, HttpError) else error
    return error_response(told.status_code, str(told))


@_handles(RequestDataTooBig)
def _too_big(_request: HttpRequest, _error: Exception) -> HttpResponse:
    return error_response(413, "The body is too long for JSON; at most 2.5 MiB are taken.")


@_handles(SuspiciousOperation, UnreadablePostError)
def _bad_request(_request: HttpRequest, error: Exception) -> HttpResponse:
    return error_response(400, f"The request could not be read: {error}")
