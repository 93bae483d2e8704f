"""One record: where it came from, its versions, its groups; and two records: what each strategy makes of them."""

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from linkwright.config import load_config
from linkwright.engine.charts import render_svg
from linkwright.engine.waterfall import waterfall_plot
from linkwright.errors import LinkwrightError
from linkwright.services.explain_pair import ExplainedPair, PairError, explain_pair
from linkwright.services.live_project import UnknownRecordError
from linkwright.services.look_at_record import keys_of, look_at_record
from linkwright.web.access import actor_of, project_or_404, signed_in
from linkwright.web.pages.errors import not_shown
from linkwright.web.pair_view import view_pair


@never_cache
@require_GET
def record_page(request: HttpRequest, code: str, record_id: int) -> HttpResponse:
    """Show the record."""
    project = project_or_404(signed_in(request), code)
    try:
        looked = look_at_record(load_config(), actor_of(request), code, record_id)
    except UnknownRecordError as error:
        raise Http404(str(error)) from error
    except LinkwrightError as error:
        return not_shown(request, error)
    values = looked.values
    context = {
        "project": project,
        "looked": looked,
        "record": looked.record,
        "values": []
        if values is None
        else [(field.name.replace("_", " "), values.values[field.name]) for field in looked.fields],
        "person_id": values.source_person_id if values else None,
        "stays": list(reversed(looked.stays)),
        "versions": list(reversed(looked.versions)),
    }
    return render(request, "web/pages/record.html", context)


@never_cache
@require_GET
def pair_page(request: HttpRequest, code: str, one: int, other: int) -> HttpResponse:
    """Explain two records."""
    project = project_or_404(signed_in(request), code)
    config, actor = load_config(), actor_of(request)
    try:
        explained = explain_pair(config, actor, code, keys_of(config, actor, code, (one, other)))
    except (UnknownRecordError, PairError) as error:
        raise Http404(str(error)) from error
    except LinkwrightError as error:
        return not_shown(request, error)
    context = {
        "project": project,
        "explained": explained,
        "view": view_pair(explained),
        "plots": _plots(explained),
    }
    return render(request, "web/pages/pair.html", context)


@never_cache
@require_GET
def chosen_pair(request: HttpRequest, code: str) -> HttpResponse:
    """Lead on to the pair of two records that were chosen in a form."""
    project_or_404(signed_in(request), code)
    ids = [request.GET.get(name, "") for name in ("one", "other")]
    if not all(text.isdecimal() and len(text) < 19 for text in ids):  # noqa: PLR2004 - of a 64-bit integer
        raise Http404("Two record ids are needed to explain a pair. Choose two records.")
    return HttpResponseRedirect(reverse("pair", args=[code, *ids]))


def _plots(explained: ExplainedPair) -> list[dict[str, object]]:
    """Draw the waterfall of the strategy that tells most, if one weighs."""
    if explained.drawn is None:
        return []
    plot = waterfall_plot(explained.drawn)
    drawn = {"name": plot.name, "title": plot.title, "svg": render_svg(plot)}
    return [{**drawn, "columns": plot.columns, "rows": plot.rows}]
