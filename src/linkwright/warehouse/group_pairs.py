"""Owns reading the kept pairs among the records of a group, with their levels, and the decisions about them.

Must not decide groups, nor say what a level means.

Source: ARCHITECTURE section 4 (pairs); SPEC section 1 (pair, Quality Review).
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from linkwright.engine.scoring import LEVEL_PREFIX
from linkwright.engine.sql import string_list
from linkwright.warehouse.connection import open_engine
from linkwright.warehouse.group_input import TOGETHER
from linkwright.warehouse.limits import EngineLimits
from linkwright.warehouse.live_files import LiveFiles
from linkwright.warehouse.record_keys import number_list


@dataclass(frozen=True)
class KeptPair:
    """A pair as Match kept it.

    Args:
        record_id_l: the smaller id.
        record_id_r: the other.
        match_weight: log2; infinity for a deterministic strategy.
        strategy: its name.
        is_match: whether it was at or over the match threshold; else it was kept for review.
        levels: per comparison the number of its level: -1 if a value is missing, 0 for no agreement.
    """

    record_id_l: int
    record_id_r: int
    match_weight: float
    strategy: str
    is_match: bool
    levels: Mapping[str, int]


@dataclass(frozen=True)
class KeptPairs:
    """The pairs of the highest weights, and how many there are in all."""

    pairs: tuple[KeptPair, ...] = ()
    count: int = 0


@dataclass(frozen=True)
class GroupDecision:
    """What a Quality Review says of two records.

    Args:
        batch: the index of its file in the list given, from 0.
        record_id_l: one record.
        record_id_r: the other.
        is_together: whether they belong together; if not, they belong apart.
    """

    batch: int
    record_id_l: int
    record_id_r: int
    is_together: bool


def read_kept_pairs(
    limits: EngineLimits, files: LiveFiles, record_ids: Collection[int], *, most: int
) -> KeptPairs:
    """Read the live pairs among some records, the highest weight first.

    Args:
        limits: memory, threads, scratch folder.
        files: of the live data.
        record_ids: both records of a pair are of these.
        most: how many are returned.

    Raises:
        StorageError: if a file cannot be read.
    """
    if not files.pairs or len(record_ids) <= 1:
        return KeptPairs()
    ids = number_list(record_ids)
    with open_engine(limits) as con:
        con.execute(
            f"CREATE TABLE kept AS FROM read_parquet({string_list(list(files.pairs))}, union_by_name = true) "
            f"WHERE record_id_l IN ({ids}) AND record_id_r IN ({ids})"
        )
        count = int(con.execute("SELECT count(*) FROM kept").fetchall()[0][0])
        result = con.execute(f"FROM kept ORDER BY match_weight DESC, record_id_l, record_id_r LIMIT {most}")
        names = [str(column[0]) for column in result.description or ()]
        rows = [dict(zip(names, row, strict=True)) for row in result.fetchall()]
    levels = [name for name in names if name.startswith(LEVEL_PREFIX)]
    return KeptPairs(
        tuple(
            KeptPair(
                record_id_l=int(row["record_id_l"]),
                record_id_r=int(row["record_id_r"]),
                match_weight=float(row["match_weight"]),
                strategy=str(row["strategy"]),
                is_match=bool(row["is_match"]),
                levels={
                    name.removeprefix(LEVEL_PREFIX): int(row[name]) for name in levels if row[name] is not None
                },
            )
            for row in rows
        ),
        count,
    )


def read_group_decisions(
    limits: EngineLimits, decisions: Sequence[Path], record_ids: Collection[int], *, most: int
) -> tuple[GroupDecision, ...]:
    """Read what Quality Reviews say of some records and any other, the newest first.

    Args:
        limits: memory, threads, scratch folder.
        decisions: decisions files as they were written, the oldest batch first.
        record_ids: at least one record of a decision is of these.
        most: how many are returned.

    Raises:
        StorageError: if a file cannot be read.
    """
    if not decisions or not record_ids:
        return ()
    ids = number_list(record_ids)
    with open_engine(limits) as con:
        # file_index is DuckDB's number of the file in the list
        rows = con.execute(
            "SELECT file_index, record_id_l, record_id_r, decision "
            f"FROM read_parquet({string_list(list(decisions))}, union_by_name = true) "
            f"WHERE record_id_l IN ({ids}) OR record_id_r IN ({ids}) "
            f"ORDER BY file_index DESC, record_id_l, record_id_r LIMIT {most}"
        ).fetchall()
    return tuple(GroupDecision(int(row[0]), int(row[1]), int(row[2]), row[3] == TOGETHER) for row in rows)
