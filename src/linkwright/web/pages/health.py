"""The health check: whether the database answers and a worker is there. The one page without sign-in."""

from django.contrib.auth.decorators import login_not_required
from django.db import DatabaseError
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache

from linkwright.services.queue_status import worker_is_alive


@never_cache
@login_not_required
def health(request: HttpRequest) -> JsonResponse:  # noqa: ARG001 - Django's view signature
    """Answer 200 while the database answers, else 503; `worker` is for people, a web server alone is healthy."""
    try:
        is_alive = worker_is_alive()
    except DatabaseError:
        return JsonResponse({"database": "unreachable", "worker": "unknown"}, status=503)
    return JsonResponse({"database": "ok", "worker": "active" if is_alive else "absent"})
