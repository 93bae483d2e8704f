"""One Linkage Project: numbers and plots of the latest report, Event Types, what was estimated and extracted."""

from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import urlencode

from linkwright.jobs.project_form import current_version
from linkwright.store.models import MatchConfigurationVersion
from linkwright.store.permissions import Permission
from linkwright.store.queries.project_storage import read_project_storage
from linkwright.web.access import access_of, project_or_404, signed_in
from linkwright.web.address import export_url, read_address
from linkwright.web.estimation_pieces import estimations_piece
from linkwright.web.event_type_pieces import event_types_piece
from linkwright.web.extraction_pieces import extractions_piece
from linkwright.web.first_steps import note_look_at_groups
from linkwright.web.formatting import count_words, format_number
from linkwright.web.frame import queue_view_of
from linkwright.web.list_filters import envelope_filters
from linkwright.web.list_paging import to_the_first_page
from linkwright.web.live import page_token
from linkwright.web.map_pieces import map_numbers_piece, map_plots_piece
from linkwright.web.pages.envelopes import list_context, read_page
from linkwright.web.pages.records import search_context


def project_page(request: HttpRequest, code: str) -> HttpResponse:
    """Show the project."""
    user, access = signed_in(request), access_of(request)
    project = project_or_404(user, code)
    here = reverse("project", args=[code])
    address = read_address(request, here).with_fixed("project", "")
    if "toggle" in request.GET:
        row = request.GET["toggle"]
        return HttpResponseRedirect(f"{address.toggled(row).url}#{row}")
    token = page_token(user, request)
    note_look_at_groups(user)
    configuration = current_version(project)
    queue = queue_view_of(request)
    page = read_page(user, address.with_fixed("project", project.code), queue.activity)
    elsewhere = to_the_first_page(address, page)
    if elsewhere:
        return elsewhere
    context = {
        "project": project,
        "map_numbers": map_numbers_piece(project),
        "map_plots": map_plots_piece(project),
        "may_delete": user.is_superuser,
        "event_types": event_types_piece(project, user),
        "strategies": _strategies(configuration),
        "configuration": configuration,
        "asks_frequencies": _asks_frequencies(configuration),
        "may_configure": access.may(Permission.CONFIGURE_PROJECTS, project.pk),
        "may_submit": access.may(Permission.SUBMIT, project.pk) and project.archived_at is None,
        "may_manage_people": access.may(Permission.MANAGE_PEOPLE, project.pk),
        "may_extract": access.may(Permission.EXTRACT, project.pk),
        "extractions": extractions_piece(project),
        "estimations": estimations_piece(project),
        "storage": read_project_storage(project),
        "address": address,
        "live_url": f"{reverse('envelopes-live')}?{urlencode({'project': code})}",
        "live_token": token,
        "is_active": queue.is_active,
        **search_context(request, project),
        "filters": envelope_filters(user, address, has_project=False),
        "export_url": export_url(reverse("envelopes-export"), address, project=project.code),
        **list_context(access, address, page),
    }
    return render(request, "web/pages/project.html", context)


def _strategies(configuration: MatchConfigurationVersion | None) -> list[tuple[str, str]]:
    """Return each strategy's name, and what it does in a line."""
    found = configuration.definition.get("strategies", []) if configuration else []
    return [(strategy["name"], _strategy_line(strategy)) for strategy in found]


def _asks_frequencies(configuration: MatchConfigurationVersion | None) -> bool:
    """Tell whether a comparison of the configuration has its frequent and rare values told apart."""
    found = configuration.definition.get("strategies", []) if configuration else []
    return any(
        item.get("term_frequency") is not None for strategy in found for item in strategy.get("comparisons", [])
    )


def _strategy_line(strategy: Mapping[str, Any]) -> str:
    rules = count_words(len(strategy["blocking_rules"]), "blocking rule")
    comparisons = strategy.get("comparisons", [])
    if not comparisons:
        return f"deterministic, {rules}"
    match = strategy.get("match_threshold")
    review = strategy.get("review_threshold")
    parts = [rules, count_words(len(comparisons), "comparison")]
    if match is not None:
        parts.append(f"links from weight {format_number(match)}")
    if review is not None and review != match:
        parts.append(f"review from {format_number(review)}")
    return ", ".join(parts)
