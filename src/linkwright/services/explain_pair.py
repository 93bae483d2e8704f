"""Explains any two records of a project: what each strategy makes of them, and why they are in one group or not.

Whoever may not see identifying values is shown levels and weights without them. Who looked at whose values stands
in the audit log.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from linkwright.config import ServerConfig
from linkwright.engine.explanation import PairExplanation, Verdict, decisive_explanation, plain_weight
from linkwright.engine.link_path import Link, strongest_path
from linkwright.engine.strategy import parse_match_configuration
from linkwright.errors import LinkwrightError
from linkwright.jobs.project_form import linkage_fields
from linkwright.services.live_project import (
    LiveProject,
    find_project,
    locate_records,
    may_see_values,
    open_live_project,
)
from linkwright.store.audit_log import Actor, record_action
from linkwright.store.models import Envelope, MatchConfigurationVersion
from linkwright.warehouse.explain import PairRequest, StoredPair, explain_records, read_stored_pair
from linkwright.warehouse.group_links import read_group_links
from linkwright.warehouse.live_files import RecordKey
from linkwright.warehouse.record_keys import read_groups


class PairError(LinkwrightError):
    """The two records, or the version, cannot be explained."""


@dataclass(frozen=True)
class ExplainedRecord:
    """One of the two records.

    Args:
        key: as its provider knows it.
        record_id: in the project.
        envelope: that brought it.
        group_id: its group today.
    """

    key: RecordKey
    record_id: int
    envelope: Envelope
    group_id: int | None

    def as_plain(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return {
            "record": str(self.key),
            "record_id": self.record_id,
            "envelope": {"id": self.envelope.pk, "name": self.envelope.name},
            "group_id": self.group_id,
        }


@dataclass(frozen=True)
class PathLink:
    """A step of the chain that holds two records in one group.

    Args:
        start: the record that it begins with.
        end: the record that it leads to.
        match_weight: log2; infinity for a deterministic strategy.
        strategy: its name.
    """

    start: RecordKey
    end: RecordKey
    match_weight: float
    strategy: str

    def as_plain(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return {
            "from": str(self.start),
            "to": str(self.end),
            "match_weight": plain_weight(self.match_weight),
            "strategy": self.strategy,
        }


@dataclass(frozen=True)
class ExplainedPair:
    """All that can be said of two records.

    Args:
        project_code: of the Linkage Project.
        records: the one with the smaller record id first.
        version: of the match configuration that weighed them.
        version_origin: why that version, in words.
        prior: the probability that two random records belong to one person.
        strategies: what each makes of them.
        stored: the pair as Match kept it, None if it kept none.
        path: the chain of accepted pairs between them whose weakest link is the strongest; None without one.
        values_shown: whether the values are there; else whoever asked may not see them.
    """

    project_code: str
    records: tuple[ExplainedRecord, ExplainedRecord]
    version: int
    version_origin: str
    prior: float
    strategies: tuple[PairExplanation, ...]
    stored: StoredPair | None
    path: tuple[PathLink, ...] | None
    values_shown: bool

    def without_values(self) -> "ExplainedPair":
        """Return the same for whoever may not see identifying values."""
        strategies = tuple(one.without_values() for one in self.strategies)
        return replace(self, strategies=strategies, values_shown=False)

    @property
    def in_one_group(self) -> bool:
        """Whether both records are in one group today."""
        one, other = self.records
        return one.group_id is not None and one.group_id == other.group_id

    @property
    def drawn(self) -> PairExplanation | None:
        """The strategy whose waterfall tells most: the stored pair's, else the decisive one; one that weighs."""
        weighing = [one for one in self.strategies if not one.is_deterministic]
        for one in weighing:
            if self.stored is not None and one.strategy == self.stored.strategy:
                return one
        return decisive_explanation(weighing) or max(
            weighing, key=lambda one: one.match_weight or 0.0, default=None
        )

    @property
    def stored_text(self) -> str:
        """Say what Match kept of the two records."""
        if self.stored is not None:
            fate = "accepted" if self.stored.is_match else "kept for review, under the match threshold"
            return f"Match kept the pair: {fate}, by the strategy {self.stored.strategy}."
        kept = (Verdict.MATCH, Verdict.REVIEW)
        if any(one.verdict in kept for one in self.strategies):
            return (
                f"Match kept no such pair, though version {self.version} would: another version was in force, or "
                "their block was over the limit Worker.Match.MaxBlockSize."
            )
        return "Match kept no such pair."

    @property
    def group_text(self) -> str:
        """Say whether the records are in one group today, and why."""
        one, other = self.records
        if not self.in_one_group:
            apart = f"They are in different groups today: {one.group_id} and {other.group_id}."
            if self.stored is None or not self.stored.is_match:
                return apart
            return (
                f"{apart} Their pair is accepted, but a rule of grouping keeps the groups apart: weighted "
                "best-link, one record per authoritative Event Type, or a Quality Review."
            )
        together = f"They are in one group today, {one.group_id}:"
        if self.path is None:
            return f"{together} no chain of accepted pairs joins them, so a Quality Review put them together."
        if len(self.path) == 1:
            return f"{together} their own pair joins them."
        weakest = min(link.match_weight for link in self.path)
        chain = f"a chain of {len(self.path)} accepted pairs joins them"
        return f"{together} {chain}, the weakest of weight {weakest:.2f}."

    def as_plain(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        stored = self.stored
        return {
            "project": self.project_code,
            "records": [record.as_plain() for record in self.records],
            "match_configuration_version": self.version,
            "version_origin": self.version_origin,
            "prior": self.prior,
            "values_shown": self.values_shown,
            "strategies": [one.as_plain() for one in self.strategies],
            "stored_pair": stored
            and {
                "strategy": stored.strategy,
                "match_weight": plain_weight(stored.match_weight),
                "is_match": stored.is_match,
            },
            "stored_pair_text": self.stored_text,
            "in_one_group": self.in_one_group,
            "group_text": self.group_text,
            "path": None if self.path is None else [link.as_plain() for link in self.path],
        }


def explain_pair(
    config: ServerConfig,
    actor: Actor,
    project_code: str,
    keys: tuple[RecordKey, RecordKey],
    version: int | None = None,
) -> ExplainedPair:
    """Explain two live records of a project.

    Args:
        config: of this server.
        actor: who asks, and from where.
        project_code: of the Linkage Project.
        keys: of the two records, in either order.
        version: of the match configuration; None: the one that matched the later record.

    Raises:
        LinkwrightError: if there is no such project (or not for whoever asks), record or version, or if a file
            cannot be read.
    """
    if keys[0] == keys[1]:
        raise PairError(f"{keys[0]} is named twice. Name two different records.")
    project = find_project(project_code, actor)
    with open_live_project(config, project) as live:
        explained = _explained(live, keys, version)
    if not may_see_values(actor, project):
        return explained.without_values()
    # by their numbers: a Source Unique ID would outlive its Purge in the audit log
    numbers = [record.record_id for record in explained.records]
    record_action(
        actor,
        "see identifying values",
        f"records {numbers[0]} and {numbers[1]}",
        project_code=project.code,
        detail={"records": numbers},
    )
    return explained


def _explained(live: LiveProject, keys: tuple[RecordKey, RecordKey], version: int | None) -> ExplainedPair:
    records = _read_records(live, keys)
    chosen, origin = _version(live, records[1].envelope, version)
    fields = linkage_fields(live.project)
    configuration = parse_match_configuration(chosen.definition, fields)
    ids = (records[0].record_id, records[1].record_id)
    request = PairRequest(
        files=live.files,
        fields=fields,
        record_ids=ids,
        configuration=configuration,
        term_frequencies=live.folder / chosen.term_frequencies if chosen.term_frequencies else None,
        limits=live.limits,
    )
    return ExplainedPair(
        project_code=live.project.code,
        records=records,
        version=chosen.version,
        version_origin=origin,
        prior=configuration.prior,
        strategies=explain_records(request),
        stored=read_stored_pair(live.limits, live.files, ids),
        path=_read_path(live, records),
        values_shown=True,
    )


def _read_records(live: LiveProject, keys: tuple[RecordKey, RecordKey]) -> tuple[ExplainedRecord, ExplainedRecord]:
    ids = locate_records(live, keys)
    groups = read_groups(live.limits, live.files, ids)
    earlier, later = sorted(zip(ids, keys, strict=True))
    return (
        ExplainedRecord(earlier[1], earlier[0], live.envelope_of(earlier[0]), groups.get(earlier[0])),
        ExplainedRecord(later[1], later[0], live.envelope_of(later[0]), groups.get(later[0])),
    )


def _version(live: LiveProject, later: Envelope, wanted: int | None) -> tuple[MatchConfigurationVersion, str]:
    """Return the version to weigh by, and why it is that one."""
    if wanted is None:
        if later.match_configuration is None:
            raise PairError(f"Envelope {later.pk} ({later.name}) names no match configuration. Choose a version.")
        return later.match_configuration, f"it matched the later record's Envelope {later.pk} ({later.name})"
    versions = MatchConfigurationVersion.objects.filter(project=live.project)
    found = versions.filter(version=wanted).first()
    if found is None:
        known = ", ".join(map(str, versions.order_by("version").values_list("version", flat=True))) or "none"
        raise PairError(
            f"{live.project.code} has no version {wanted} of its match configuration. There are: {known}."
        )
    return found, "it was asked for"


def _read_path(live: LiveProject, records: tuple[ExplainedRecord, ExplainedRecord]) -> tuple[PathLink, ...] | None:
    one, other = records
    if one.group_id is None or one.group_id != other.group_id:
        return None
    group = read_group_links(live.limits, live.files, one.group_id)
    path = strongest_path(group.links, one.record_id, other.record_id)
    return None if path is None else tuple(_walked(path, one.record_id, group.members))


def _walked(path: Sequence[Link], start: int, members: dict[int, RecordKey]) -> list[PathLink]:
    """Turn each link so that the chain can be read from its start."""
    walked, at = [], start
    for link in path:
        end = link.record_id_r if link.record_id_l == at else link.record_id_l
        walked.append(PathLink(members[at], members[end], link.match_weight, link.strategy))
        at = end
    return walked
