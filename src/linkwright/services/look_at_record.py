"""Shows a record to a person: where it came from, its versions, and the groups that it is and was in.

Of a record that has ended no value is shown, whoever looks. Who saw the values of which record stands in the audit
log.
"""

from dataclasses import dataclass
from datetime import datetime

from linkwright.config import ServerConfig
from linkwright.engine.fields import LinkageField
from linkwright.jobs.project_form import linkage_fields
from linkwright.services.explain_group import list_history
from linkwright.services.live_project import (
    LiveProject,
    UnknownRecordError,
    find_project,
    may_see_values,
    open_live_project,
)
from linkwright.services.search_records import MOST_ID
from linkwright.store.audit_log import Actor, record_action
from linkwright.store.batch_catalog import original_batches
from linkwright.store.models import Batch, BatchKind, Envelope
from linkwright.warehouse.group_history import read_record_history
from linkwright.warehouse.live_files import RecordKey
from linkwright.warehouse.record_keys import read_record_keys
from linkwright.warehouse.record_search import FoundRecord, find_by_record_id
from linkwright.warehouse.record_values import RecordValues, read_record_values
from linkwright.warehouse.record_versions import read_versions


@dataclass(frozen=True)
class RecordOrigin:
    """Where a record came from.

    Args:
        envelope: that brought it.
        file_name: of the data file in the Envelope; '' if it is not known.
        place: of the record among those that were loaded from the file, from 1.
        loaded_count: of these.
    """

    envelope: Envelope
    file_name: str
    place: int
    loaded_count: int


@dataclass(frozen=True)
class RecordVersion:
    """One version of the record.

    Args:
        record_id: of this version.
        ended_by: the Envelope with which it ended; None if it lives, or if a job of no Envelope ended it.
        ended_at: when; None if it lives.
        replaced_by: the version that took its place; None if there is none.
    """

    record_id: int
    ended_by: Envelope | None
    ended_at: datetime | None
    replaced_by: int | None


@dataclass(frozen=True)
class GroupStay:
    """From when on a record was in a group; `group_id` None: from when on it was in none."""

    group_id: int | None
    by: str
    at: datetime


@dataclass(frozen=True)
class LookedAtRecord:
    """A record as one person may see it.

    Args:
        project_code: of the Linkage Project.
        record: its id, name and group today.
        origin: where it came from.
        versions: all of the record, the oldest first; the record alone if there is no other.
        stays: the groups that it was in, the oldest first.
        fields: the project's linkage fields.
        values: what it holds; None if whoever looks may not see it, or if the record has ended.
        may_see_values: whether whoever looks may see values.
    """

    project_code: str
    record: FoundRecord
    origin: RecordOrigin
    versions: tuple[RecordVersion, ...]
    stays: tuple[GroupStay, ...]
    fields: tuple[LinkageField, ...]
    values: RecordValues | None
    may_see_values: bool


def look_at_record(config: ServerConfig, actor: Actor, project_code: str, record_id: int) -> LookedAtRecord:
    """Gather what a person may see of a record, one that is or one that was.

    Raises:
        LinkwrightError: if there is no such project (or not for whoever asks) or record, or if a file cannot be
            read.
    """
    project = find_project(project_code, actor)
    unknown = UnknownRecordError(f"{project.code} has no record with the id {record_id}. Search for it.")
    if record_id > MOST_ID:
        raise unknown
    shows_values, fields = may_see_values(actor, project), linkage_fields(project)
    with open_live_project(config, project) as live:
        record = find_by_record_id(live.limits, live.files, record_id)
        if record is None:
            raise unknown
        values = None
        if shows_values and not record.has_ended:
            values = read_record_values(live.limits, live.files, fields, [record_id]).get(record_id)
        looked = LookedAtRecord(
            project_code=project.code,
            record=record,
            origin=_origin(live, record_id),
            versions=_versions(live, record),
            stays=_stays(live, record_id),
            fields=fields,
            values=values,
            may_see_values=shows_values,
        )
    if values is not None:
        record_action(
            actor,
            "see identifying values",
            f"record {record_id}",
            project_code=project.code,
            detail={"record_id": record_id, "records": [str(record.key)]},
        )
    return looked


def keys_of(
    config: ServerConfig, actor: Actor, project_code: str, record_ids: tuple[int, int]
) -> tuple[RecordKey, RecordKey]:
    """Return how their providers know two records.

    Raises:
        LinkwrightError: if there is no such project (or not for whoever asks), or no such record.
    """
    project = find_project(project_code, actor)
    with open_live_project(config, project) as live:
        wanted = [record_id for record_id in record_ids if record_id <= MOST_ID]
        keys = read_record_keys(live.limits, live.files, wanted)
    absent = [str(record_id) for record_id in record_ids if record_id not in keys]
    if absent:
        raise UnknownRecordError(f"{project.code} has no record with the id {' or '.join(absent)}. Search for it.")
    return keys[record_ids[0]], keys[record_ids[1]]


def _origin(live: LiveProject, record_id: int) -> RecordOrigin:
    for batch in live.records:
        first, last = batch.first_id, batch.last_id
        if first is not None and last is not None and first <= record_id <= last and batch.envelope:
            file_name = str(batch.job.parameters.get("file_name", ""))
            return RecordOrigin(batch.envelope, file_name, record_id - first + 1, last - first + 1)
    raise UnknownRecordError(f"{live.project.code} has no record with the id {record_id}. Look it up anew.")


def _versions(live: LiveProject, record: FoundRecord) -> tuple[RecordVersion, ...]:
    batches: list[Batch] = list(original_batches(live.project, BatchKind.ENDS).select_related("envelope"))
    ends = read_versions(live.limits, [live.folder / batch.file_name for batch in batches], [record.record_id])
    ended = {
        end.record_id: RecordVersion(
            end.record_id, batches[end.file].envelope, batches[end.file].created_at, end.replaced_by
        )
        for end in ends
    }
    newest = [one.replaced_by for one in ended.values() if one.replaced_by is not None]
    alone = RecordVersion(record.record_id, None, None, None)
    living = {one: RecordVersion(one, None, None, None) for one in newest if one not in ended}
    found = {**({} if ended else {record.record_id: alone}), **ended, **living}
    return tuple(found[record_id] for record_id in sorted(found))


def _stays(live: LiveProject, record_id: int) -> tuple[GroupStay, ...]:
    batches, listed = list_history(live)
    stays = []
    for event in read_record_history(live.limits, listed, record_id):
        batch = batches[event.batch]
        by = str(batch.job) if batch.envelope is None else batch.envelope.name
        stays.append(GroupStay(event.group_id, by, batch.created_at))
    return tuple(stays)
