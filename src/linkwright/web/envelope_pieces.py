"""The live pieces that show Envelopes: rows of the list, and the panel of what is active or failed lately."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from html import escape

from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.safestring import SafeString

from linkwright.envelopes.manifest import RequestType
from linkwright.store.permissions import Permission
from linkwright.store.queries.envelope_lists import (
    EnvelopeRow,
    attention_of,
    read_last_errors,
)
from linkwright.store.queries.job_lists import JobRow, read_chains
from linkwright.store.queries.shown_status import ShownStatus
from linkwright.web.access import Access
from linkwright.web.address import envelopes_url
from linkwright.web.formatting import NO_VALUE
from linkwright.web.job_pieces import job_row_piece, retry_refusals, statistics_pieces
from linkwright.web.live import Piece, RowGroup, drawn_piece, make_piece, row_group
from linkwright.web.progress_view import view_progress
from linkwright.web.row_parts import (
    Option,
    badge,
    duration_html,
    elapsed_html,
    moment_html,
    number_html,
    options_html,
    project_html,
    status_html,
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
    return drawn_piece(f"envelope-{row.id}", partial(_row_html, row, options, is_open), row.shown, options)


def _row_html(row: EnvelopeRow, options: EnvelopeOptions, is_open: bool, attributes: str) -> str:
    """Return the <tr> of an Envelope: the cells of SPEC section 4, in the order of the table's head."""
    row_id, here, name = f"envelope-{row.id}", f"{envelopes_url()}{row.id}/", escape(row.name)
    has_jobs = row.status is not ShownStatus.CORRUPT or row.started_at is not None
    why_closed = "" if has_jobs else "A Corrupt Envelope has no jobs"
    toggle = toggle_button(row_id, f"{here}jobs/", f"Jobs of {row.name}", is_open=is_open, why_closed=why_closed)
    told = f' data-announce="Envelope {name}: {row.status}"' if row.processed_at else ""
    return (
        f'<tr {attributes} class="row row-{row.status.lower()}"{told}>'
        f'<td class="cell-plus">{toggle}</td>'
        f'<td class="cell-status">{status_html(row.status)}</td>'
        f'<th scope="row" class="cell-name"><span class="name" title="{name}">{name}</span></th>'
        f"{_facts_html(row, options, row_id)}</tr>"
    )


def _errored_rows(failed: Iterable[tuple[EnvelopeRow, EnvelopeOptions, str]]) -> SafeString:
    return SafeString("".join(_errored_html(row, options, text) for row, options, text in failed))


def _errored_html(row: EnvelopeRow, options: EnvelopeOptions, text: str) -> str:
    """Return the <tr> of an Envelope that failed lately, with what happened."""
    name, text = escape(row.name), escape(text or NO_VALUE)
    return (
        f'<tr class="row"><td class="cell-status">{status_html(row.status)}</td>'
        f'<th scope="row" class="cell-name">'
        f'<a class="name" href="{envelopes_url()}{row.id}/jobs/" title="{name}">{name}</a></th>'
        f'<td class="cell-result"><div class="clip" title="{text}">{text}</div></td>'
        f"{_facts_html(row, options, f'errored-{row.id}')}</tr>"
    )


def _facts_html(row: EnvelopeRow, options: EnvelopeOptions, row_id: str) -> str:
    """Return the cells from the project to the options: the same wherever Envelopes are listed."""
    since = row.counted_from(timezone.now()) if row.status.is_active else None
    sender = f' title="by {escape(row.received_by)}"' if row.received_by else ""
    duration = duration_html(row.duration_s) if since is None else elapsed_html(since, _DURATION_TITLE)
    return (
        f'<td class="code">{project_html(row.project_id, row.project_code)}</td>'
        f'<td class="code">{text_or_dash(row.sender_code)}</td>'
        f"<td>{text_or_dash(DATA_ACTIONS.get(row.request_type, row.request_type))}</td>"
        f'<td class="code cell-types">{text_or_dash(", ".join(row.event_type_codes))}</td>'
        f'<td class="number">{number_html(row.records_count)}</td>'
        f'<td class="time"{sender}>{moment_html(row.received_at)}</td>'
        f'<td class="time">{moment_html(row.processed_at)}</td>'
        f'<td class="number">{duration}</td>'
        f'<td class="cell-options"><div class="options">{envelope_options_html(row, options, row_id)}</div></td>'
    )


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
        below = render_to_string("web/partials/envelope_chain.html", context)
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


def attention_pieces(access: Access, rows: Iterable[EnvelopeRow]) -> list[Piece]:
    """Return the panel of the active and the recently errored Envelopes: what ticks, and what stays.

    `rows` are those that `find_attention` named, as far as they exist for the person.
    """
    since = timezone.now() - timedelta(days=ERRORS_STAY_DAYS)
    attention = attention_of(rows, since=since)
    active, recent = attention.active, attention.errored
    steps: list[JobRow] = read_chains([active.id])[active.id] if active else []
    running = next((job for job in steps if job.status.is_active), None)
    progress = view_progress(running.progress) if running else None
    texts = read_last_errors([row.id for row in recent])
    failed = [(row, envelope_options(row, access), texts.get(row.id, "")) for row in recent]
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
            {"count": len(failed), "rows": partial(_errored_rows, failed), "is_cut": attention.is_cut},
            [(row.shown, options, text) for row, options, text in failed],
            attention.is_cut,
        ),
    ]
