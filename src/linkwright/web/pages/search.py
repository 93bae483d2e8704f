"""The search of the top bar: whatever has a name, a code or a number; and where to go on for records."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from linkwright.store.permissions import Permission, visible_projects
from linkwright.store.queries.site_search import MOST_SHOWN, search_everywhere
from linkwright.web.access import access_of, signed_in
from linkwright.web.address import MAX_TEXT_LENGTH


@never_cache
@require_GET
def search(request: HttpRequest) -> HttpResponse:
    """Show what a text finds; without one, what can be searched."""
    user = signed_in(request)
    text = " ".join(request.GET.get("q", "").replace("\0", "").split())[:MAX_TEXT_LENGTH]
    sees_catalog = access_of(request).may(Permission.CONFIGURE_CATALOG)
    context = {
        "text": text,
        "found": search_everywhere(user, text, sees_catalog=sees_catalog) if text else None,
        "projects": visible_projects(user).order_by("code")[:MOST_SHOWN] if text else [],
    }
    return render(request, "web/pages/search.html", context)
