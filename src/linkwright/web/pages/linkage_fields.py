"""The linkage fields of a project: where each comes from, how it is standardised, what uses it."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from linkwright.config import load_config
from linkwright.engine.cleaning_words import FIRST_STEPS
from linkwright.errors import LinkwrightError
from linkwright.services.linkage_fields import read_linkage_fields
from linkwright.store.permissions import Permission
from linkwright.web.access import access_of, actor_of, project_or_404, signed_in
from linkwright.web.pages.errors import not_shown


@never_cache
@require_GET
def linkage_fields_page(request: HttpRequest, code: str) -> HttpResponse:
    """Show the fields; with `values=1` what records hold, to those who may see it."""
    project, access = project_or_404(signed_in(request), code), access_of(request)
    access.demand(Permission.SEE_JOBS, project.pk)
    may_see, is_asked = access.may_see_values(project.pk), request.GET.get("values") == "1"
    try:
        fields = read_linkage_fields(load_config(), actor_of(request), project, shows_values=may_see and is_asked)
    except LinkwrightError as error:
        return not_shown(request, error)
    used = [one for one in fields if one.sources or one.uses or one.is_own]
    context = {
        "project": project,
        "fields": used,
        "unused": [one.field for one in fields if one not in used],
        "first_steps": FIRST_STEPS,
        "may_see_values": may_see,
        "shows_values": may_see and is_asked,
    }
    return render(request, "web/pages/linkage_fields.html", context)
