"""Try a draft of a match configuration on a sample: pairs per rule, weights with thresholds, examples."""

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from linkwright.config import load_config
from linkwright.engine.charts import render_svg, weights_plot
from linkwright.engine.fields import LinkageField
from linkwright.engine.identifying import concealed, revealed
from linkwright.errors import LinkwrightError
from linkwright.jobs.project_form import linkage_fields
from linkwright.services.try_match import ExamplePair, Examples, StrategyTrial, try_match
from linkwright.store.models import LinkageProject
from linkwright.web.access import access_of, actor_of
from linkwright.web.formatting import format_weight
from linkwright.web.match_draft import read_draft
from linkwright.web.pages.match_edit import configurable_or_404


@dataclass(frozen=True)
class ExampleView:
    """A pair near a threshold: its records, and the values that either has, told apart where they differ."""

    weight: str
    verdict: str
    one: str
    other: str
    ids: tuple[int, int]
    values: list[tuple[str, str, str, bool]]


@never_cache
@require_POST
def match_try(request: HttpRequest, code: str) -> HttpResponse:
    """Try the draft."""
    return try_draft(request, configurable_or_404(request, code))


def try_draft(request: HttpRequest, project: LinkageProject) -> HttpResponse:
    """Try a draft, of its own configuration or of the default, on the records of a project."""
    fields = linkage_fields(project)
    told = revealed if access_of(request).may_see_values(project.pk) else concealed
    context: dict[str, Any] = {"project": project}
    draft = read_draft(request.POST)
    checked = draft.check(fields)
    if checked.configuration is None:
        context["refusal"] = "The draft has faults. Mend them, then try it."
        context["faults"] = [fault.text for fault in checked.faults]
        return render(request, "web/partials/match_trial.html", context)
    try:
        trial = try_match(load_config(), actor_of(request), project, checked.configuration)
    except LinkwrightError as error:
        context["refusal"] = told(str(error))
        return render(request, "web/partials/match_trial.html", context)
    context |= {
        "trial": trial,
        "warnings": [told(text) for text in trial.warnings],
        "strategies": [
            {"trial": one, "plots": _plots(one), "examples": _examples(one, fields)} for one in trial.strategies
        ],
    }
    return render(request, "web/partials/match_trial.html", context)


def _plots(one: StrategyTrial) -> list[dict[str, object]]:
    match, review = one.strategy.match_threshold, one.strategy.review_threshold
    if match is None or review is None or not one.weights:
        return []
    bins = [
        {
            "weight": count.weight,
            "scored_pairs_count": count.scored_count,
            "kept_pairs_count": count.linked_count + count.review_count,
        }
        for count in one.weights
    ]
    plot = weights_plot(bins, match_threshold=match, review_threshold=review)
    drawn = {"name": f"{plot.name}-{one.strategy.name}", "title": plot.title, "svg": render_svg(plot)}
    return [{**drawn, "columns": plot.columns, "rows": plot.rows}]


def _examples(one: StrategyTrial, fields: tuple[LinkageField, ...]) -> list[dict[str, object]]:
    return [
        {
            "title": f"Around the {'match' if around.is_match else 'review'} threshold "
            f"({format_weight(around.threshold)})",
            "pairs": _pairs(around, fields),
        }
        for around in one.examples
    ]


def _pairs(around: Examples, fields: tuple[LinkageField, ...]) -> list[ExampleView]:
    over, under = ("links", "does not link") if around.is_match else ("kept for review", "dropped")
    told = [*((pair, over) for pair in around.over), *((pair, under) for pair in around.under)]
    return [_view(pair, verdict, fields) for pair, verdict in told]


def _view(pair: ExamplePair, verdict: str, fields: tuple[LinkageField, ...]) -> ExampleView:
    values = []
    if pair.one.values is not None and pair.other.values is not None:
        for field in fields:
            left, right = (one.values[field.name] or "" for one in (pair.one.values, pair.other.values))
            if left or right:
                values.append((field.name.replace("_", " "), left, right, left != right))
    return ExampleView(
        weight=format_weight(pair.match_weight),
        verdict=verdict,
        one=str(pair.one.key),
        other=str(pair.other.key),
        ids=(pair.one.record_id, pair.other.record_id),
        values=values,
    )
