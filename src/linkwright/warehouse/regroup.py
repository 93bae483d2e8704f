"""Owns the run of Regroup: touched groups worked out anew from what is live, to one assignments file.

For all that is more than growth: records that were deleted or replaced, an Envelope that was rolled back out of
order, a Quality Review. Works on the touched groups and on those that accepted pairs join to them; the rest of the
map is only counted. Must not touch the catalog.

Source: SPEC sections 3 (Rollback) and 5 (Group); ARCHITECTURE section 6; docs/decisions/0011, 0012, 0018.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa

from linkwright.engine.group_ids import Renumbering, renumber_groups
from linkwright.engine.grouping import GroupingConfiguration, GroupingMethod
from linkwright.engine.id_arrays import NO_IDS, Ids, Mask, distinct
from linkwright.engine.links import Edges, Linked, WeighedPairs, component_labels, link_nodes
from linkwright.engine.progress import Progress, ReportProgress
from linkwright.engine.reviews import Settled, settle
from linkwright.engine.sql import string_list
from linkwright.engine.updates import Replacements
from linkwright.warehouse.connection import open_engine
from linkwright.warehouse.ends import read_ended, read_replacements
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
class RegroupRequest:
    """What to work out anew.

    Args:
        touched_group_ids: groups of the live map.
        touched_record_ids: records, live or ended, whose groups are touched; unknown ones do no harm.
        records: records files of all live data, the new included; read for Event Types and flags only.
        pairs: pairs files of all live data, the new included. Pairs of records that are not live do no harm.
        assignments: assignments files of the live map, the oldest batch first.
        arrivals: the same map in its original files, one a batch, the oldest first: they tell what came when,
            which a compacted file does not.
        ended: ends files; every record that is gone stands in them or in no assignments file.
        decisions: decisions files of Quality Reviews that hold, the oldest batch first.
        configuration: how groups come about.
        authoritative_event_types: codes of the Event Types of which a person has at most one record.
        next_group_id: the first free group id of the project, 1 or more.
        target: the assignments file to write.
        limits: memory, threads, scratch folder.
        new_records: records files of new data, which is grouped in the same run; none of it is in the map yet.
    """

    touched_group_ids: Ids
    touched_record_ids: Ids
    records: tuple[Path, ...]
    pairs: tuple[Path, ...]
    assignments: tuple[Path, ...]
    arrivals: tuple[Path, ...]
    ended: tuple[Path, ...]
    decisions: tuple[Path, ...]
    configuration: GroupingConfiguration
    authoritative_event_types: tuple[str, ...]
    next_group_id: int
    target: Path
    limits: EngineLimits
    new_records: tuple[Path, ...] = ()


@dataclass(frozen=True)
class _Known:
    """What was read of the map.

    Args:
        held: the live map.
        counted: the same with the new records, each in a group of its own whose id is free.
        new_ids: the new records, ascending.
        old_group_ids: of each new record the group of the record whose place it takes; 0 if it takes none.
        replacements: which record took the place of which.
    """

    held: GroupArray
    counted: GroupArray
    new_ids: Ids
    old_group_ids: Ids
    replacements: Replacements

    def seniority(self, record_ids: Ids) -> Ids:
        """Return the order of records by age, in which a version is as old as the first one.

        The versions that come in this run stand behind what stays: an id stays with the records that do.
        """
        is_new = np.isin(record_ids, self.new_ids)
        return np.lexsort((record_ids, self.replacements.places_of(record_ids), is_new))

    def groups_before(self, record_ids: Ids) -> Ids:
        """Return the group of each record before the run: of a new one that of its old version, 0 without one."""
        groups = self.held.of(record_ids)
        if self.new_ids.size:
            places = np.minimum(np.searchsorted(self.new_ids, record_ids), self.new_ids.size - 1)
            is_new = self.new_ids[places] == record_ids
            groups[is_new] = self.old_group_ids[places[is_new]]
        return groups


@dataclass(frozen=True)
class _Anew:
    """What came about: the records of the touched groups, the oldest first, are the nodes."""

    record_ids: Ids
    groups_before: Ids
    pairs: WeighedPairs
    bound: BoundRules
    linked: Linked
    renumbering: Renumbering


def regroup_records(request: RegroupRequest, report: ReportProgress) -> GroupResult:
    """Work out the touched groups anew from their live records, their accepted pairs and the decisions.

    Merge: the components; where a rule is in the way, all pairs of the component count at once, from the
    strongest, whichever Envelope brought them. Weighted best-link: the Envelopes are replayed in their order, as
    it decides what exists; a record belongs to the first original file that names it. Groups that accepted
    pairs or decisions join to a touched one, directly or through others, are worked out with it: what kept them
    apart may be gone.

    Args:
        request: what to work out anew.
        report: told the stage.

    Returns:
        An assignments file of the records whose group changed (maybe none), and its statistics.

    Raises:
        StorageError: if a file cannot be read or written.
        InvalidDecisionError: if a decisions file holds a word that is no decision.
    """
    clock = StageClock()
    with open_engine(request.limits) as con:
        report(Progress("read"))
        with clock.stage("read"):
            known = _read_known(con, request)
            settled = settle(read_decisions(con, request.decisions, request.ended))
            decided = decided_between(settled, lambda record_ids: known.counted.of(record_ids) > 0)
            groups = _touched_groups(con, known, decided[0], request)
        report(Progress("merge"))
        with clock.stage("merge"):
            anew = _work_out(con, known, groups, decided, request)
            moved = anew.renumbering.group_ids != known.held.of(anew.record_ids)
            changed = anew.record_ids[moved], anew.renumbering.group_ids[moved]
            after = known.held.with_groups(*changed)
        report(Progress("write"))
        with clock.stage("write"):
            assignments = write_assignments(con, *changed, request.target)
        report(Progress("count"))
        with clock.stage("count"):
            run = _run(known.held, after, anew, settled, decided[0])
            outcome = look_back(con, run, _flag_sources(request))
    return _result(anew, known, outcome, assignments, clock)


def _read_known(con: duckdb.DuckDBPyConnection, request: RegroupRequest) -> _Known:
    held = read_group_array(con, request.assignments, request.ended)
    replacements = read_replacements(con, request.ended)
    new_ids = _read_new_ids(con, request)
    if not new_ids.size:
        return _Known(held, held, NO_IDS, NO_IDS, replacements)
    # with the records that have ended: an old version is one of them
    everything = read_group_array(con, request.assignments)
    old_group_ids = np.zeros(new_ids.size, dtype=np.int64)
    takes_place = np.isin(replacements.new, new_ids)
    places = np.searchsorted(new_ids, replacements.new[takes_place])
    old_group_ids[places] = everything.of(replacements.old[takes_place])
    own_groups = request.next_group_id + np.arange(new_ids.size)
    return _Known(held, held.with_groups(new_ids, own_groups), new_ids, old_group_ids, replacements)


def _read_new_ids(con: duckdb.DuckDBPyConnection, request: RegroupRequest) -> Ids:
    if not request.new_records:
        return NO_IDS
    query = f"SELECT record_id FROM read_parquet({string_list(list(request.new_records))}, union_by_name = true)"
    found = distinct(np.asarray(con.execute(query).fetchnumpy()["record_id"], dtype=np.int64))
    return found[~np.isin(found, read_ended(con, request.ended))]


def _run(held: GroupArray, after: GroupArray, anew: _Anew, settled: Settled, together: Edges) -> Run:
    return Run(
        before=held,
        after=after,
        touched_ids=distinct(anew.renumbering.group_ids),
        pairs=anew.pairs,
        linked=anew.linked,
        bound=anew.bound,
        settled=settled,
        together=together,
    )


def _flag_sources(request: RegroupRequest) -> FlagSources:
    return FlagSources(
        records=request.records,
        pairs=request.pairs,
        configuration=request.configuration,
        authoritative_event_types=request.authoritative_event_types,
    )


def _result(
    anew: _Anew, known: _Known, outcome: Outcome, assignments: WrittenFile, clock: StageClock
) -> GroupResult:
    before, after = anew.groups_before, anew.renumbering.group_ids
    taken_in = after[after != before]
    is_joined = (before == 0) & np.isin(after, before)
    return GroupResult(
        assignments=assignments,
        accepted_pairs_count=int(anew.pairs.weights.size),
        counts=outcome.counts,
        new_groups_count=anew.renumbering.new_groups_count,
        joined_records_count=int(is_joined.sum()),
        grown_groups_count=int(distinct(taken_in[np.isin(taken_in, before)]).size),
        merged_groups_count=int(anew.renumbering.ended_group_ids.size),
        split_groups_count=int(anew.renumbering.split_group_ids.size),
        changed_records_count=assignments.rows_count - int(known.new_ids.size),
        ignored=outcome.ignored,
        flagged=outcome.flagged,
        contradictions_count=len(outcome.contradictions),
        contradictions=outcome.contradictions[:NAMED_COUNT],
        max_group_id=anew.renumbering.next_group_id - 1,
        seconds=clock.seconds,
    )


def records_touched_by(
    limits: EngineLimits, assignments: Sequence[Path], dropped: Sequence[Path], ended: Sequence[Path] = ()
) -> Ids:
    """Return the records whose groups must be worked out anew when an Envelope is rolled back out of order.

    Args:
        limits: memory, threads, scratch folder.
        assignments: all assignments files of the live map, the oldest batch first, with those to be dropped.
        dropped: the assignments files of the Envelope that is rolled back.
        ended: ends files.

    Returns:
        The live records that share a group with a record that the Envelope brought or moved, ascending. Give them
        to `RegroupRequest.touched_record_ids`, and the files without the dropped ones to the rest of it.

    Raises:
        StorageError: if a file cannot be read.
    """
    if not dropped:
        return NO_IDS
    with open_engine(limits) as con:
        everything = read_group_array(con, assignments)
        held = read_group_array(con, assignments, ended)
        query = f"SELECT DISTINCT record_id FROM read_parquet({string_list(list(dropped))})"
        named = np.asarray(con.execute(query).fetchnumpy()["record_id"], dtype=np.int64)
    return held.members_of(np.unique(everything.of(named)))


def _touched_groups(
    con: duckdb.DuckDBPyConnection, known: _Known, together: Edges, request: RegroupRequest
) -> Ids:
    """Return the touched groups and those that accepted pairs or decisions join to them, ascending."""
    held = known.counted
    touched = concatenated(request.touched_group_ids, held.of(known.new_ids))
    if request.touched_record_ids.size:
        everything = read_group_array(con, request.assignments) if request.ended else held
        latest = known.replacements.latest_of(request.touched_record_ids)
        touched = concatenated(touched, everything.of(request.touched_record_ids), held.of(latest))
    touched = distinct(touched[touched > 0])

    def crosses(left: Ids, right: Ids) -> Mask:
        groups = held.of(left), held.of(right)
        return np.asarray((groups[0] != groups[1]) & (groups[0] > 0) & (groups[1] > 0))

    across = read_accepted_pairs(con, request.pairs, crosses)
    sides = [held.of(concatenated(*ends)) for ends in zip(across[:2], together, strict=True)]
    groups = distinct(concatenated(touched, *sides))
    labels = component_labels(groups.size, (np.searchsorted(groups, sides[0]), np.searchsorted(groups, sides[1])))
    reached = np.isin(labels, labels[np.searchsorted(groups, touched)])
    return np.asarray(groups[reached], dtype=np.int64)


def _work_out(
    con: duckdb.DuckDBPyConnection,
    known: _Known,
    groups: Ids,
    decided: tuple[Edges, Edges],
    request: RegroupRequest,
) -> _Anew:
    record_ids = known.counted.members_of(groups)
    record_ids = record_ids[known.seniority(record_ids)]
    places = GroupArray(0, NO_IDS).with_groups(record_ids, np.arange(1, record_ids.size + 1))
    pairs: AcceptedPairs = read_accepted_pairs(
        con, request.pairs, lambda left, right: (places.of(left) > 0) & (places.of(right) > 0)
    )
    configuration = request.configuration
    exclusive = (NO_IDS, NO_IDS)
    if configuration.one_per_authoritative:
        exclusive = read_exclusive(con, request.records, request.authoritative_event_types, record_ids)
    nodes = places.of(pairs.left) - 1, places.of(pairs.right) - 1
    arrivals, steps = None, np.zeros(pairs.left.size, dtype=np.int64)
    if configuration.method is GroupingMethod.BEST_LINK:
        arrivals = _arrivals(con, request.arrivals, record_ids)
        steps = np.maximum(arrivals[nodes[0]], arrivals[nodes[1]])
    bound = bind_rules(decided, exclusive, lambda ids: places.of(ids) - 1, arrivals)
    weighed = WeighedPairs(nodes, pairs.weights, (pairs.left, pairs.right), steps)
    linked = link_nodes(record_ids.size, weighed, bound.rules)
    before = known.groups_before(record_ids)
    renumbering = renumber_groups(before, linked.smallest, request.next_group_id)
    return _Anew(record_ids, before, weighed, bound, linked, renumbering)


def _arrivals(con: duckdb.DuckDBPyConnection, assignments: Sequence[Path], record_ids: Ids) -> Ids:
    """Return the number of the first batch that names each record; of a new one the number after the last."""
    arrivals = np.full(record_ids.size, len(assignments), dtype=np.int64)
    if not assignments:
        return arrivals
    con.register("looked_at", pa.table({"record_id": record_ids}))
    # file_index is DuckDB's number of the file in the list
    found = con.execute(
        "SELECT record_id, min(file_index) AS batch "
        f"FROM read_parquet({string_list(list(assignments))}) SEMI JOIN looked_at USING (record_id) "
        "GROUP BY record_id ORDER BY record_id"
    ).fetchnumpy()
    con.unregister("looked_at")
    order = np.argsort(record_ids, kind="stable")
    places = order[np.searchsorted(record_ids[order], np.asarray(found["record_id"], dtype=np.int64))]
    arrivals[places] = found["batch"]
    return arrivals
