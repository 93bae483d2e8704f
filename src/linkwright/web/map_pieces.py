"""The live pieces of a project's linkage map: its numbers, and its plots, as of the latest report."""

from linkwright.store.models import LinkageProject, User
from linkwright.store.permissions import visible_projects
from linkwright.store.queries.project_storage import read_project_storage
from linkwright.store.queries.reports import read_latest_report
from linkwright.web.live import Piece, Shown, make_piece
from linkwright.web.project_plots import history_plots
from linkwright.web.statistics_view import view_statistics


def map_numbers_piece(project: LinkageProject) -> Piece:
    """Return the numbers; before the first report, the sentence that says when they come."""
    report = read_latest_report(project)
    has_files = read_project_storage(project).files_count > 0
    context = {
        "report": report,
        "numbers": view_statistics(report.statistics.get("project", {})) if report else None,
        "has_files": has_files,
    }
    state = (report.pk if report else None, has_files)
    return make_piece(f"map-numbers-{project.pk}", "web/partials/map_numbers.html", context, *state)


def map_plots_piece(project: LinkageProject) -> Piece:
    """Return the plots of the latest report, and those over time."""
    report = read_latest_report(project)
    over_time = history_plots(project)
    plots = [*(report.plots if report else []), *over_time]
    state = (report.pk if report else None, [plot["rows"] for plot in over_time])
    return make_piece(f"map-plots-{project.pk}", "web/partials/map_plots.html", {"plots": plots}, *state)


def shown_map_pieces(user: User, shown: Shown) -> list[Piece]:
    """Look up again the numbers and plots that a browser shows."""
    return [
        piece_of(project)
        for kind, piece_of in (("map-numbers", map_numbers_piece), ("map-plots", map_plots_piece))
        for project in visible_projects(user).filter(pk__in=shown.keys(kind))
    ]
