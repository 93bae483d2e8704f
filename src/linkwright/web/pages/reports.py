"""The REPORTS tab: every project's latest numbers, a project's reports over time, and one Envelope's whole report.

From stored reports alone; no file of a project is read. Source: SPEC section 5 (Report).
"""

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_GET

from linkwright.store.models import EnvelopeReport, EnvelopeState, LinkageProject
from linkwright.store.permissions import visible_projects
from linkwright.store.queries.reports import (
    read_latest_lines,
    read_latest_report,
    read_report,
    read_report_lines,
)
from linkwright.web.access import access_of, project_or_404, signed_in
from linkwright.web.address import read_key
from linkwright.web.job_pieces import statistics_links
from linkwright.web.project_plots import history_plots, rates_plots
from linkwright.web.statistics_view import view_statistics

PAGE_SIZE = 50
# shown as a table of its own, and as plots
_DRAWN = ("drift", "linking_rates", "completeness")


@require_GET
def reports(request: HttpRequest) -> HttpResponse:
    """Show the latest numbers of the projects that the person belongs to."""
    found = list(visible_projects(signed_in(request)).filter(archived_at=None).order_by("code"))
    latest = read_latest_lines(found)
    lines = [(project, latest.get(project.pk)) for project in found]
    return render(request, "web/pages/reports.html", {"lines": lines})


@require_GET
def project_reports(request: HttpRequest, code: str) -> HttpResponse:
    """Show a project's numbers, its plots over time, and its reports, newest first."""
    project = project_or_404(signed_in(request), code)
    before = read_key(request.GET.get("before", ""))
    lines = read_report_lines(project, before=before, limit=PAGE_SIZE + 1)
    report = read_latest_report(project)
    here = reverse("project-reports", args=[code])
    older = lines[PAGE_SIZE - 1].envelope_id if len(lines) > PAGE_SIZE else None
    context = {
        "project": project,
        "report": report,
        "lines": lines[:PAGE_SIZE],
        "newest_url": here if before is not None else "",
        "older_url": f"{here}?{urlencode({'before': older})}" if older else "",
        **(_numbers(request, project, report) if report else {}),
        "plots": [*history_plots(project), *_stored(report)],
    }
    return render(request, "web/pages/project_reports.html", context)


@require_GET
def envelope_report(request: HttpRequest, code: str, envelope_id: int) -> HttpResponse:
    """Show the whole report of one Envelope."""
    project, report = _report_or_404(request, code, envelope_id)
    own = report.statistics.get("envelope", {})
    context = {
        "project": project,
        "report": report,
        "envelope": report.envelope,
        "is_live": report.envelope.state == EnvelopeState.SUCCESS,
        "own": view_statistics(own, drawn=_DRAWN),
        "drift": [
            {**row, "difference": row["envelope_share"] - row["earlier_share"]} for row in own.get("drift", [])
        ],
        **_numbers(request, project, report),
        "plots": _stored(report),
    }
    return render(request, "web/pages/envelope_report.html", context)


@require_GET
def download(request: HttpRequest, code: str, envelope_id: int) -> HttpResponse:
    """Hand the numbers of one report out, as JSON: its tables, and what its plots show."""
    project, report = _report_or_404(request, code, envelope_id)
    own, numbers = (report.statistics.get(part, {}) for part in ("envelope", "project"))
    content = {
        "reported_at": report.created_at.isoformat(),
        "project": {"code": project.code, **numbers},
        "envelope": {"id": report.envelope_id, "name": report.envelope.name, **own},
        "plots": [{name: plot[name] for name in ("name", "title", "columns", "rows")} for plot in report.plots],
    }
    answer = JsonResponse(content, json_dumps_params={"indent": 2, "ensure_ascii": False})
    answer["Content-Disposition"] = f'attachment; filename="report-{envelope_id}.json"'
    return answer


def _report_or_404(request: HttpRequest, code: str, envelope_id: int) -> tuple[LinkageProject, EnvelopeReport]:
    project = project_or_404(signed_in(request), code)
    report = read_report(project, envelope_id)
    if report is None:
        raise Http404(f"The project {code} has no report of an Envelope {envelope_id}.")
    return project, report


def _numbers(request: HttpRequest, project: LinkageProject, report: EnvelopeReport) -> dict[str, Any]:
    """Return what is shown of the project as it was after an Envelope."""
    numbers = report.statistics.get("project", {})
    hide_values = not access_of(request).may_see_values(project.pk)
    view = view_statistics(numbers, hide_values=hide_values, links=statistics_links(project.code), drawn=_DRAWN)
    return {"numbers": view}


def _stored(report: EnvelopeReport | None) -> list[dict[str, Any]]:
    if report is None:
        return []
    return [*report.plots, *rates_plots(report.statistics.get("project", {}).get("linking_rates", []))]
