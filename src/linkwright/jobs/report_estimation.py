"""The report of an estimation Envelope: the tables and plots of what was estimated; nothing becomes visible."""

from django.utils import timezone

from linkwright.jobs.context import JobContext, JobError, JobResult
from linkwright.jobs.estimation_tables import parameter_rows, rows_of, strategy_rows
from linkwright.store.models import EnvelopeReport, Estimation


def report_estimation(context: JobContext) -> JobResult:
    """Store the report of an estimation with its Envelope.

    Raises:
        JobError: if nothing was estimated.
    """
    envelope = context.envelope
    estimation = Estimation.objects.filter(envelope=envelope).first()
    if estimation is None:
        raise JobError(
            f"Nothing was estimated from {envelope.name}. Retry its Estimate job, or submit the Envelope again."
        )
    results = estimation.results
    shown = {
        "records_count": results["records_count"],
        "current_prior": results["current_prior"],
        "estimated_prior": results["estimated_prior"],
        "strategies": strategy_rows(results),
        "parameters": parameter_rows(results),
        "notes": results["notes"],
    }
    # long, and behind the plots as well
    tables = {name: rows_of(results, name) for name in ("thresholds", "unlinkables")}

    def commit() -> None:
        EnvelopeReport.objects.update_or_create(
            envelope=envelope,
            defaults={
                "statistics": {"envelope": {**shown, **tables}, "project": {}},
                "plots": estimation.plots,
                "created_at": timezone.now(),
            },
        )

    return JobResult(statistics={"plots_count": len(estimation.plots), **shown}, commit=commit)
