"""Owns the run of Group: new accepted pairs and the current map to one assignments file with its statistics.

Existing groups only grow or merge here, they are never split. Works on the touched groups; the rest of the map is
only counted. Must not decide weights, nor touch the catalog.

Source: SPEC section 5 (Group) and 3 (statistics); ARCHITECTURE sections 4 (assignments) and 6.
"""

from dataclasses import dataclass
from pathlib import Path

import duckdb
import numpy as np

from linkwright.engine.group_ids import Growth, grow_groups
from linkwright.engine.grouping import GroupingConfiguration, GroupingMethod, UnknownRecordError
from linkwright.engine.id_arrays import NO_IDS, Ids, Mask
from linkwright.engine.links import Edges, Linked, WeighedPairs, link_nodes
from linkwright.engine.progress import Progress, ReportProgress
from linkwright.engine.reviews import Settled, settle
from linkwright.engine.sql import string_list
from linkwright.warehouse.connection import open_engine
from linkwright.warehouse.ends import read_ended
from linkwright.warehouse.group_input import (
    AcceptedPairs,
    BoundRules,
    bind_rules,
    decided_between,
    read_accepted_pairs,
    read_decisions,
    read_exclusive,
)
from linkwright.warehouse.group_outcome import (
    FlagSources,
    Outcome,
    Run,
    concatenated,
    look_back,
    write_assignments,
)
from linkwright.warehouse.group_result import NAMED_COUNT, GroupResult
from linkwright.warehouse.limits import EngineLimits, WrittenFile
from linkwright.warehouse.linkage_map import GroupArray, read_group_array
from linkwright.warehouse.stages import StageClock


@dataclass(frozen=True)
class GroupRequest:
    """What to group.

    Args:
        new_records: records files of the new data.
        held_records: records files of the live data, none of it new; read for Event Types and flags only.
        new_pairs: pairs files of the new data.
        held_pairs: pairs files of the live data; read only if the configuration flags weak links.
        assignments: assignments files of the live map, the oldest batch first.
        ended: ends files.
        decisions: decisions files of Quality Reviews, the oldest batch first.
        configuration: how groups come about.
        authoritative_event_types: codes of the Event Types of which a person has at most one record.
        next_group_id: the first free group id of the project, 1 or more.
        target: the assignments file to write.
        limits: memory, threads, scratch folder.
    """

    new_records: tuple[Path, ...]
    held_records: tuple[Path, ...]
    new_pairs: tuple[Path, ...]
    held_pairs: tuple[Path, ...]
    assignments: tuple[Path, ...]
    ended: tuple[Path, ...]
    decisions: tuple[Path, ...]
    configuration: GroupingConfiguration
    authoritative_event_types: tuple[str, ...]
    next_group_id: int
    target: Path
    limits: EngineLimits


@dataclass(frozen=True)
class _Input:
    """What was read: the map, the new records (ascending), the pairs of live records, the decisions."""

    held: GroupArray
    new_ids: Ids
    # place of each new record, from 1
    places: GroupArray
    pairs: AcceptedPairs
    settled: Settled

    def is_live(self, record_ids: Ids) -> Mask:
        return np.asarray((self.held.of(record_ids) > 0) | (self.places.of(record_ids) > 0))


@dataclass(frozen=True)
class _Grown:
    """What came about: existing groups (ascending, the first nodes) and new records (the others), linked."""

    pairs: WeighedPairs
    bound: BoundRules
    together: Edges
    linked: Linked
    growth: Growth


def group_records(request: GroupRequest, report: ReportProgress) -> GroupResult:
    """Group new records with each other and with the live map.

    Merge: what accepted pairs connect becomes one group. Weighted best-link: a group of the live map exists, one
    that comes about in this run does not; pairs are taken from the strongest, and one that would join two
    existing groups is ignored. Decisions and the rule of authoritative Event Types hold with both.

    Args:
        request: what to group.
        report: told the stage.

    Returns:
        The assignments file and its statistics.

    Raises:
        StorageError: if a file cannot be read or written.
        UnknownRecordError: if a pair's record is neither new nor in the map nor ended.
        InvalidDecisionError: if a decisions file holds a word that is no decision.
    """
    clock = StageClock()
    with open_engine(request.limits) as con:
        report(Progress("read"))
        with clock.stage("read"):
            data = _read(con, request)
        report(Progress("merge"))
        with clock.stage("merge"):
            grown = _grow(con, data, request)
            changed = _changed_records(data, grown.growth)
            after = data.held.with_groups(*changed)
        report(Progress("write"))
        with clock.stage("write"):
            assignments = write_assignments(con, *changed, request.target)
        report(Progress("count"))
        with clock.stage("count"):
            outcome = look_back(con, _run(data, grown, after), _flag_sources(request))
    return _result(data, grown.growth, outcome, assignments, clock)


def _run(data: _Input, grown: _Grown, after: GroupArray) -> Run:
    return Run(
        before=data.held,
        after=after,
        touched_ids=concatenated(grown.growth.new_group_ids, grown.growth.grown_group_ids),
        pairs=grown.pairs,
        linked=grown.linked,
        bound=grown.bound,
        settled=data.settled,
        together=grown.together,
    )


def _result(
    data: _Input, growth: Growth, outcome: Outcome, assignments: WrittenFile, clock: StageClock
) -> GroupResult:
    return GroupResult(
        assignments=assignments,
        accepted_pairs_count=int(data.pairs.left.size),
        counts=outcome.counts,
        new_groups_count=growth.new_groups_count,
        joined_records_count=growth.joined_records_count,
        grown_groups_count=int(growth.grown_group_ids.size),
        merged_groups_count=int(growth.absorbed_group_ids.size),
        split_groups_count=0,
        changed_records_count=assignments.rows_count - int(data.new_ids.size),
        ignored=outcome.ignored,
        flagged=outcome.flagged,
        contradictions_count=len(outcome.contradictions),
        contradictions=outcome.contradictions[:NAMED_COUNT],
        max_group_id=growth.next_group_id - 1,
        seconds=clock.seconds,
    )


def _flag_sources(request: GroupRequest) -> FlagSources:
    return FlagSources(
        records=(*request.held_records, *request.new_records),
        pairs=(*request.held_pairs, *request.new_pairs),
        configuration=request.configuration,
        authoritative_event_types=request.authoritative_event_types,
    )


def _read(con: duckdb.DuckDBPyConnection, request: GroupRequest) -> _Input:
    held = read_group_array(con, request.assignments, request.ended)
    ended = read_ended(con, request.ended)
    new_ids = _read_new_ids(con, request, ended)
    places = GroupArray(0, NO_IDS).with_groups(new_ids, np.arange(1, new_ids.size + 1))
    pairs = read_accepted_pairs(con, request.new_pairs, lambda left, _right: np.ones(left.size, dtype=np.bool_))
    data = _Input(held, new_ids, places, pairs, settle(read_decisions(con, request.decisions, request.ended)))
    is_live = [data.is_live(side) for side in (pairs.left, pairs.right)]
    for side, live in zip((pairs.left, pairs.right), is_live, strict=True):
        _refuse_unknown(side[~live], ended)
    both = is_live[0] & is_live[1]
    return data if both.all() else _Input(held, new_ids, places, pairs.chosen(both), data.settled)


def _read_new_ids(con: duckdb.DuckDBPyConnection, request: GroupRequest, ended: Ids) -> Ids:
    if not request.new_records:
        return NO_IDS
    query = f"SELECT record_id FROM read_parquet({string_list(list(request.new_records))}, union_by_name = true)"
    new_ids = np.sort(np.asarray(con.execute(query).fetchnumpy()["record_id"], dtype=np.int64))
    return new_ids[~np.isin(new_ids, ended)] if ended.size else new_ids


def _refuse_unknown(not_live: Ids, ended: Ids) -> None:
    unknown = np.setdiff1d(not_live, ended)
    if unknown.size:
        raise UnknownRecordError(
            f"A pair names the record {unknown[0]}, which is neither new nor in the linkage map. The project's "
            "files do not fit together: run 'linkwright doctor', then retry the job."
        )


def _grow(con: duckdb.DuckDBPyConnection, data: _Input, request: GroupRequest) -> _Grown:
    """Work out the groups of the existing groups that are touched and of the new records."""
    configuration = request.configuration
    together, apart = decided_between(data.settled, data.is_live)
    moving = data.held.of(together[0]) != data.held.of(together[1])
    ends = [*data.pairs[:2], *(side[moving] for side in together)]
    groups = np.unique(np.concatenate([data.held.of(side) for side in ends]))
    groups = groups[groups > 0]
    # per group id, its node from 1; per new record, its place from 1
    nodes = GroupArray(0, NO_IDS).with_groups(groups, np.arange(1, groups.size + 1))

    def node_of(record_ids: Ids) -> Ids:
        existing, places = nodes.of(data.held.of(record_ids)), data.places.of(record_ids)
        return np.where(existing > 0, existing - 1, np.where(places > 0, places - 1 + groups.size, -1))

    exclusive = (NO_IDS, NO_IDS)
    if configuration.one_per_authoritative:
        looked_at = concatenated(data.held.members_of(groups), data.new_ids)
        files = (*request.held_records, *request.new_records)
        exclusive = read_exclusive(con, files, request.authoritative_event_types, looked_at)
    nodes_count = groups.size + data.new_ids.size
    arrivals = None
    if configuration.method is GroupingMethod.BEST_LINK:
        arrivals = (np.arange(nodes_count) >= groups.size).astype(np.int64)
    bound = bind_rules((together, apart), exclusive, node_of, arrivals)
    pairs = WeighedPairs(
        nodes=(node_of(data.pairs.left), node_of(data.pairs.right)),
        weights=data.pairs.weights,
        record_ids=(data.pairs.left, data.pairs.right),
        steps=np.ones(data.pairs.left.size, dtype=np.int64),
    )
    linked = link_nodes(nodes_count, pairs, bound.rules)
    growth = grow_groups(groups, data.new_ids.size, linked.smallest, request.next_group_id)
    return _Grown(pairs, bound, together, linked, growth)


def _changed_records(data: _Input, growth: Growth) -> tuple[Ids, Ids]:
    """Return the records whose group is new or another one, and these groups."""
    moved = data.held.members_of(growth.absorbed_group_ids)
    into = growth.absorbing_group_ids[np.searchsorted(growth.absorbed_group_ids, data.held.of(moved))]
    return concatenated(data.new_ids, moved), concatenated(growth.new_group_ids, into)
