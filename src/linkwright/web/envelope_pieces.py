"""The live pieces that show Envelopes: rows of the list, and the panel of what is active or failed lately."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from django.utils import timezone

from linkwright.envelopes.manifest import RequestType
from linkwright.services.cancel_envelope import may_cancel
from linkwright.store.models import Envelope, EnvelopeState, User
from linkwright.store.permissions import Permission
from linkwright.store.queries.envelope_lists import (
    EnvelopeRow,
    read_active_envelope,
    read_last_errors,
    read_recent_errors,
)
from linkwright.store.queries.job_lists import JobRow, read_chains
from linkwright.store.queries.shown_status import ShownStatus, read_activity
from linkwright.web.access import Access
from linkwright.web.job_pieces import job_row_piece, statistics_pieces
from linkwright.web.live import Piece, RowGroup, make_piece
from linkwright.web.progress_view import view_progress
from linkwright.web.words import DATA_ACTIONS

ERRORS_STAY_DAYS = 7
_WAITING = (ShownStatus.QUEUED, ShownStatus.SUCCESS_ACTIVE, ShownStatus.ERRORS_ACTIVE)


@dataclass(frozen=True)
class Chain:
    """An Envelope's jobs as rows, each with what opens below it (None = closed)."""

    steps: Sequence[tuple[Piece, Piece | None]]


def envelope_row_piece(row: EnvelopeRow, access: Access, *, is_open: bool) -> Piece:
    """Return an Envelope's row."""
    cancellable = row.status in _WAITING and may_cancel(Envelope(pk=row.id, state=EnvelopeState.QUEUED))
    allowed = cancellable and access.may(Permission.CANCEL, row.project_id)
    loaded = row.status is ShownStatus.SUCCESS and row.request_type != RequestType.ESTIMATE_PROBABILITIES
    may_roll_back = loaded and access.may(Permission.ROLL_BACK, row.project_id)
    context = {
        "row": row,
        "action": DATA_ACTIONS.get(row.request_type, row.request_type),
        "may_cancel": allowed,
        "may_roll_back": may_roll_back,
        "is_open": is_open,
    }
    return make_piece(f"envelope-{row.id}", "web/partials/envelope_row.html", context, row, allowed, may_roll_back)


def envelope_group(row: EnvelopeRow, access: Access, chain: Chain | None) -> RowGroup:
    """Return an Envelope's row with the place for its jobs, filled if it is open."""
    piece = envelope_row_piece(row, access, is_open=chain is not None)
    context = {"row_piece": piece, "chain": chain, "envelope": row}
    return RowGroup(piece.id, Piece(f"{piece.id}-group", "", "web/partials/envelope_group.html", context).render())


def read_open_chains(envelope_ids: Sequence[int], open_jobs: set[int], access: Access) -> Mapping[int, Chain]:
    """Return the chains of open Envelopes, with the statistics of those of their jobs that are open too."""
    found = read_chains(envelope_ids)
    opened = {row.id: row for jobs in found.values() for row in jobs if row.id in open_jobs}
    statistics = dict(zip(opened, statistics_pieces(opened.values(), access), strict=True))
    return {
        envelope_id: Chain(
            [
                (
                    job_row_piece(job, access, prefix="step", is_open=job.id in opened),
                    statistics.get(job.id),
                )
                for job in jobs
            ]
        )
        for envelope_id, jobs in found.items()
    }


def attention_pieces(user: User) -> list[Piece]:
    """Return the panel of the active and the recently errored Envelopes: what ticks, and what stays."""
    activity = read_activity()
    active = read_active_envelope(user, activity)
    steps: list[JobRow] = read_chains([active.id])[active.id] if active else []
    running = next((job for job in steps if job.status.is_active), None)
    progress = view_progress(running.progress) if running else None
    recent = read_recent_errors(user, activity, since=timezone.now() - timedelta(days=ERRORS_STAY_DAYS))
    texts = read_last_errors([row.id for row in recent])
    failed = [(row, texts.get(row.id, "")) for row in recent]
    return [
        make_piece(
            "active-envelope",
            "web/partials/active_envelope.html",
            {"active": active, "steps": steps, "running": running, "progress": progress},
            active,
            steps,
            progress,
        ),
        make_piece("recent-errors", "web/partials/recent_errors.html", {"failed": failed}, failed),
    ]
