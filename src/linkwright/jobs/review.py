"""Review: a person's decisions about groups, as a file; Group then works out the groups that they touch."""

import csv

from linkwright.engine.identifying import identifying
from linkwright.engine.progress import Progress
from linkwright.errors import FaultsError
from linkwright.jobs.context import JobContext, JobResult, package_limits
from linkwright.jobs.listed_rows import read_lines
from linkwright.jobs.written_batch import written_batch
from linkwright.store import batch_catalog
from linkwright.store.models import BatchKind, Envelope
from linkwright.warehouse.decisions import ReviewRequest, ReviewResult, write_review
from linkwright.warehouse.live_files import RecordKey
from linkwright.warehouse.record_keys import find_records

COLUMNS = ("Linkage Project code", "Source Unique ID", "Event Type code", "target group")
MOST_FAULTS = 100


class RefusedReviewError(FaultsError):
    """The review names records that are not there, or says two things about one; nothing was decided."""


def run_review(context: JobContext) -> JobResult:
    """Read the decisions.

    Raises:
        RefusedReviewError: naming every line that is wrong, up to a hundred.
        JobError: if a data file is not text.
    """
    envelope = context.envelope
    faults: list[str] = []
    context.report(Progress("Reading decisions"))
    targets = _targets(context, faults)
    keys = list(targets)
    context.report(Progress("Finding listed records", 0, len(keys), "records"))
    found = dict(zip(keys, find_records(context.limits, context.live_files(), keys), strict=True))
    faults += [
        f"{identifying(str(key))}: {context.project.code} has no such record. Correct the identifier or the "
        "Event Type, or leave the line out."
        for key, record_id in found.items()
        if record_id is None
    ]
    if faults or not keys:
        raise RefusedReviewError(
            f"{envelope.name} is refused, and nothing was decided. Send a corrected Envelope.",
            _first(faults) or ["It lists no record. List at least one."],
        )
    result = write_review(
        ReviewRequest(
            targets={record_id: targets[key] for key, record_id in found.items() if record_id is not None},
            assignments=context.paths(batch_catalog.held_batches(envelope, BatchKind.ASSIGNMENTS)),
            ended=context.live_files().ended,
            target=context.project_folder / f"{context.stem}-decisions.parquet",
            limits=context.limits,
        )
    )
    statistics = _statistics(targets, result)
    context.audit(
        "Listed records: {records_count:,}; targets: {targets_count:,}; groups touched: {touched_groups_count:,}; "
        "pairs put together: {together_count:,}, apart: {apart_count:,}".format_map(statistics)
    )

    def commit() -> None:
        written = result.written
        batch_catalog.remove_staged_of_others(envelope)
        batch = written_batch(BatchKind.DECISIONS, written)
        batch_catalog.add_batches(context.job, [batch])
        Envelope.objects.filter(pk=envelope.pk).update(records_count=len(keys))

    return JobResult(statistics=statistics, commit=commit)


def _targets(context: JobContext, faults: list[str]) -> dict[RecordKey, str]:
    """Return the target of each listed record; adds what is wrong with single lines to `faults`."""
    targets: dict[RecordKey, str] = {}
    for data_file, lines in read_lines(context, package_limits()):
        for number, line in lines:
            place = f"{data_file.file_name}, line {number}"
            values = _values(line)
            if len(values) != len(COLUMNS) or not all(values):
                faults.append(f"{place}: it must hold {len(COLUMNS)} values: {', '.join(COLUMNS)}. Correct it.")
                continue
            project, source_unique_id, event_type, target = values
            if project != context.project.code:
                faults.append(
                    f"{place}: the Linkage Project is {identifying(repr(project))}, but the manifest names "
                    f"{context.project.code}. Send one Envelope per project."
                )
                continue
            key = RecordKey(event_type, source_unique_id)
            if targets.setdefault(key, target) != target:
                faults.append(
                    f"{place}: {identifying(str(key))} is moved to {identifying(repr(target))} and to "
                    f"{identifying(repr(targets[key]))}. A record has one target: "
                    "remove one of the lines."
                )
    return targets


def _values(line: str) -> list[str]:
    """Return the values of a line; none if it cannot be one of four values."""
    try:
        return [value.strip() for value in next(csv.reader([line]))]
    except csv.Error:
        # a value of over 128 KiB: a file of another kind
        return []


def _first(faults: list[str]) -> list[str]:
    left = len(faults) - MOST_FAULTS
    return faults if left <= 0 else [*faults[:MOST_FAULTS], f"And {left:,} more."]


def _statistics(targets: dict[RecordKey, str], result: ReviewResult) -> dict[str, int]:
    return {
        "records_count": len(targets),
        "targets_count": len(set(targets.values())),
        "touched_groups_count": result.groups_count,
        "together_count": len(result.decisions.together),
        "apart_count": len(result.decisions.apart),
    }
