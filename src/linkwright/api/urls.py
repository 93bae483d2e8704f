"""Every address below /api/v1/, and the OpenAPI document. Sign-in by session is not asked for: a key is."""

from functools import cache
from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import URLPattern, path, re_path
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET

from linkwright.api.answers import error_response
from linkwright.api.application import API_PATH, api
from linkwright.api.rights import ApiKeyAuth, NoKeyError, TooManyFailuresError
from linkwright.store.models import User


@cache
def openapi_document() -> dict[str, Any]:
    """Return the description of the whole API (OpenAPI 3.1)."""
    return dict(api.get_openapi_schema(path_prefix=f"{API_PATH}/"))


@csrf_exempt
@login_not_required
@require_GET
def openapi(request: HttpRequest) -> HttpResponse:
    """Answer with the document: to a key, or to a signed-in browser, for it says nothing of anybody's data."""
    if not isinstance(request.user, User):
        try:
            ApiKeyAuth()(request)
        except NoKeyError as error:
            return error_response(401, str(error))
        except TooManyFailuresError as error:
            return error_response(429, str(error))
    return JsonResponse(openapi_document())


@csrf_exempt
@login_not_required
def nothing_here(request: HttpRequest) -> HttpResponse:
    """Answer addresses that there are not, in the form of the API."""
    return error_response(
        404, f"There is nothing at {request.path}. GET {API_PATH}/openapi.json lists what there is."
    )


# ninja's own root says nothing, and not in the form of the API
_resources: list[URLPattern] = [
    pattern for pattern in api.urls[0] if isinstance(pattern, URLPattern) and pattern.name != "api-root"
]
for _pattern in _resources:
    login_not_required(_pattern.callback)

app_name = "api"
urlpatterns: list[URLPattern] = [
    path("openapi.json", openapi, name="openapi"),
    *_resources,
    re_path("", nothing_here),
]
