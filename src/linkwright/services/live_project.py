"""Finds what somebody asks about in a project's live data: the project, its files, records, and who brought them.

Projects that a person does not belong to do not exist for them.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from linkwright.config import ServerConfig
from linkwright.errors import LinkwrightError
from linkwright.jobs.context import engine_limits, project_folder
from linkwright.store.audit_log import Actor
from linkwright.store.batch_catalog import live_batches, original_batches
from linkwright.store.models import Batch, BatchKind, Envelope, LinkageProject
from linkwright.store.permissions import Permission, actor_may, visible_projects
from linkwright.warehouse.limits import EngineLimits
from linkwright.warehouse.live_files import LiveFiles, RecordKey
from linkwright.warehouse.record_keys import find_records


class UnknownProjectError(LinkwrightError):
    """There is no such Linkage Project, or not for whoever asks."""


class UnknownRecordError(LinkwrightError):
    """The project holds no such record."""


@dataclass(frozen=True)
class LiveProject:
    """A project's live data at one moment.

    Args:
        project: the project.
        folder: of its files.
        files: of its live data.
        records: the original batches of its records, compacted or not: they tell which Envelope brought what.
        limits: what a computation may use; its folder is deleted afterwards.
    """

    project: LinkageProject
    folder: Path
    files: LiveFiles
    records: tuple[Batch, ...]
    limits: EngineLimits

    def envelope_of(self, record_id: int) -> Envelope:
        """Return the Envelope that brought a record.

        Raises:
            UnknownRecordError: if no live batch holds it.
        """
        for batch in self.records:
            first, last = batch.first_id, batch.last_id
            if first is not None and last is not None and first <= record_id <= last and batch.envelope:
                return batch.envelope
        raise UnknownRecordError(f"{self.project.code} has no record with the id {record_id}. Look it up anew.")


def find_project(code: str, actor: Actor) -> LinkageProject:
    """Return the project of that code.

    Raises:
        UnknownProjectError: if there is none, or none for whoever asks.
    """
    projects = LinkageProject.objects.all() if actor.user is None else visible_projects(actor.user)
    project = projects.filter(code=code).first()
    if project is None:
        known = ", ".join(projects.order_by("code").values_list("code", flat=True)) or "none yet"
        raise UnknownProjectError(f"There is no Linkage Project {code!r}. There are: {known}.")
    return project


def may_see_values(actor: Actor, project: LinkageProject) -> bool:
    """Tell whether whoever asks may see identifying values; the machine's command line may."""
    return actor_may(actor, Permission.SEE_IDENTIFYING_VALUES, project)


@contextmanager
def open_live_project(config: ServerConfig, project: LinkageProject) -> Iterator[LiveProject]:
    """Look at the project's live data; what computations put on disk is deleted at the end."""
    folder = project_folder(config, project)

    def paths(batches: Sequence[Batch]) -> tuple[Path, ...]:
        return tuple(folder / batch.file_name for batch in batches)

    brought = original_batches(project, BatchKind.RECORDS).select_related("envelope__match_configuration", "job")
    config.scratch_folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with TemporaryDirectory(prefix="explain-", dir=config.scratch_folder) as scratch:
        yield LiveProject(
            project=project,
            folder=folder,
            files=LiveFiles(
                records=paths(list(live_batches(project, BatchKind.RECORDS))),
                pairs=paths(list(live_batches(project, BatchKind.PAIRS))),
                assignments=paths(list(live_batches(project, BatchKind.ASSIGNMENTS))),
                ended=paths(list(live_batches(project, BatchKind.ENDS))),
            ),
            records=tuple(brought),
            limits=engine_limits(Path(scratch)),
        )


def locate_records(live: LiveProject, keys: Sequence[RecordKey]) -> list[int]:
    """Return the record ids of live records, in the order of their keys.

    Raises:
        UnknownRecordError: naming every Event Type and record that there is not, and what there is.
    """
    project = live.project
    attached = set(project.event_types.values_list("code", flat=True))
    foreign = sorted({key.event_type for key in keys} - attached)
    if foreign:
        there_are = ", ".join(sorted(attached)) or "none"
        raise UnknownRecordError(
            f"{', '.join(map(repr, foreign))} is no Event Type of {project.code}. There are: {there_are}. A "
            "record is named as EVENT_TYPE:SOURCE_UNIQUE_ID."
        )
    found = find_records(live.limits, live.files, keys)
    absent = [str(key) for key, record_id in zip(keys, found, strict=True) if record_id is None]
    if absent:
        raise UnknownRecordError(
            f"{project.code} holds no record {' and no record '.join(absent)}. What stands behind the colon is "
            "the Source Unique ID as its Data Provider gave it; records can be looked up once the Group job of "
            "their Envelope has ended."
        )
    return [record_id for record_id in found if record_id is not None]
