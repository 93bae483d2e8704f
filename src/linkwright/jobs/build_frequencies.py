"""Term frequencies: how frequent each value is among the held records, counted once for a version.

They belong to a version of the match configuration and stay as they are until the next: so the weight of two
records does not depend on what was loaded when.
"""

from collections.abc import Sequence
from pathlib import Path

from linkwright.engine.progress import Progress
from linkwright.engine.strategy import MatchConfiguration
from linkwright.engine.term_frequencies import frequency_fields
from linkwright.jobs.context import JobContext, JobError, JobResult
from linkwright.jobs.project_form import current_match_configuration, current_version
from linkwright.store import batch_catalog
from linkwright.store.models import Batch, BatchKind, Job, LinkageProject, MatchConfigurationVersion
from linkwright.warehouse.limits import WrittenFile
from linkwright.warehouse.record_views import count_live_records
from linkwright.warehouse.term_frequencies import build_term_frequencies

ONLY_FREQUENCIES = "only_frequencies"
STARTED_BY = "started_by"


def run_build_frequencies(context: JobContext) -> JobResult:
    """Count the frequencies that the current match configuration asks for; they come with the next version of it.

    The definition stays. On commit the version is there, and later Envelopes use it.

    Raises:
        JobError: if there is no match configuration, it asks for no frequencies, there are no records, or the
            configuration was changed meanwhile.
        ConfigurationError: if the configuration does not fit the project's fields.
    """
    project = context.project
    base, configuration = current_match_configuration(project)
    context.audit(f"Match configuration version {base.version}")
    demand_frequency_fields(configuration, project.code)
    held = list(batch_catalog.live_batches(project, BatchKind.RECORDS))
    held_count = count_held_records(context, held)
    if not held_count:
        raise JobError(
            f"Project {project.code} holds no records to count term frequencies in. Load records, then retry."
        )
    written = write_frequencies(context, configuration, held)

    def commit() -> None:
        newest = current_version(LinkageProject.objects.select_for_update().get(pk=project.pk))
        if newest != base:
            raise JobError(
                f"The match configuration of {project.code} was changed while its term frequencies were counted. "
                "Retry, to count them for the newest version."
            )
        MatchConfigurationVersion.objects.create(
            project=project,
            version=base.version + 1,
            definition=base.definition,
            term_frequencies=written.path.name,
            created_by_id=_started_by(context.job),
        )

    statistics = {
        "match_configuration_version": base.version + 1,
        "records_count": held_count,
        "values_count": written.rows_count,
        "file_bytes": written.bytes_count,
        "fields": list(frequency_fields(configuration)),
    }
    return JobResult(statistics=statistics, commit=commit)


def demand_frequency_fields(configuration: MatchConfiguration, project_code: str) -> None:
    """Refuse a configuration that asks for no term frequencies.

    Raises:
        JobError: saying what to add.
    """
    if not frequency_fields(configuration):
        raise JobError(
            f"The match configuration of {project_code} asks for no term frequencies. Add `term_frequency` to a "
            "comparison in the project file and apply it."
        )


def ended_paths(context: JobContext) -> tuple[Path, ...]:
    """Return the ends files of the project: what they name does not count, deleted or replaced."""
    return context.paths(batch_catalog.live_batches(context.project, BatchKind.ENDS))


def count_held_records(context: JobContext, held: Sequence[Batch]) -> int:
    """Count the held records that have not ended.

    Raises:
        StorageError: if a file cannot be read.
    """
    return count_live_records(context.limits, context.paths(held), ended_paths(context))


def write_frequencies(
    context: JobContext, configuration: MatchConfiguration, held: Sequence[Batch]
) -> WrittenFile:
    """Write the file of term frequencies of held records.

    Raises:
        StorageError: if a file cannot be read or written.
    """
    fields = frequency_fields(configuration)
    context.report(Progress("Counting term frequencies", 0, len(fields), "fields"))
    target = context.project_folder / f"{context.stem}-frequencies.parquet"
    return build_term_frequencies(context.paths(held), ended_paths(context), fields, target, context.limits)


def _started_by(job: Job) -> int | None:
    found = job.parameters.get(STARTED_BY)
    return int(found) if found is not None else None
