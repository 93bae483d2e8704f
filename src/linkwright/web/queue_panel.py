"""The live pieces of the panel 'Active and Queued Jobs': its links, the running job, the queued ones in order."""

from collections.abc import Iterable
from functools import partial
from html import escape

from django.utils.safestring import SafeString

from linkwright.store.queries.job_lists import JobRow, job_row
from linkwright.web.address import envelopes_url
from linkwright.web.frame import QueueView
from linkwright.web.live import Piece, make_piece
from linkwright.web.progress_view import view_progress
from linkwright.web.row_parts import moment_html


def queue_panel_pieces(queue: QueueView) -> list[Piece]:
    """Return the panel's three pieces. What ticks is apart from what is clicked."""
    is_paused = queue.status.paused_at is not None
    links = {
        "may_pause": queue.may_pause and not is_paused,
        "may_resume": queue.may_pause and is_paused,
        "may_clear": queue.may_clear and queue.status.queued_count > 0,
    }
    running = job_row(queue.running) if queue.running else None
    progress = view_progress(running.progress) if running else None
    waiting = queue.queued
    is_cut = queue.status.is_cut
    return [
        make_piece("queue-links", "web/partials/queue_links.html", links, links),
        make_piece(
            "running-job",
            "web/partials/running_job.html",
            {
                "row": running,
                "progress": progress,
                "is_busy": queue.status.running is not None,
                "is_paused": is_paused,
                "worker_alive": queue.status.worker_alive,
                "waiting_count": len(waiting),
            },
            running,
            progress,
            queue.status.running is not None,
            is_paused,
            queue.status.worker_alive,
            bool(waiting),
        ),
        make_piece(
            "queued-jobs",
            "web/partials/queued_jobs.html",
            {"count": len(waiting), "lines": partial(_lines_html, waiting), "is_cut": is_cut},
            [(row.id, row.attempt) for row in waiting],
            is_cut,
        ),
    ]


def _lines_html(waiting: Iterable[JobRow]) -> SafeString:
    """Return an <li> for each queued job."""
    return SafeString("".join(_line_html(place, row) for place, row in enumerate(waiting, start=1)))


def _line_html(place: int, row: JobRow) -> str:
    file = f' <span class="code muted">{escape(row.file)}</span>' if row.file else ""
    envelope = '<span class="muted">system</span>'
    if row.envelope_id is not None:
        envelope = f'<a href="{envelopes_url()}{row.envelope_id}/jobs/">{escape(row.envelope_name)}</a>'
    return (
        f'<li><span class="queue-place">{place}</span><span class="queue-kind">{row.kind}{file}</span>'
        f'<span class="queue-envelope">{envelope}</span><span class="code muted">{escape(row.project_code)}</span>'
        f'<span class="time">queued {moment_html(row.queued_at)}</span></li>'
    )
