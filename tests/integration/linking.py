"""Links batches in order, each against all earlier ones, as the jobs of a chain of Envelopes do."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import networkx as nx

from linkwright.engine.grouping import GroupingConfiguration
from linkwright.engine.progress import silent
from linkwright.engine.strategy import MatchConfiguration
from linkwright.warehouse.group import GroupRequest, group_records
from linkwright.warehouse.limits import EngineLimits
from linkwright.warehouse.linkage_map import read_map
from linkwright.warehouse.match import MatchRequest, match_records
from linkwright.warehouse.preflight import MatchLimits
from linkwright.warehouse.record_sources import RecordSources
from tests.integration.splink_conversion import ScoredPair
from tests.record_batches import read_rows

NO_LIMIT = 1_000_000


@dataclass(frozen=True)
class Linked:
    """The stored pairs of all batches, and the map after the last."""

    pairs: dict[tuple[int, int], ScoredPair]
    groups: dict[int, int]

    @property
    def partition(self) -> set[frozenset[int]]:
        """The groups as sets of records, without their ids."""
        members: dict[int, set[int]] = {}
        for record_id, group_id in self.groups.items():
            members.setdefault(group_id, set()).add(record_id)
        return {frozenset(records) for records in members.values()}


def link(
    batches: Sequence[Path],
    configuration: MatchConfiguration,
    folder: Path,
    *,
    chunk_pairs_count: int = NO_LIMIT,
) -> Linked:
    """Match and group each batch in turn."""
    folder.mkdir(exist_ok=True)
    limits = EngineLimits(folder / "scratch", memory_mib=1024, threads=2)
    pairs: dict[tuple[int, int], ScoredPair] = {}
    assignments: list[Path] = []
    indexes: dict[Path, Path] = {}
    next_group_id = 1
    for number, batch in enumerate(batches):
        matching = MatchRequest(
            sources=RecordSources((batch,), tuple(batches[:number]), (), folder, f"batch{number}", indexes),
            configuration=configuration,
            target=folder / f"pairs{number}.parquet",
            parts_folder=folder / f"parts{number}",
            limits=limits,
            match_limits=MatchLimits(NO_LIMIT),
            chunk_pairs_count=chunk_pairs_count,
        )
        matched = match_records(matching, silent)
        indexes |= {records: index.path for records, index in matched.made_indexes.items()}
        added = read_pairs(matched.pairs.path, configuration)
        assert not added.keys() & pairs.keys()
        pairs |= added
        grouping = grouping_of(matching, assignments, next_group_id)
        assignments.append(grouping.target)
        next_group_id = group_records(grouping, silent).max_group_id + 1
    current = read_map(limits, assignments)
    return Linked(pairs, dict(zip(current.record_ids.tolist(), current.group_ids.tolist(), strict=True)))


def grouping_of(matching: MatchRequest, assignments: Sequence[Path], next_group_id: int) -> GroupRequest:
    """Return what to group after a matching is done."""
    return GroupRequest(
        new_records=matching.sources.new,
        held_records=matching.sources.held,
        new_pairs=(matching.target,),
        assignments=tuple(assignments),
        ended=matching.sources.ended,
        held_pairs=(),
        decisions=(),
        configuration=GroupingConfiguration(),
        authoritative_event_types=(),
        next_group_id=next_group_id,
        target=matching.target.with_name(f"assignments{len(assignments)}.parquet"),
        limits=matching.limits,
    )


def read_pairs(path: Path, configuration: MatchConfiguration) -> dict[tuple[int, int], ScoredPair]:
    """Read a pairs file."""
    columns = [f"level_{name}" for name in configuration.comparison_names]
    return {
        (row["record_id_l"], row["record_id_r"]): ScoredPair(
            row["blocking_rule"], tuple(row[column] for column in columns), row["match_weight"]
        )
        for row in read_rows(path)
    }


def components(record_ids: Sequence[int], linked: Linked, match_threshold: float) -> set[frozenset[int]]:
    """Return networkx's connected components of the pairs at or over a threshold."""
    graph: nx.Graph[int] = nx.Graph()
    graph.add_nodes_from(record_ids)
    graph.add_edges_from(pair for pair, scored in linked.pairs.items() if scored.match_weight >= match_threshold)
    return {frozenset(component) for component in nx.connected_components(graph)}


def assert_same_pairs(
    found: dict[tuple[int, int], ScoredPair], expected: dict[tuple[int, int], ScoredPair]
) -> None:
    """Require the same pairs, rules and levels, and weights equal to 1e-9."""
    assert found.keys() == expected.keys()
    for pair, scored in found.items():
        oracle = expected[pair]
        assert scored[:2] == oracle[:2], pair
        assert abs(scored.match_weight - oracle.match_weight) <= 1e-9, pair
