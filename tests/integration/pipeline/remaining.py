"""What a project must be, worked out from the Envelopes that stand; and what can be seen of one.

Knows the rules as the specification states them, and reads files only to see what the product made of them.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeAlias

import duckdb

from linkwright.engine.reviews import Decision, RecordPair, Settled, between_live, settle
from linkwright.envelopes.manifest import RequestType
from linkwright.jobs.context import project_folder
from linkwright.store.batch_catalog import live_batches
from linkwright.store.models import BatchKind, LinkageProject
from linkwright.warehouse.connection import open_engine
from linkwright.warehouse.group_input import read_decisions
from linkwright.warehouse.limits import EngineLimits
from linkwright.warehouse.linkage_map import read_map
from tests.integration.pipeline.conftest import System

Key: TypeAlias = tuple[str, str]
"""Event Type and Source Unique ID."""
Person: TypeAlias = tuple[str, str, str]
"""Given name, surname, date of birth."""
Pairs: TypeAlias = dict[frozenset[Key], tuple[float, bool]]
"""Two records: their match weight, and whether they are accepted."""


@dataclass(frozen=True)
class Seen:
    """All that counts of a project.

    Args:
        records: by record id, the live ones.
        groups: of the live records.
        map_bytes: the linkage map, as it is in memory.
        pairs: of live records.
        decided: pairs of live records that belong together, and that belong apart.
    """

    records: Mapping[int, tuple[Key, Person]]
    groups: Mapping[int, int]
    map_bytes: bytes
    pairs: Mapping[RecordPair, tuple[float, bool]]
    decided: tuple[frozenset[RecordPair], frozenset[RecordPair]]

    @cached_property
    def record_ids(self) -> dict[Key, int]:
        """The record id of each live record."""
        return {key: record_id for record_id, (key, _person) in self.records.items()}

    @cached_property
    def partition(self) -> set[frozenset[int]]:
        """The groups, as sets of record ids."""
        members: dict[int, set[int]] = {}
        for record_id, group_id in self.groups.items():
            members.setdefault(group_id, set()).add(record_id)
        return {frozenset(group) for group in members.values()}

    @property
    def people(self) -> dict[Key, Person]:
        """The live records, without their ids."""
        return dict(self.records.values())

    @property
    def named_partition(self) -> set[frozenset[Key]]:
        """The groups, without any ids."""
        return {frozenset(self.records[one][0] for one in group) for group in self.partition}

    @property
    def named_pairs(self) -> Pairs:
        """The pairs, without any ids."""
        return {frozenset(self.records[one][0] for one in pair): found for pair, found in self.pairs.items()}


def see(system: System, code: str) -> Seen:
    """Look at a project as it is now."""
    project = LinkageProject.objects.get(code=code)
    folder = project_folder(system.config, project)
    files = {kind: [folder / batch.file_name for batch in live_batches(project, kind)] for kind in BatchKind}
    limits = EngineLimits(system.config.scratch_folder, memory_mib=512, threads=1)
    ended = files[BatchKind.ENDS]
    current = read_map(limits, files[BatchKind.ASSIGNMENTS], ended)
    with open_engine(limits) as con:
        gone = {row[0] for row in _rows(con, "record_id", ended)}
        decisions = read_decisions(con, files[BatchKind.DECISIONS], ended)
        columns = "record_id, event_type, source_unique_id, given_name, surname, date_of_birth"
        records = {
            row[0]: ((row[1], row[2]), (row[3].title(), row[4].title(), str(row[5])))
            for row in _rows(con, columns, files[BatchKind.RECORDS])
            if row[0] not in gone
        }
        pairs = [
            row
            for row in _rows(con, "record_id_l, record_id_r, match_weight, is_match", files[BatchKind.PAIRS])
            if row[0] in records and row[1] in records
        ]
    found = {(row[0], row[1]): (round(row[2], 9), row[3]) for row in pairs}
    assert len(found) == len(pairs), "a pair is stored twice"
    groups = dict(zip(current.record_ids.tolist(), current.group_ids.tolist(), strict=True))
    assert groups.keys() == records.keys(), "the groups do not partition the live records"
    assert len({key for key, _person in records.values()}) == len(records), "an identifier is live twice"
    return Seen(
        records=records,
        groups=groups,
        map_bytes=current.record_ids.tobytes() + current.group_ids.tobytes(),
        pairs=found,
        decided=_between(settle(decisions), records),
    )


def _rows(con: duckdb.DuckDBPyConnection, columns: str, files: Sequence[object]) -> list[tuple[Any, ...]]:
    if not files:
        return []
    names = [str(name) for name in files]
    return con.execute(f"SELECT {columns} FROM read_parquet($1, union_by_name = true)", [names]).fetchall()


def _between(settled: Settled, live: Collection[int]) -> tuple[frozenset[RecordPair], frozenset[RecordPair]]:
    together, apart = between_live(settled, live)
    return frozenset(together), frozenset(apart)


@dataclass(frozen=True)
class Version:
    """A record as one Envelope brought it: the number of that Envelope, and the record id that it was given."""

    sent: int
    key: Key
    person: Person
    record_id: int


@dataclass
class Sent:
    """An Envelope that succeeded.

    Args:
        number: counted up.
        envelope_id: of the row.
        request_type: what it asked for.
        before: the project before it.
        loaded: the versions that it brought.
        deleted: the records that it ended.
        decided: what it decided: one record, the other, and whether they belong together.
    """

    number: int
    envelope_id: int
    request_type: RequestType
    before: Seen
    loaded: dict[Key, Version] = field(default_factory=dict)
    deleted: set[Key] = field(default_factory=set)
    decided: list[tuple[Version, Version, bool]] = field(default_factory=list)

    @property
    def is_review(self) -> bool:
        """Whether it is undone with what came before it."""
        return self.request_type is RequestType.SUBMIT_QUALITY_REVIEW


@dataclass(frozen=True)
class Remains:
    """What remains of a history.

    Args:
        current: the version that counts of each live record.
        first: of each version the first one of its record.
        latest: of each first version the last one of its record, live or not.
        decisions: of all reviews, about the records that were reviewed.
    """

    current: dict[Key, Version]
    first: dict[Version, Version]
    latest: dict[Version, Version]
    decisions: list[Decision]

    @property
    def people(self) -> dict[Key, Person]:
        """The live records."""
        return {key: version.person for key, version in self.current.items()}

    def decided(self) -> tuple[frozenset[RecordPair], frozenset[RecordPair]]:
        """Return what the reviews mean for the live records."""
        return _between(settle(self.decisions), {version.record_id for version in self.current.values()})

    def by_envelope(self) -> list[dict[Key, Person]]:
        """Return the live records by the Envelope that brought them, in the order of the Envelopes."""
        found: dict[int, dict[Key, Person]] = {}
        for key, version in self.current.items():
            found.setdefault(version.sent, {})[key] = version.person
        return [people for _sent, people in sorted(found.items())]


def replay(standing: Iterable[Sent]) -> Remains:
    """Work out what remains of the Envelopes that stand."""
    remains = Remains({}, {}, {}, [])
    told: list[tuple[int, Version, Version, bool]] = []
    for sent in standing:
        for key, version in sent.loaded.items():
            older = remains.current.get(key)
            remains.first[version] = version if older is None else remains.first[older]
            remains.latest[remains.first[version]] = version
            remains.current[key] = version
        for key in sent.deleted:
            remains.current.pop(key, None)
        told += [(sent.number, *decision) for decision in sent.decided]
    for number, *pair, is_together in told:
        one, other = (remains.latest[remains.first[version]].record_id for version in pair)
        remains.decisions.append(Decision(one, other, is_together, number))
    return remains


def demand_grouped(seen: Seen) -> None:
    """Demand that decisions bind, that what is joined has a reason, and that what is not has one, too (merge)."""
    together, apart = seen.decided
    groups = seen.groups
    assert all(groups[one] == groups[other] for one, other in together), "put together, and apart all the same"
    assert all(groups[one] != groups[other] for one, other in apart), "put apart, and together all the same"
    links = [*together, *(pair for pair, (_weight, is_match) in seen.pairs.items() if is_match)]
    within = [(one, other) for one, other in links if groups[one] == groups[other]]
    assert components(seen.records, within) == seen.partition, "a group is held together by nothing"


def demand_merged(seen: Seen) -> None:
    """Demand that only a decision keeps apart what an accepted pair joins."""
    groups = seen.groups
    kept_apart = {frozenset((groups[one], groups[other])) for one, other in seen.decided[1]}
    for (one, other), (_weight, is_match) in seen.pairs.items():
        between = frozenset((groups[one], groups[other]))
        assert not is_match or len(between) == 1 or between in kept_apart, "nothing keeps them apart"


def components(nodes: Iterable[int], edges: Iterable[RecordPair]) -> set[frozenset[int]]:
    """Return the connected components."""
    part = {node: frozenset((node,)) for node in nodes}
    for one, other in edges:
        joined = part[one] | part[other]
        part.update(dict.fromkeys(joined, joined))
    return set(part.values())
