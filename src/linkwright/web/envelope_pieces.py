"""The live pieces that show Envelopes: rows of the list, and the panel of what is active or failed lately."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from django.utils import timezone
from django.utils.safestring import SafeString

from linkwright.envelopes.manifest import RequestType
from linkwright.store.models import User
from linkwright.store.permissions import Permission
from linkwright.store.queries.envelope_lists import (
    EnvelopeRow,
    read_attention,
    read_last_errors,
)
from linkwright.store.queries.job_lists import JobRow, read_chains
from linkwright.store.queries.shown_status import QueueActivity, ShownStatus
from linkwright.web.access import Access
from linkwright.web.address import envelopes_url, project_url
from linkwright.web.job_pieces import job_row_piece, retry_refusals, statistics_pieces
from linkwright.web.live import Piece, RowGroup, make_piece, row_group
from linkwright.web.progress_view import view_progress
from linkwright.web.row_parts import (
    Option,
    badge,
    duration_html,
    elapsed_html,
    link_or_text,
    moment_html,
    number_html,
    options_html,
    text_or_dash,
    toggle_button,
)
from linkwright.web.words import DATA_ACTIONS

ERRORS_STAY_DAYS = 7
COLUMNS_COUNT = 12
_DURATION_TITLE = "the time of processing so far, without waiting"
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
    row_id, here = f"envelope-{row.id}", f"{envelopes_url()}{row.id}/"
    since = row.counted_from(timezone.now()) if row.status.is_active else None
    has_jobs = row.status is not ShownStatus.CORRUPT or row.started_at is not None
    context = {
        "css": row.status.lower(),
        "announce": f"Envelope {row.name}: {row.status}" if row.processed_at else "",
        "toggle": toggle_button(
            row_id,
            f"{here}jobs/",
            f"Jobs of {row.name}",
            is_open=is_open,
            why_closed="" if has_jobs else "A Corrupt Envelope has no jobs",
        ),
        "status": row.status,
        "name": row.name,
        "project": link_or_text(project_url(row.project_code) if row.project_id else "", row.project_code),
        "provider": text_or_dash(row.sender_code),
        "action": text_or_dash(DATA_ACTIONS.get(row.request_type, row.request_type)),
        "event_types": text_or_dash(", ".join(row.event_type_codes)),
        "records": number_html(row.records_count),
        "sender": row.received_by,
        "received": moment_html(row.received_at),
        "processed": moment_html(row.processed_at),
        "duration": duration_html(row.duration_s) if since is None else elapsed_html(since, _DURATION_TITLE),
        "options": envelope_options_html(row, options, row_id),
    }
    return make_piece(row_id, "web/partials/envelope_row.html", context, row, options)


def envelope_options_html(row: EnvelopeRow, options: EnvelopeOptions, row_id: str) -> SafeString:
    """Return the links of an Envelope: what was raised for it, with a badge by severity, and what may be done."""
    counted = f"{row.errors_count} errors, {row.warnings_count} warnings, {row.infos_count} info"
    raised = Option("notifications", "", f"Notifications of {row.name}: {counted}", icon="bell")
    links = [
        (row.notifications_count > 0, raised),
        (options.may_cancel, Option("cancel", "Cancel", f"Cancel {row.name}")),
        (options.may_roll_back, Option("rollback", "Rollback", f"Roll {row.name} back")),
        (
            options.may_download,
            Option("download", "Download", f"Download {row.name} as it was received", is_download=True),
        ),
    ]
    badges = (
        badge("error", row.errors_count, "error" if row.errors_count == 1 else "errors")
        + badge("warning", row.warnings_count, "warning" if row.warnings_count == 1 else "warnings")
        + badge("info", row.infos_count, "info")
    )
    shown = [link for is_shown, link in links if is_shown]
    return options_html(row_id, f"{envelopes_url()}{row.id}/", shown, badges=badges)


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


def attention_pieces(
    user: User, access: Access, activity: QueueActivity, known: Iterable[EnvelopeRow] = ()
) -> list[Piece]:
    """Return the panel of the active and the recently errored Envelopes: what ticks, and what stays.

    `known` are rows that the page shows anyway.
    """
    since = timezone.now() - timedelta(days=ERRORS_STAY_DAYS)
    attention = read_attention(user, activity, since=since, known=known)
    active, recent = attention.active, attention.errored
    steps: list[JobRow] = read_chains([active.id])[active.id] if active else []
    running = next((job for job in steps if job.status.is_active), None)
    progress = view_progress(running.progress) if running else None
    texts = read_last_errors([row.id for row in recent])
    failed = [
        {
            "row": row,
            "text": texts.get(row.id, ""),
            "action": DATA_ACTIONS.get(row.request_type, row.request_type),
            "options": envelope_options_html(row, envelope_options(row, access), f"errored-{row.id}"),
        }
        for row in recent
    ]
    action = DATA_ACTIONS.get(active.request_type, active.request_type) if active else ""
    counted_from = active.counted_from(timezone.now()) if active else None
    return [
        make_piece(
            "active-envelope",
            "web/partials/active_envelope.html",
            {
                "active": active,
                "elapsed": None if counted_from is None else elapsed_html(counted_from, _DURATION_TITLE),
                "action": action,
                "steps": steps,
                "running": running,
                "progress": progress,
            },
            active,
            steps,
            progress,
        ),
        make_piece(
            "recent-errors",
            "web/partials/recent_errors.html",
            {"failed": failed, "is_cut": attention.is_cut},
            failed,
            attention.is_cut,
        ),
    ]
