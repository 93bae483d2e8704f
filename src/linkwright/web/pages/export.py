"""Download of a list as CSV: every row that its filters give, in columns as on the page."""

from collections.abc import Iterator

from django.http import HttpRequest, StreamingHttpResponse
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET

from linkwright.services.export_list import Columns, export_envelopes, export_jobs
from linkwright.store.permissions import Permission
from linkwright.store.queries.envelope_lists import EnvelopeRow
from linkwright.store.queries.job_lists import JobRow
from linkwright.web.access import access_of, actor_of, signed_in
from linkwright.web.address import read_address
from linkwright.web.job_pieces import headline_of
from linkwright.web.list_filters import envelope_filter, job_filter
from linkwright.web.words import DATA_ACTIONS

ENVELOPE_COLUMNS: Columns[EnvelopeRow] = {
    "Number": lambda row: row.id,
    "Status": lambda row: row.status.value,
    "Name": lambda row: row.name,
    "Project": lambda row: row.project_code,
    "Provider": lambda row: row.sender_code,
    "Data action": lambda row: DATA_ACTIONS.get(row.request_type, row.request_type),
    "Event Types": lambda row: ", ".join(row.event_type_codes),
    "Records": lambda row: row.records_count,
    "Received": lambda row: row.received_at,
    "Received by": lambda row: row.received_by,
    "Processed": lambda row: row.processed_at,
    "Duration (s)": lambda row: row.duration_s,
    "Errors": lambda row: row.errors_count,
    "Warnings": lambda row: row.warnings_count,
    "Info": lambda row: row.infos_count,
}
JOB_COLUMNS: Columns[JobRow] = {
    "Number": lambda row: row.id,
    "Status": lambda row: row.status.value,
    "Job": lambda row: row.kind,
    "File": lambda row: row.file,
    "Envelope": lambda row: row.envelope_name,
    "Project": lambda row: row.project_code,
    "Result": lambda row: row.error_message or headline_of(row).replace("\u202f", ""),
    "Ended as": lambda row: row.end_reason,
    "Attempt": lambda row: row.attempt,
    "Queued": lambda row: row.queued_at,
    "Started": lambda row: row.started_at,
    "Ended": lambda row: row.ended_at,
    "Duration (s)": lambda row: row.duration_s,
    "Peak memory (bytes)": lambda row: row.peak_memory_bytes,
}


@require_GET
def envelopes_export(request: HttpRequest) -> StreamingHttpResponse:
    """Send all Envelopes that the address' filters give."""
    access_of(request).demand(Permission.SEE_JOBS)
    wanted = envelope_filter(read_address(request, reverse("envelopes")))
    lines = export_envelopes(signed_in(request), wanted, actor_of(request), ENVELOPE_COLUMNS)
    return _as_file(lines, "envelopes")


@require_GET
def jobs_export(request: HttpRequest) -> StreamingHttpResponse:
    """Send all jobs that the address' filters give."""
    access_of(request).demand(Permission.SEE_JOBS)
    wanted = job_filter(read_address(request, reverse("jobs")))
    return _as_file(export_jobs(signed_in(request), wanted, actor_of(request), JOB_COLUMNS), "jobs")


def _as_file(lines: Iterator[str], name: str) -> StreamingHttpResponse:
    response = StreamingHttpResponse((line.encode() for line in lines), content_type="text/csv; charset=utf-8")
    response.headers["Content-Disposition"] = f'attachment; filename="{name}-{timezone.now():%Y-%m-%d}.csv"'
    response.headers["Cache-Control"] = "private, no-store"
    return response
