"""The live pieces of the panel 'Active and Queued Jobs': its links, the running job, the queued ones in order."""

from linkwright.store.queries.job_lists import job_row
from linkwright.web.address import envelopes_url
from linkwright.web.frame import QueueView
from linkwright.web.live import Piece, make_piece
from linkwright.web.progress_view import view_progress


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
    waiting = [job_row(job) for job in queue.queued]
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
            {"rows": waiting, "is_cut": is_cut, "envelopes_url": envelopes_url()},
            [(row.id, row.attempt) for row in waiting],
            is_cut,
        ),
    ]
