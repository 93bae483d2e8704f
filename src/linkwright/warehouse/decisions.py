"""Owns what a batch quality review reads and writes: the groups of the listed records, and the decisions file.

Must not decide what a review means: `engine.review_moves` does.

Source: SPEC sections 2 and 3 (batch quality review); docs/decisions/0012.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from linkwright.engine.review_moves import Decisions, decisions_of
from linkwright.warehouse.connection import open_engine, write_parquet
from linkwright.warehouse.group_input import APART, TOGETHER
from linkwright.warehouse.limits import EngineLimits, WrittenFile
from linkwright.warehouse.linkage_map import current_map_sql


@dataclass(frozen=True)
class ReviewRequest:
    """What was reviewed.

    Args:
        targets: the target group of each listed record, by record id; at least one.
        assignments: assignments files of the live map, the oldest batch first.
        ended: ends files.
        target: the decisions file to write: record_id_l, record_id_r BIGINT, decision VARCHAR.
        limits: memory, threads, scratch folder.
    """

    targets: Mapping[int, str]
    assignments: tuple[Path, ...]
    ended: tuple[Path, ...]
    target: Path
    limits: EngineLimits


@dataclass(frozen=True)
class ReviewResult:
    """The decisions file, what it says, and how many current groups hold listed records."""

    written: WrittenFile
    decisions: Decisions
    groups_count: int


def write_review(request: ReviewRequest) -> ReviewResult:
    """Turn a review into a decisions file.

    Raises:
        StorageError: if a file cannot be read or written.
    """
    with open_engine(request.limits) as con:
        con.register("listed", pa.table({"record_id": pa.array(sorted(request.targets), pa.int64())}))
        con.execute(f"CREATE TABLE current_map AS {current_map_sql(request.assignments, request.ended)}")
        rows = con.execute(
            "SELECT list(record_id ORDER BY record_id) FROM current_map WHERE group_id IN "
            "(SELECT group_id FROM current_map JOIN listed USING (record_id)) GROUP BY group_id ORDER BY group_id"
        ).fetchall()
        groups: Sequence[Sequence[int]] = [row[0] for row in rows]
        decisions = decisions_of(request.targets, groups)
        decided = [
            *((*pair, TOGETHER) for pair in decisions.together),
            *((*pair, APART) for pair in decisions.apart),
        ]
        columns = list(zip(*decided, strict=True)) if decided else [(), (), ()]
        con.register(
            "decided",
            pa.table(
                {
                    "record_id_l": pa.array(columns[0], pa.int64()),
                    "record_id_r": pa.array(columns[1], pa.int64()),
                    "decision": pa.array(columns[2], pa.string()),
                }
            ),
        )
        written = write_parquet(con, "FROM decided ORDER BY ALL", request.target)
    return ReviewResult(written=written, decisions=decisions, groups_count=len(groups))
