"""Delete: the records that the Envelope lists end, or all of an Event Type that is detached.

Group then works out the groups that they were part of.
"""

from collections import Counter
from collections.abc import Iterator
from typing import Any

from linkwright.engine.identifying import identifying
from linkwright.engine.progress import Progress
from linkwright.jobs.context import JobContext, JobError, JobResult, package_limits
from linkwright.jobs.listed_rows import read_lines
from linkwright.jobs.written_batch import written_batch
from linkwright.store import batch_catalog
from linkwright.store.models import BatchKind, Envelope, Severity
from linkwright.store.queries.attachments import find_attachment
from linkwright.warehouse.ends import write_ends, write_ends_of_event_type
from linkwright.warehouse.live_files import RecordKey
from linkwright.warehouse.record_keys import find_records

NAMED_COUNT = 100
EVENT_TYPE = "event_type"
"""Parameter of the job: the code of the Event Type whose records all end; without it, the Envelope lists them."""


def run_delete(context: JobContext) -> JobResult:
    """Find the listed records, and end those that there are; or all of an Event Type.

    Raises:
        JobError: if a data file is not a list of Source Unique IDs, one a line; or if the Event Type is not being
            detached by this Envelope any more.
    """
    if EVENT_TYPE in context.job.parameters:
        return _delete_event_type(context, str(context.job.parameters[EVENT_TYPE]))
    envelope = context.envelope
    context.report(Progress("Reading the list"))
    listed = list(_listed(context))
    keys = list(dict.fromkeys(listed))
    files = context.live_files()
    context.report(Progress("Finding listed records", 0, len(keys), "records"))
    found = dict(zip(keys, find_records(context.limits, files, keys), strict=True))
    unknown = [str(key) for key, record_id in found.items() if record_id is None]
    ids = [record_id for record_id in found.values() if record_id is not None]
    context.audit(f"Listed records that end: {len(ids):,}; that are not in the project: {len(unknown):,}")
    if unknown:
        context.notify(Severity.WARNING, _unknown_text(unknown))
    ends = write_ends(context.limits, ids, context.project_folder / f"{context.stem}-ends.parquet")

    def commit() -> None:
        batch_catalog.remove_staged_of_others(envelope)
        batch = written_batch(BatchKind.ENDS, ends, last_id=max(ids, default=0))
        batch_catalog.add_batches(context.job, [batch])
        Envelope.objects.filter(pk=envelope.pk).update(records_count=len(ids))

    return JobResult(statistics=_statistics(listed, ids, unknown), commit=commit)


def _delete_event_type(context: JobContext, code: str) -> JobResult:
    envelope = context.envelope
    attached = find_attachment(context.project, code)
    if attached is None or attached.detached_by_id != envelope.pk:
        raise JobError(
            f"Event Type {code} is not being detached by {envelope} any more: it was attached again since. "
            "Nothing was deleted; detach it again if its records shall end."
        )
    context.report(Progress(f"Finding the records of {code}"))
    target = context.project_folder / f"{context.stem}-ends.parquet"
    ends = write_ends_of_event_type(context.limits, context.live_files(), code, target)
    count = ends.file.rows_count
    context.audit(f"Records of {code} that end, as it is detached: {count:,}")

    def commit() -> None:
        batch_catalog.remove_staged_of_others(envelope)
        batch = written_batch(BatchKind.ENDS, ends.file, last_id=ends.last_id)
        batch_catalog.add_batches(context.job, [batch])
        Envelope.objects.filter(pk=envelope.pk).update(records_count=count)

    return JobResult(statistics={"event_type": code, "records_count": count}, commit=commit)


def _listed(context: JobContext) -> Iterator[RecordKey]:
    for data_file, lines in read_lines(context, package_limits()):
        for _number, line in lines:
            yield RecordKey(data_file.event_type_code, line)


def _unknown_text(unknown: list[str]) -> str:
    named = identifying(", ".join(unknown[:NAMED_COUNT]))
    more = f" and {len(unknown) - NAMED_COUNT:,} more" if len(unknown) > NAMED_COUNT else ""
    return (
        f"{len(unknown):,} listed records are not in the project, or were deleted before, and were passed over: "
        f"{named}{more}. Check the list; what it names right was deleted."
    )


def _statistics(listed: list[RecordKey], ids: list[int], unknown: list[str]) -> dict[str, Any]:
    return {
        "records_count": len(ids),
        "listed_count": len(listed),
        "repeated_count": sum(count - 1 for count in Counter(listed).values()),
        "unknown_count": len(unknown),
        "unknown_records": [{"record": name} for name in unknown[:NAMED_COUNT]],
    }
