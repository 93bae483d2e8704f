"""Shows a group to a person: what `explain_group` tells, and its records, pairs and Quality Reviews beside it.

Whoever may not see identifying values gets the structure: nothing of a record's values is even read. Who looked at
which group's values stands in the audit log.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from linkwright.config import ServerConfig
from linkwright.engine.explanation import level_text
from linkwright.engine.fields import LinkageField
from linkwright.engine.strategy import MatchConfiguration, parse_match_configuration
from linkwright.envelopes.manifest import RequestType
from linkwright.jobs.project_form import linkage_fields
from linkwright.services.explain_group import ExplainedGroup, GroupMember, UnknownGroupError, explain_group
from linkwright.services.live_project import LiveProject, find_project, may_see_values, open_live_project
from linkwright.services.search_records import MOST_ID
from linkwright.store.audit_log import Actor, record_action
from linkwright.store.batch_catalog import original_batches
from linkwright.store.models import Batch, BatchKind, Envelope, EnvelopeState, LinkageProject
from linkwright.store.permissions import Permission, actor_may
from linkwright.warehouse.group_pairs import (
    GroupDecision,
    KeptPair,
    KeptPairs,
    read_group_decisions,
    read_kept_pairs,
)
from linkwright.warehouse.live_files import RecordKey
from linkwright.warehouse.record_keys import read_groups, read_record_keys
from linkwright.warehouse.record_values import RecordValues, read_record_values
from linkwright.warehouse.record_versions import earlier_versions, read_versions

MOST_SHOWN_RECORDS = 200
# all of a group that is drawn, and more
MOST_SHOWN_PAIRS = 800
MOST_SHOWN_DECISIONS = 300


@dataclass(frozen=True)
class ShownLevel:
    """One comparison of a pair: its level as pairs show it, and in words."""

    comparison: str
    number: int
    text: str


@dataclass(frozen=True)
class ShownPair:
    """A kept pair of two shown records, and what its levels mean by the version that weighed it."""

    pair: KeptPair
    levels: tuple[ShownLevel, ...]


@dataclass(frozen=True)
class ShownDecision:
    """What a Quality Review says of a record of the group and another one.

    Args:
        record_ids: the records as they are now, the group's own first.
        keys: how their providers know them; None for one that is not known any more.
        is_together: whether they belong together; else they belong apart.
        holds: whether the map says the same; None if one of them is no more.
    """

    record_ids: tuple[int, int]
    keys: tuple[RecordKey | None, RecordKey | None]
    is_together: bool
    holds: bool | None


@dataclass(frozen=True)
class ShownReview:
    """The decisions of one Envelope, which says who made them, when and why."""

    envelope: Envelope
    decisions: tuple[ShownDecision, ...]


@dataclass(frozen=True)
class LookedAtGroup:
    """A group as one person may see it.

    Args:
        explained: members, accepted pairs, flags and history.
        members: those that are shown, of the smallest record ids.
        fields: the project's linkage fields.
        values: of the shown members, by record id; None if whoever looks may not see them.
        pairs: the kept pairs among the shown members, the heaviest first.
        pairs_count: of all of them.
        reviews: Quality Reviews about its records, the newest first.
        queued_reviews: Envelopes with Quality Reviews of the project that have not been processed yet.
        shows_reasons: whether the reasons of reviews may be seen: people name people in them.
    """

    explained: ExplainedGroup
    members: tuple[GroupMember, ...]
    fields: tuple[LinkageField, ...]
    values: Mapping[int, RecordValues] | None
    pairs: tuple[ShownPair, ...]
    pairs_count: int
    reviews: tuple[ShownReview, ...]
    queued_reviews: tuple[Envelope, ...]
    shows_reasons: bool


def look_at_group(config: ServerConfig, actor: Actor, project_code: str, group_id: int) -> LookedAtGroup:
    """Gather what a person may see of a group, one that is or one that was.

    Raises:
        LinkwrightError: if there is no such project (or not for whoever asks) or group, or if a file cannot be
            read.
    """
    if group_id > MOST_ID:
        raise UnknownGroupError(f"{project_code} has no group {group_id}, and never had.")
    explained = explain_group(config, actor, project_code, group_id)
    project = find_project(project_code, actor)
    members = explained.members[:MOST_SHOWN_RECORDS]
    ids = [member.record_id for member in members]
    shows_values = may_see_values(actor, project)
    fields = linkage_fields(project)
    with open_live_project(config, project) as live:
        values = read_record_values(live.limits, live.files, fields, ids) if shows_values else None
        kept = read_kept_pairs(live.limits, live.files, ids, most=MOST_SHOWN_PAIRS)
        reviews = _read_reviews(live, ids)
    if values:
        _record_look(actor, project, explained, members)
    return LookedAtGroup(
        explained=explained,
        members=members,
        fields=fields,
        values=values,
        pairs=_with_words(kept, members, fields),
        pairs_count=kept.count,
        reviews=reviews,
        queued_reviews=queued_reviews(project),
        shows_reasons=shows_values or actor_may(actor, Permission.REVIEW, project),
    )


def queued_reviews(project: LinkageProject) -> tuple[Envelope, ...]:
    """Return the project's Quality Reviews that wait or are being processed, in their order."""
    waiting = Envelope.objects.filter(
        project=project, request_type=RequestType.SUBMIT_QUALITY_REVIEW, state=EnvelopeState.QUEUED
    )
    return tuple(waiting.select_related("received_by").order_by("pk"))


def _record_look(
    actor: Actor, project: LinkageProject, explained: ExplainedGroup, members: Sequence[GroupMember]
) -> None:
    record_action(
        actor,
        "see identifying values",
        f"group {explained.group_id}",
        project_code=project.code,
        detail={"group_id": explained.group_id, "records": [str(member.key) for member in members]},
    )


def _with_words(
    kept: KeptPairs, members: Sequence[GroupMember], fields: tuple[LinkageField, ...]
) -> tuple[ShownPair, ...]:
    """Say each level in words, by the version of the match configuration that weighed the pair."""
    envelopes = {member.record_id: member.envelope for member in members}
    configurations: dict[int, MatchConfiguration] = {}
    shown = []
    for pair in kept.pairs:
        # the later record's Envelope was matched against all before it
        version = envelopes[pair.record_id_r].match_configuration
        if version is not None and version.pk not in configurations:
            configurations[version.pk] = parse_match_configuration(version.definition, fields)
        configuration = None if version is None else configurations[version.pk]
        shown.append(ShownPair(pair, _levels(pair, configuration)))
    return tuple(shown)


def _levels(pair: KeptPair, configuration: MatchConfiguration | None) -> tuple[ShownLevel, ...]:
    strategies = () if configuration is None else configuration.strategies
    items = [item for one in strategies if one.name == pair.strategy for item in one.comparisons]
    return tuple(
        ShownLevel(item.name, pair.levels[item.name], level_text(item, pair.levels[item.name]))
        for item in items
        if -1 <= pair.levels.get(item.name, -2) < len(item.levels)
    )


def _read_reviews(live: LiveProject, record_ids: Collection[int]) -> tuple[ShownReview, ...]:
    """Return the decisions about records, of two the newest only; what was decided about an old version holds."""
    if not record_ids:
        return ()
    batches = list(original_batches(live.project, BatchKind.DECISIONS).select_related("envelope__received_by"))
    if not batches:
        return ()
    ended = [live.folder / batch.file_name for batch in original_batches(live.project, BatchKind.ENDS)]
    older = earlier_versions(read_versions(live.limits, ended, record_ids), record_ids)
    paths = [live.folder / batch.file_name for batch in batches]
    found = read_group_decisions(live.limits, paths, [*record_ids, *older], most=MOST_SHOWN_DECISIONS)
    latest: dict[tuple[int, int], GroupDecision] = {}
    for decision in found:
        one, other = (older.get(key, key) for key in (decision.record_id_l, decision.record_id_r))
        own_first = (one, other) if one in record_ids else (other, one)
        # of one review, apart goes before together
        known = latest.setdefault(own_first, decision)
        if known.batch == decision.batch and known.is_together:
            latest[own_first] = decision
    return _by_envelope(live, batches, latest)


def _by_envelope(
    live: LiveProject, batches: Sequence[Batch], latest: Mapping[tuple[int, int], GroupDecision]
) -> tuple[ShownReview, ...]:
    named = {record_id for pair in latest for record_id in pair}
    keys = read_record_keys(live.limits, live.files, named)
    groups = read_groups(live.limits, live.files, named)
    reviews: dict[int, list[ShownDecision]] = {}
    for (one, other), decision in latest.items():
        is_one = groups.get(one) == groups.get(other)
        reviews.setdefault(decision.batch, []).append(
            ShownDecision(
                record_ids=(one, other),
                keys=(keys.get(one), keys.get(other)),
                is_together=decision.is_together,
                holds=is_one is decision.is_together if {one, other} <= groups.keys() else None,
            )
        )
    return tuple(
        ShownReview(envelope, tuple(reviews[batch]))
        for batch in sorted(reviews, reverse=True)
        if (envelope := batches[batch].envelope) is not None
    )
