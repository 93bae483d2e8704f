"""Owns what is read to explain a group: its members, the accepted pairs among them, why it is flagged.

Reads the one group only, not the map of all. Must not decide groups, nor who may see them.

Source: SPEC section 5 (Group); ARCHITECTURE sections 4 and 6.
"""

from dataclasses import dataclass, replace

import duckdb
import numpy as np

from linkwright.engine.grouping import GroupingConfiguration
from linkwright.engine.link_path import Link, spanning_links
from linkwright.engine.sql import string_list
from linkwright.warehouse.connection import open_engine
from linkwright.warehouse.flagged_groups import Touched, find_flagged_groups
from linkwright.warehouse.group_result import FlaggedGroup
from linkwright.warehouse.limits import EngineLimits
from linkwright.warehouse.live_files import LiveFiles, RecordKey
from linkwright.warehouse.record_keys import current_groups_sql
from linkwright.warehouse.record_views import create_record_view

MOST_LINKS_COUNT = 20_000
"""A group with more accepted pairs inside is shown by those that hold it together best."""


@dataclass(frozen=True)
class GroupLinks:
    """A group with what holds it together.

    Args:
        group_id: of the group.
        members: record id and provider's key of each live record, by record id; none if the group is no more.
        links: the accepted pairs among them, by record ids; of more than `MOST_LINKS_COUNT` those of the maximum
            spanning tree, among which is the strongest chain between any two records.
        links_count: of all accepted pairs among them.
        flags: why a person should look at it, if the grouping configuration was given; none if nobody need.
    """

    group_id: int
    members: dict[int, RecordKey]
    links: tuple[Link, ...]
    links_count: int
    flags: tuple[FlaggedGroup, ...]


@dataclass(frozen=True)
class FlagRules:
    """By what groups are flagged.

    Args:
        configuration: of the project.
        authoritative_event_types: codes of the Event Types of which a person has at most one record.
    """

    configuration: GroupingConfiguration
    authoritative_event_types: tuple[str, ...]


def read_group_links(
    limits: EngineLimits, files: LiveFiles, group_id: int, flag_rules: FlagRules | None = None
) -> GroupLinks:
    """Read one group with all accepted pairs inside it.

    Args:
        limits: memory, threads, scratch folder.
        files: of the live data.
        group_id: of a group that is, or was.
        flag_rules: by which it is flagged; None: not looked at.

    Raises:
        StorageError: if a file cannot be read.
    """
    if not files.records or not files.assignments:
        return GroupLinks(group_id, {}, (), 0, ())
    with open_engine(limits) as con:
        con.execute(f"CREATE TABLE group_members AS {_members_sql(files, group_id)}")
        create_record_view(con, "records", files.records, files.ended, columns=RecordKey._fields)
        rows = con.execute(
            "SELECT record_id, event_type, source_unique_id FROM records "
            "SEMI JOIN group_members USING (record_id) ORDER BY record_id"
        ).fetchall()
        members = {int(record_id): RecordKey(*key) for record_id, *key in rows}
        links, links_count = _read_links(con, files) if len(members) > 1 else ((), 0)
        group = GroupLinks(group_id, members, links, links_count, ())
        return group if flag_rules is None else replace(group, flags=_read_flags(con, files, group, flag_rules))


def _members_sql(files: LiveFiles, group_id: int) -> str:
    """Return a query of the records whose group it is today, among those whose group it ever was."""
    ever = (
        f"SELECT record_id FROM read_parquet({string_list(list(files.assignments))}) "
        f"WHERE group_id = {int(group_id)}"
    )
    return f"SELECT record_id FROM ({current_groups_sql(files, ever)}) WHERE group_id = {int(group_id)}"


def _read_links(con: duckdb.DuckDBPyConnection, files: LiveFiles) -> tuple[tuple[Link, ...], int]:
    """Return the links to show, and how many there are in all."""
    if not files.pairs:
        return (), 0
    found = con.execute(
        "SELECT record_id_l, record_id_r, match_weight, strategy "
        f"FROM read_parquet({string_list(list(files.pairs))}, union_by_name = true) WHERE is_match "
        "AND record_id_l IN (FROM group_members) AND record_id_r IN (FROM group_members) "
        "ORDER BY record_id_l, record_id_r"
    ).fetchnumpy()
    left, right = (np.asarray(found[name], dtype=np.int64) for name in ("record_id_l", "record_id_r"))
    weights, strategies = np.asarray(found["match_weight"], dtype=np.float64), np.asarray(found["strategy"])
    places = np.arange(left.size)
    if left.size > MOST_LINKS_COUNT:
        places = spanning_links(left, right, weights)
    columns = (column[places].tolist() for column in (left, right, weights, strategies))
    return tuple(Link(*row) for row in zip(*columns, strict=True)), int(left.size)


def _read_flags(
    con: duckdb.DuckDBPyConnection, files: LiveFiles, group: GroupLinks, rules: FlagRules
) -> tuple[FlaggedGroup, ...]:
    touched = Touched(
        record_ids=np.array(list(group.members), dtype=np.int64),
        group_ids=np.full(len(group.members), group.group_id, dtype=np.int64),
        pairs=(
            np.array([link.record_id_l for link in group.links], dtype=np.int64),
            np.array([link.record_id_r for link in group.links], dtype=np.int64),
        ),
        weights=np.array([link.match_weight for link in group.links], dtype=np.float64),
    )
    found = find_flagged_groups(con, touched, files.records, rules.configuration, rules.authoritative_event_types)
    return found.named
