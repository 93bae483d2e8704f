"""Owns the end of a run of grouping: the assignments file, the counts, the flags, the contradictions.

The same for Group and Regroup. Must not decide groups.

Source: ARCHITECTURE section 4 (assignments); SPEC section 3 (statistics of Group).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa

from linkwright.engine.grouping import GroupingConfiguration
from linkwright.engine.id_arrays import Ids, Mask
from linkwright.engine.links import Edges, Linked, WeighedPairs
from linkwright.engine.reviews import Settled
from linkwright.warehouse.connection import write_parquet
from linkwright.warehouse.flagged_groups import Touched, find_flagged_groups
from linkwright.warehouse.group_input import AcceptedPairs, BoundRules, read_accepted_pairs
from linkwright.warehouse.group_result import (
    FlaggedGroups,
    GroupCounts,
    IgnoredMerges,
    count_groups,
    ignored_merges,
)
from linkwright.warehouse.limits import WrittenFile
from linkwright.warehouse.linkage_map import GroupArray


@dataclass(frozen=True)
class FlagSources:
    """Where the reasons to flag a group are read.

    Args:
        records: records files that hold all touched records.
        pairs: pairs files of all live data; read only if weak links are flagged.
        configuration: of the project.
        authoritative_event_types: codes of the Event Types of which a person has at most one record.
    """

    records: tuple[Path, ...]
    pairs: tuple[Path, ...]
    configuration: GroupingConfiguration
    authoritative_event_types: tuple[str, ...]


@dataclass(frozen=True)
class Run:
    """What a run did, for looking back at it.

    Args:
        before: the map before.
        after: the map afterwards.
        touched_ids: the groups, afterwards, that it looked at; with doubles or not.
        pairs: the accepted pairs that it worked with.
        linked: what became of them.
        bound: the rules.
        settled: the decisions.
        together: pairs of live records that decisions put together.
    """

    before: GroupArray
    after: GroupArray
    touched_ids: Ids
    pairs: WeighedPairs
    linked: Linked
    bound: BoundRules
    settled: Settled
    together: Edges


@dataclass(frozen=True)
class Outcome:
    """What is told of a run; the fields are those of `GroupResult`."""

    counts: GroupCounts
    ignored: IgnoredMerges
    flagged: FlaggedGroups
    contradictions: tuple[str, ...]


def look_back(con: duckdb.DuckDBPyConnection, run: Run, sources: FlagSources) -> Outcome:
    """Count the whole map, flag touched groups, name what was ignored and what contradicts."""
    return Outcome(
        counts=count_groups(run.before, run.after),
        ignored=ignored_merges(run.pairs, run.linked, run.after),
        flagged=_flag_touched(con, run, sources),
        contradictions=_contradictions(run),
    )


def write_assignments(
    con: duckdb.DuckDBPyConnection, record_ids: Ids, group_ids: Ids, target: Path
) -> WrittenFile:
    """Write an assignments file, ascending by record.

    Raises:
        StorageError: (from `open_engine`) if the disk is full or the folder cannot be written.
    """
    order = np.argsort(record_ids, kind="stable")
    con.register("changed", pa.table({"record_id": record_ids[order], "group_id": group_ids[order]}))
    written = write_parquet(con, "SELECT record_id, group_id FROM changed", target)
    con.unregister("changed")
    return written


def _flag_touched(con: duckdb.DuckDBPyConnection, run: Run, sources: FlagSources) -> FlaggedGroups:
    is_touched = np.zeros(run.after.sizes().size, dtype=np.bool_)
    is_touched[run.touched_ids] = True
    return flag_groups(con, run.after, is_touched, run.together, sources)


def flag_groups(
    con: duckdb.DuckDBPyConnection, current: GroupArray, looked_at: Mask, together: Edges, sources: FlagSources
) -> FlaggedGroups:
    """Look for groups that a person should look at.

    Args:
        con: makes and drops tables of its own.
        current: the map.
        looked_at: by group id, whether to look at it; shape as `current.sizes()`.
        together: pairs of live records that decisions put together.
        sources: where the reasons are read.
    """
    sizes = current.sizes()
    # a record that is alone contradicts nothing
    shared = np.flatnonzero(looked_at & (sizes > 1))
    members = current.members_of(shared)
    links = AcceptedPairs(*together, np.full(together[0].size, np.inf))
    if sources.configuration.flag_links_under is not None:
        wanted = np.zeros(max(sizes.size, 1), dtype=np.bool_)
        wanted[shared] = True

        def keep(left: Ids, right: Ids) -> Mask:
            groups = current.of(left)
            return np.asarray(wanted[groups] & (groups == current.of(right)))

        found = read_accepted_pairs(con, sources.pairs, keep)
        links = AcceptedPairs(*(np.concatenate(arrays) for arrays in zip(links, found, strict=True)))
    return find_flagged_groups(
        con,
        Touched(members, current.of(members), (links.left, links.right), links.weights),
        sources.records,
        sources.configuration,
        sources.authoritative_event_types,
    )


def _contradictions(run: Run) -> tuple[str, ...]:
    """Say which Quality Reviews about records of the touched groups do not hold, a full sentence each."""
    told = [
        str(contradiction)
        for contradiction in run.settled.contradictions
        if np.isin(run.after.of(np.array(contradiction.chain, dtype=np.int64)), run.touched_ids).any()
    ]
    bound = run.bound
    told.extend(_unkept_text(one, other, run.after) for one, other in bound.unkept)
    told.extend(
        _broken_text(int(bound.together[0][place]), int(bound.together[1][place])) for place in run.linked.broken
    )
    return tuple(told)


def _unkept_text(one: int, other: int, after: GroupArray) -> str:
    group_id = int(after.of(np.array([one], dtype=np.int64))[0])
    return (
        f"Records {one} and {other} were put apart, but are both in group {group_id}, which was made before. New "
        "data does not take a group apart: review it again, which works it out anew."
    )


def _broken_text(one: int, other: int) -> str:
    return (
        f"Records {one} and {other} were put together, but their groups hold records that were put apart. The "
        "groups stay as they are: review these records again, which works the groups out anew."
    )


def concatenated(*parts: Sequence[int] | Ids) -> Ids:
    """Return arrays one after the other."""
    return np.concatenate([np.asarray(part, dtype=np.int64) for part in parts])
