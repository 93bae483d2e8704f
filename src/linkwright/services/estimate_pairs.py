"""Counts what matching a data file would compare, without loading it: nothing of it is kept.

For operators who want to know, before they submit, whether a blocking rule or a block will hurt.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from linkwright.config import ServerConfig
from linkwright.engine.blocking import rule_text
from linkwright.engine.progress import silent
from linkwright.errors import LinkwrightError
from linkwright.jobs.context import engine_limits, project_folder
from linkwright.jobs.load import LoadSource, LoadTarget, load_request, update_mode
from linkwright.jobs.match import match_limits
from linkwright.jobs.project_form import current_match_configuration
from linkwright.services.live_project import find_project
from linkwright.store import batch_catalog
from linkwright.store.audit_log import COMMAND_LINE
from linkwright.store.models import Batch, BatchKind, EventType, LinkageProject
from linkwright.store.queries.attachments import attached_event_types
from linkwright.warehouse.limits import EngineLimits
from linkwright.warehouse.load import LoadResult, load_data_file
from linkwright.warehouse.match import CHUNK_PAIRS_COUNT
from linkwright.warehouse.preflight import Preflight, preview_match
from linkwright.warehouse.record_sources import RecordSources


@dataclass(frozen=True)
class PairsEstimate:
    """What matching the file would compare.

    Args:
        records_count: records in the file that would be loaded.
        held_records_count: records of the project that they would be compared with.
        rules: strategy name, rule in words, candidate pairs; in order.
        preflight: the largest blocks, time and memory, warnings. It names values of the file: personal data.
    """

    records_count: int
    held_records_count: int
    rules: tuple[tuple[str, str, int], ...]
    preflight: Preflight


def estimate_pairs(config: ServerConfig, source: Path, project_code: str, event_type_code: str) -> PairsEstimate:
    """Load a data file aside, count its candidate pairs against the project's live records, and delete it again.

    Args:
        config: of this server.
        source: as the Event Type's Import Format says; plain, gzip or Parquet (a name that ends in .parquet).
        project_code: of the Linkage Project.
        event_type_code: of the file's rows, attached to the project.

    Raises:
        LinkwrightError: if there is no such project or Event Type, or the file cannot be loaded; as the Load and
            the Match job would say.
    """
    project, event_type = _find(project_code, event_type_code)
    if not source.is_file():
        raise LinkwrightError(f"There is no file {source}. Name a data file of the Event Type {event_type_code}.")
    _version, configuration = current_match_configuration(project)
    held = list(batch_catalog.live_batches(project, BatchKind.RECORDS))
    config.scratch_folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with TemporaryDirectory(prefix="estimate-", dir=config.scratch_folder) as name:
        aside = _Aside(project, project_folder(config, project), held, Path(name))
        loaded = aside.load(source, event_type)
        preflight = preview_match(
            aside.sources(loaded), configuration, match_limits(project), aside.limits, CHUNK_PAIRS_COUNT
        )
    return PairsEstimate(
        records_count=loaded.rows_loaded_count,
        held_records_count=sum(batch.rows_count for batch in held),
        rules=tuple(
            (strategy.name, rule_text(rule), count)
            for strategy in configuration.strategies
            for rule, count in zip(
                strategy.blocking_rules, preflight.candidate_pairs_counts[strategy.name], strict=True
            )
        ),
        preflight=preflight,
    )


@dataclass(frozen=True)
class _Aside:
    """A data file that is loaded into a folder of its own, beside a project's live records."""

    project: LinkageProject
    project_folder: Path
    held: Sequence[Batch]
    scratch: Path

    @property
    def limits(self) -> EngineLimits:
        return engine_limits(self.scratch / "engine")

    @property
    def ended(self) -> tuple[Path, ...]:
        ends = batch_catalog.live_batches(self.project, BatchKind.ENDS)
        return tuple(self.project_folder / batch.file_name for batch in ends)

    @property
    def held_records(self) -> tuple[Path, ...]:
        return tuple(self.project_folder / batch.file_name for batch in self.held)

    def load(self, source: Path, event_type: EventType) -> LoadResult:
        file = LoadSource(source, source.name, parquet=source.suffix.lower() == ".parquet")
        target = LoadTarget(
            folder=self.scratch,
            stem="estimate",
            first_record_id=batch_catalog.next_id(
                batch_catalog.live_batches(self.project, BatchKind.RECORDS)
                | batch_catalog.live_batches(self.project, BatchKind.ENDS)
            ),
            held_records=self.held_records,
            ended=self.ended,
            updates=update_mode(self.project, event_type),
        )
        return load_data_file(load_request(self.project, event_type, file, target, self.limits), silent)

    def sources(self, loaded: LoadResult) -> RecordSources:
        indexes = batch_catalog.index_names(self.held)
        return RecordSources(
            new=(loaded.records.path,),
            held=self.held_records,
            # a record that the file replaces is not compared with its new version
            ended=(*self.ended, *([loaded.ends.path] if loaded.ends else [])),
            index_folder=self.scratch,
            index_stem="estimate",
            indexes={self.project_folder / one: self.project_folder / index for one, index in indexes.items()},
        )


def _find(project_code: str, event_type_code: str) -> tuple[LinkageProject, EventType]:
    project = find_project(project_code, COMMAND_LINE)
    attached = attached_event_types(project).select_related("import_format")
    event_type = attached.filter(code=event_type_code).first()
    if event_type is None:
        known = ", ".join(attached.values_list("code", flat=True)) or "none"
        raise LinkwrightError(
            f"The Event Type {event_type_code!r} is not attached to {project_code}. Attached are: {known}."
        )
    return project, event_type
