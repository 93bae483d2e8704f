"""The live pieces that show Envelopes: rows of the list, and the panel of what is active or failed lately."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from django.utils import timezone

from linkwright.envelopes.manifest import RequestType
from linkwright.store.models import User
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
from linkwright.web.address import envelopes_url, project_url
from linkwright.web.job_pieces import job_row_piece, retry_refusals, statistics_pieces
from linkwright.web.live import Piece, RowGroup, make_piece, row_group
from linkwright.web.progress_view import view_progress
from linkwright.web.words import DATA_ACTIONS

ERRORS_STAY_DAYS = 7
COLUMNS_COUNT = 12
_WAITING = (ShownStatus.QUEUED, ShownStatus.SUCCESS_ACTIVE, ShownStatus.ERRORS_ACTIVE)


@dataclass(frozen=True)
class Chain:
    """An Envelope's jobs as rows, each with what opens below it (None = closed)."""

    steps: Sequence[tuple[Piece, Piece | None]]


@dataclass(frozen=True)
class EnvelopeOptions:
    """What a person may do with an Envelope now; what they may not is not shown."""

    may_cancel: bool
    may_roll_back: bool
    may_download: bool


def envelope_options(row: EnvelopeRow, access: Access) -> EnvelopeOptions:
    """Tell what a person may do with an Envelope."""
    cancellable = row.status in _WAITING
    loaded = row.status is ShownStatus.SUCCESS and row.request_type != RequestType.ESTIMATE_PROBABILITIES
    return EnvelopeOptions(
        may_cancel=cancellable and access.may(Permission.CANCEL, row.project_id),
        may_roll_back=loaded and access.may(Permission.ROLL_BACK, row.project_id),
        may_download=row.has_file and access.may(Permission.SEE_IDENTIFYING_VALUES, row.project_id),
    )


def envelope_row_piece(row: EnvelopeRow, access: Access, *, is_open: bool) -> Piece:
    """Return an Envelope's row."""
    options = envelope_options(row, access)
    context = {
        "row": row,
        "action": DATA_ACTIONS.get(row.request_type, row.request_type),
        "options": options,
        "is_open": is_open,
        # worked out once for all links of the row: a list has hundreds of them
        "row_id": f"envelope-{row.id}",
        "name": row.name,
        "here": f"{envelopes_url()}{row.id}/",
        "project_url": project_url(row.project_code) if row.project_id else "",
    }
    return make_piece(f"envelope-{row.id}", "web/partials/envelope_row.html", context, row, options)


def envelope_group(row: EnvelopeRow, access: Access, chain: Chain | None) -> RowGroup:
    """Return an Envelope's row with the place for its jobs, filled if it is open."""
    piece = envelope_row_piece(row, access, is_open=chain is not None)
    below = ""
    if chain is not None:
        context = {"chain": chain, "envelope": row}
        below = Piece(f"chain-{row.id}", "", "web/partials/envelope_chain.html", context).render()
    return row_group(piece, below, columns_count=COLUMNS_COUNT)


def read_open_chains(envelope_ids: Sequence[int], open_jobs: set[int], access: Access) -> Mapping[int, Chain]:
    """Return the chains of open Envelopes, with the statistics of those of their jobs that are open too."""
    found = read_chains(envelope_ids)
    opened = {row.id: row for jobs in found.values() for row in jobs if row.id in open_jobs}
    statistics = dict(zip(opened, statistics_pieces(opened.values(), access), strict=True))
    refusals = retry_refusals([row for jobs in found.values() for row in jobs], access)
    return {
        envelope_id: Chain(
            [
                (
                    job_row_piece(job, access, prefix="step", is_open=job.id in opened, refusals=refusals),
                    statistics.get(job.id),
                )
                for job in jobs
            ]
        )
        for envelope_id, jobs in found.items()
    }


def attention_pieces(user: User, access: Access) -> list[Piece]:
    """Return the panel of the active and the recently errored Envelopes: what ticks, and what stays."""
    activity = read_activity()
    active = read_active_envelope(user, activity)
    steps: list[JobRow] = read_chains([active.id])[active.id] if active else []
    running = next((job for job in steps if job.status.is_active), None)
    progress = view_progress(running.progress) if running else None
    recent = read_recent_errors(user, activity, since=timezone.now() - timedelta(days=ERRORS_STAY_DAYS))
    texts = read_last_errors([row.id for row in recent])
    failed = [
        {
            "row": row,
            "text": texts.get(row.id, ""),
            "action": DATA_ACTIONS.get(row.request_type, row.request_type),
            "options": envelope_options(row, access),
            "prefix": f"errored-{row.id}",
            "here": f"{envelopes_url()}{row.id}/",
        }
        for row in recent
    ]
    action = DATA_ACTIONS.get(active.request_type, active.request_type) if active else ""
    return [
        make_piece(
            "active-envelope",
            "web/partials/active_envelope.html",
            {"active": active, "action": action, "steps": steps, "running": running, "progress": progress},
            active,
            steps,
            progress,
        ),
        make_piece("recent-errors", "web/partials/recent_errors.html", {"failed": failed}, failed),
    ]
