"""Owns reading what grouping needs beside the map: accepted pairs, decisions, Event Types.

Must not decide groups.

Source: ARCHITECTURE section 4 (pairs); SPEC section 1 (Quality Review).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import duckdb
import numpy as np
import pyarrow as pa

from linkwright.engine.id_arrays import NO_IDS, Ids, Mask, Weights
from linkwright.engine.links import Edges, LinkRules
from linkwright.engine.reviews import Decision, RecordPair, Settled, between_live
from linkwright.engine.sql import literal, string_list
from linkwright.errors import LinkwrightError
from linkwright.warehouse.ends import read_replacements

TOGETHER, APART = "together", "apart"
_READ_ROWS = 250_000


class InvalidDecisionError(LinkwrightError):
    """A decisions file holds a word that is no decision."""


class AcceptedPairs(NamedTuple):
    """Pairs that are matches, one entry each; weights in log2, +inf for deterministic pairs."""

    left: Ids
    right: Ids
    weights: Weights

    def chosen(self, chosen: Mask) -> "AcceptedPairs":
        """Return some of the pairs."""
        return AcceptedPairs(self.left[chosen], self.right[chosen], self.weights[chosen])


@dataclass(frozen=True)
class BoundRules:
    """The rules of one run, between its nodes.

    Args:
        rules: for `engine.links`.
        together: the record ids of the decisions in `rules.together`, in the same order.
        unkept: records that decisions put apart, but that one node holds.
    """

    rules: LinkRules
    together: Edges
    unkept: tuple[RecordPair, ...]


def read_accepted_pairs(
    con: duckdb.DuckDBPyConnection, pairs: Sequence[Path], keep: Callable[[Ids, Ids], Mask]
) -> AcceptedPairs:
    """Read the pairs that are matches, as far as they are wanted.

    Args:
        con: what reads.
        pairs: pairs files.
        keep: says of the record ids of pairs, left and right, which are wanted. Only these stay in memory.
    """
    parts = [AcceptedPairs(NO_IDS, NO_IDS, np.empty(0, dtype=np.float64))]
    if pairs:
        files = string_list(list(pairs))
        rows = con.sql(
            "SELECT record_id_l, record_id_r, match_weight "
            f"FROM read_parquet({files}, union_by_name = true) WHERE is_match"
        ).to_arrow_reader(_READ_ROWS)
        for chunk in rows:
            part = AcceptedPairs(*(chunk.column(number).to_numpy() for number in range(3)))
            wanted = keep(part.left, part.right)
            # a part that is kept whole is not copied
            parts.append(part if wanted.all() else part.chosen(wanted))
    return AcceptedPairs(*(np.concatenate(arrays) for arrays in zip(*parts, strict=True)))


def read_decisions(
    con: duckdb.DuckDBPyConnection, files: Sequence[Path], ended: Sequence[Path] = ()
) -> list[Decision]:
    """Read decisions, numbered by the batch that they came in.

    What was decided about a record holds for the record that took its place.

    Args:
        con: what reads.
        files: of record_id_l, record_id_r (BIGINT) and decision (VARCHAR: 'together' or 'apart'), the oldest batch
            first. A compacted file has a column batch as well, the number of the batch in it.
        ended: ends files: they say which record took the place of which.

    Raises:
        InvalidDecisionError: if a decision is another word.
    """
    if not files:
        return []
    replacements = read_replacements(con, ended)
    decisions: list[Decision] = []
    numbers: dict[tuple[int, int], int] = {}
    for number, path in enumerate(files):
        source = f"read_parquet({literal(path)})"
        columns = [row[0] for row in con.execute(f"DESCRIBE FROM {source}").fetchall()]
        step = "batch" if "batch" in columns else "0"
        query = f"SELECT record_id_l, record_id_r, decision, {step} AS step FROM {source} ORDER BY step"
        found = con.execute(query).fetchnumpy()
        sides = (np.asarray(found[side], dtype=np.int64) for side in ("record_id_l", "record_id_r"))
        latest = (replacements.latest_of(side).tolist() for side in sides)
        for left, right, word, came in zip(
            *latest, found["decision"].tolist(), found["step"].tolist(), strict=True
        ):
            batch = numbers.setdefault((number, came), len(numbers))
            if word not in {TOGETHER, APART}:
                raise InvalidDecisionError(
                    f"The decision about the records {left} and {right} in {path.name} is {word!r}; it must be "
                    f"{TOGETHER!r} or {APART!r}. Roll back the Quality Review that wrote it, and decide again."
                )
            decisions.append(Decision(left, right, word == TOGETHER, batch))
    return decisions


def read_exclusive(
    con: duckdb.DuckDBPyConnection, records: Sequence[Path], event_types: Sequence[str], record_ids: Ids
) -> Edges:
    """Find records of certain Event Types.

    Args:
        con: what reads.
        records: records files.
        event_types: their codes.
        record_ids: the records to look at.

    Returns:
        The records, and the number of each one's Event Type, from 0 in the order given.
    """
    if not records or not event_types or not record_ids.size:
        return NO_IDS, NO_IDS
    codes = string_list([str(code) for code in event_types])
    con.register("looked_at", pa.table({"record_id": record_ids}))
    found = con.execute(
        f"SELECT record_id, list_position({codes}, event_type) - 1 AS kind "
        f"FROM read_parquet({string_list(list(records))}, union_by_name = true) "
        f"SEMI JOIN looked_at USING (record_id) WHERE list_contains({codes}, event_type)"
    ).fetchnumpy()
    con.unregister("looked_at")
    return np.asarray(found["record_id"], dtype=np.int64), np.asarray(found["kind"], dtype=np.int64)


def decided_between(settled: Settled, live: Callable[[Ids], Mask]) -> tuple[Edges, Edges]:
    """Return what decisions mean for live records.

    Args:
        settled: the decisions that hold.
        live: says of record ids which are live.

    Returns:
        The pairs of live records that belong together, and those that belong apart.
    """
    named = np.array(sorted(settled.record_ids), dtype=np.int64)
    together, apart = between_live(settled, set(named[live(named)].tolist()))
    return _edges(together), _edges(apart)


def bind_rules(
    decided: tuple[Edges, Edges], exclusive: Edges, node_of: Callable[[Ids], Ids], arrivals: Ids | None
) -> BoundRules:
    """Turn rules about records into rules about nodes.

    Args:
        decided: pairs of records that belong together, and that belong apart.
        exclusive: records with the number of their Event Type, of which a group holds at most one.
        node_of: the node of each record; -1 for records that take no part.
        arrivals: as `LinkRules` has them.
    """
    together, apart = ((node_of(sides[0]), node_of(sides[1])) for sides in decided)
    takes_part = [(sides[0] >= 0) & (sides[1] >= 0) for sides in (together, apart)]
    differs = [sides[0] != sides[1] for sides in (together, apart)]
    linked, kept = (part & differ for part, differ in zip(takes_part, differs, strict=True))
    unkept = takes_part[1] & ~differs[1]
    owners = node_of(exclusive[0])
    return BoundRules(
        rules=LinkRules(
            together=(together[0][linked], together[1][linked]),
            apart=(apart[0][kept], apart[1][kept]),
            exclusive=(owners[owners >= 0], exclusive[1][owners >= 0]),
            arrivals=arrivals,
        ),
        together=(decided[0][0][linked], decided[0][1][linked]),
        unkept=tuple(zip(decided[1][0][unkept].tolist(), decided[1][1][unkept].tolist(), strict=True)),
    )


def _edges(pairs: Sequence[RecordPair]) -> Edges:
    columns = np.array(pairs, dtype=np.int64).reshape(-1, 2)
    return columns[:, 0].copy(), columns[:, 1].copy()
