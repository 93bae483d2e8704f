"""Explains a group: its members, the accepted pairs among them, why it is flagged, and its history.

Shows no value of a record, only how Data Providers name records.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from linkwright.config import ServerConfig
from linkwright.engine.explanation import plain_weight
from linkwright.engine.grouping import GroupingConfiguration
from linkwright.engine.link_path import Link
from linkwright.errors import LinkwrightError
from linkwright.jobs.flagged import FLAG_REASONS
from linkwright.services.live_project import LiveProject, find_project, locate_records, open_live_project
from linkwright.store.audit_log import Actor
from linkwright.store.batch_catalog import original_batches
from linkwright.store.models import Batch, BatchKind, Envelope, Job
from linkwright.warehouse.flagged_groups import FlagReason
from linkwright.warehouse.group_history import GroupEvent, HistoryBatch, read_group_history
from linkwright.warehouse.group_links import FlagRules, read_group_links
from linkwright.warehouse.group_result import FlaggedGroup
from linkwright.warehouse.live_files import RecordKey
from linkwright.warehouse.record_keys import read_groups, read_record_keys


class UnknownGroupError(LinkwrightError):
    """The project has no such group, and never had."""


@dataclass(frozen=True)
class GroupMember:
    """A record of the group.

    Args:
        key: as its provider knows it.
        record_id: in the project.
        envelope: that brought it.
    """

    key: RecordKey
    record_id: int
    envelope: Envelope


@dataclass(frozen=True)
class HistoryEntry:
    """One thing that happened to the group.

    Args:
        event: what, as `warehouse.group_history` tells it.
        records: that it is about, as their providers know them.
        envelope: whose job did it; None for a job that belongs to no Envelope.
        job: that did it.
        at: when.
    """

    event: GroupEvent
    records: tuple[RecordKey, ...]
    envelope: Envelope | None
    job: Job
    at: datetime

    @property
    def by(self) -> str:
        """What it came with: the Envelope, or a job that belongs to none."""
        return str(self.job) if self.envelope is None else f"{self.envelope.pk} ({self.envelope.name})"


@dataclass(frozen=True)
class ExplainedGroup:
    """All that can be said of a group.

    Args:
        project_code: of the Linkage Project.
        group_id: of the group.
        members: by record id; none if the group is no more.
        links: the accepted pairs among the members, by record ids; of very many those that hold it together best.
        links_count: of all accepted pairs among the members.
        flags: why a person should look at it, in words; none if nobody need.
        history: what happened to it, the oldest first.
    """

    project_code: str
    group_id: int
    members: tuple[GroupMember, ...]
    links: tuple[Link, ...]
    links_count: int
    flags: tuple[str, ...]
    history: tuple[HistoryEntry, ...]

    @property
    def keys(self) -> dict[int, RecordKey]:
        """How the members' providers know them, by record id."""
        return {member.record_id: member.key for member in self.members}

    def as_plain(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        keys = self.keys
        return {
            "project": self.project_code,
            "group_id": self.group_id,
            "members": [
                {"record": str(one.key), "record_id": one.record_id, "envelope": _plain_envelope(one.envelope)}
                for one in self.members
            ],
            "links": [
                {
                    "from": str(keys[link.record_id_l]),
                    "to": str(keys[link.record_id_r]),
                    "match_weight": plain_weight(link.match_weight),
                    "strategy": link.strategy,
                }
                for link in self.links
            ],
            "links_count": self.links_count,
            "flags": list(self.flags),
            "history": [
                {
                    "event": entry.event.kind.value,
                    "records": [str(key) for key in entry.records],
                    "other_group_id": entry.event.other_group_id,
                    "envelope": _plain_envelope(entry.envelope) if entry.envelope else None,
                    "job": {"id": entry.job.pk, "kind": entry.job.kind},
                    "at": entry.at.isoformat(),
                }
                for entry in self.history
            ],
        }


def _plain_envelope(envelope: Envelope) -> dict[str, Any]:
    return {"id": envelope.pk, "name": envelope.name}


def group_of_record(config: ServerConfig, actor: Actor, project_code: str, key: RecordKey) -> int:
    """Return the id of a live record's group.

    Raises:
        LinkwrightError: if there is no such project (or not for whoever asks) or record, or if a file cannot be
            read.
    """
    with open_live_project(config, find_project(project_code, actor)) as live:
        (record_id,) = locate_records(live, [key])
        groups = read_groups(live.limits, live.files, [record_id])
    if record_id not in groups:
        raise UnknownGroupError(f"{key} is in no group of {project_code}. Look again when no job is running.")
    return groups[record_id]


def explain_group(config: ServerConfig, actor: Actor, project_code: str, group_id: int) -> ExplainedGroup:
    """Explain a group of a project, one that is or one that was.

    Args:
        config: of this server.
        actor: who asks, and from where.
        project_code: of the Linkage Project.
        group_id: of the group.

    Raises:
        LinkwrightError: if there is no such project (or not for whoever asks) or group, or if a file cannot be
            read.
    """
    project = find_project(project_code, actor)
    authoritative = project.event_types.filter(authoritative=True).values_list("code", flat=True)
    rules = FlagRules(GroupingConfiguration.model_validate(project.grouping), tuple(sorted(authoritative)))
    with open_live_project(config, project) as live:
        group = read_group_links(live.limits, live.files, group_id, rules)
        history = _read_history(live, group_id)
        members = tuple(
            GroupMember(key, record_id, live.envelope_of(record_id)) for record_id, key in group.members.items()
        )
    if not history:
        raise UnknownGroupError(
            f"{project_code} has no group {group_id}, and never had. The groups are numbered from 1; `linkwright "
            "group` with a record finds that record's group."
        )
    return ExplainedGroup(
        project_code=project.code,
        group_id=group_id,
        members=members,
        links=group.links,
        links_count=group.links_count,
        flags=tuple(_flag_text(flag) for flag in group.flags),
        history=history,
    )


def list_history(live: LiveProject) -> tuple[list[Batch], list[HistoryBatch]]:
    """Return what has changed the project's groups, the oldest first: batches, and each with its files."""
    batches = list(original_batches(live.project, BatchKind.ASSIGNMENTS).select_related("envelope", "job"))
    ends = _ends_by_batch(live, batches)
    listed = [HistoryBatch(batch.pk, live.folder / batch.file_name, ends.get(batch.pk, ())) for batch in batches]
    return batches, listed


def _read_history(live: LiveProject, group_id: int) -> tuple[HistoryEntry, ...]:
    batches, listed = list_history(live)
    events = read_group_history(live.limits, listed, group_id)
    record_ids = {record_id for event in events for record_id in event.record_ids}
    keys = read_record_keys(live.limits, live.files, record_ids)
    return tuple(
        HistoryEntry(
            event=event,
            records=tuple(keys[record_id] for record_id in event.record_ids if record_id in keys),
            envelope=batches[event.batch].envelope,
            job=batches[event.batch].job,
            at=batches[event.batch].created_at,
        )
        for event in events
    )


def _ends_by_batch(live: LiveProject, batches: Sequence[Batch]) -> dict[int, tuple[Path, ...]]:
    """Return the ends files that belong to each assignments batch, by its id.

    A Rollback writes both; in an Envelope an earlier job names the ends, and its Group job makes them count.
    """
    by_job = {batch.job_id: batch.pk for batch in batches}
    by_envelope = {batch.envelope_id: batch.pk for batch in reversed(batches)}
    found: dict[int, tuple[Path, ...]] = {}
    for ends in original_batches(live.project, BatchKind.ENDS):
        of_envelope = None if ends.envelope_id is None else by_envelope.get(ends.envelope_id)
        owner = by_job.get(ends.job_id, of_envelope)
        if owner is not None:
            found[owner] = (*found.get(owner, ()), live.folder / ends.file_name)
    return found


def _flag_text(flag: FlaggedGroup) -> str:
    reason = FLAG_REASONS[FlagReason(flag.reason)]
    if flag.event_type:
        return f"{reason}: {flag.records_count} of {flag.event_type}"
    if flag.match_weight is not None:
        return f"{reason}, of weight {flag.match_weight:.2f}"
    return reason
