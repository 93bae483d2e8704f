"""Owns the scoring of one chunk of candidate pairs: values beside each pair, weights, and what is kept.

Runs the SQL of `engine.scoring`. Must not search for pairs, nor write files.

Source: ARCHITECTURE section 5 (tricks known to pay: id pairs first, then only the rows that occur in pairs).
"""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import duckdb
import numpy as np
import pyarrow as pa

from linkwright.engine import scoring
from linkwright.engine.candidates import CandidatePairs, Numbers
from linkwright.engine.dialect import DUCKDB
from linkwright.engine.steps import chain_sql
from linkwright.engine.strategy import MatchConfiguration
from linkwright.warehouse.record_set import FetchedRecords, RecordSet

_MOST_ROWS_PER_TASK, _LEAST_ROWS_PER_TASK = 122_880, 2_048
"""Rows that DuckDB hands to one thread at a time: its row groups, its vectors."""
_TASKS_PER_THREAD = 2


@dataclass(frozen=True)
class Tally:
    """Pairs of one rule with a match weight from `weight_from` to under `weight_from` + 1 (None: infinite)."""

    blocking_rule: int
    weight_from: int | None
    scored_pairs_count: int
    kept_pairs_count: int


class ChunkScorer:
    """Scores chunk after chunk of one run; the kept pairs are gathered in the table kept_pairs.

    Args:
        con: the engine; it has the table kept_pairs.
        records: that the pairs' numbers stand for.
        configuration: whose strategies score.
        threads: to gather values with.
    """

    def __init__(
        self, con: duckdb.DuckDBPyConnection, records: RecordSet, configuration: MatchConfiguration, threads: int
    ) -> None:
        self._con = con
        self._records = records
        self._configuration = configuration
        self._threads = threads
        # where a record stands among those of the chunk; memory is used only where it is written
        self._places = np.empty(records.count, dtype=np.uint32)

    def score(self, number: int, pairs: CandidatePairs) -> tuple[Tally, ...]:
        """Score the candidate pairs of a chunk under strategy `number`, and keep those that are worth a look."""
        strategy = self._configuration.strategies[number]
        numbers = _distinct(pairs)
        fetched = self._records.fetch(numbers, scoring.strategy_columns(strategy))
        self._con.register("candidate_pairs", self._gather(pairs, numbers, fetched))
        if scoring.prepared_records_sql(strategy, DUCKDB) is not None:
            every = np.arange(numbers.size, dtype=np.intp)
            values = {name: column.at(every) for name, column in fetched.columns.items()}
            self._con.register("compared_records", pa.table({"record_id": fetched.ids, **values}))
        # written out before it is filtered: a filter would be pushed below, and compute every measure twice
        scored_sql = chain_sql(scoring.scoring_steps(self._configuration, strategy, DUCKDB))
        self._con.execute(f"CREATE OR REPLACE TEMP TABLE scored_pairs AS {scored_sql}")
        self._con.unregister("candidate_pairs")
        self._con.execute(f"INSERT INTO kept_pairs BY NAME {scoring.kept_pairs_sql(self._configuration, number)}")
        rows = self._con.execute(scoring.tallies_sql(strategy.review_threshold)).fetchall()
        return tuple(Tally(*row) for row in rows)

    def _gather(self, pairs: CandidatePairs, numbers: Numbers, fetched: FetchedRecords) -> pa.Table:
        """Put the values of both records beside each pair, as l_* and r_*."""
        self._places[numbers] = np.arange(numbers.size, dtype=np.uint32)
        owners, partners = self._places[pairs.owners], self._places[pairs.partners]
        owner_is_left = fetched.ids[owners] < fetched.ids[partners]
        sides = {
            "l": np.where(owner_is_left, owners, partners).astype(np.intp),
            "r": np.where(owner_is_left, partners, owners).astype(np.intp),
        }
        wanted = [(side, name) for name in fetched.columns for side in sides]
        with ThreadPoolExecutor(self._threads) as pool:
            taken = pool.map(lambda one: fetched.columns[one[1]].at(sides[one[0]]), wanted)
            values = {f"{side}_{name}": array for (side, name), array in zip(wanted, taken, strict=True)}
        table = pa.table(
            {
                "record_id_l": fetched.ids[sides["l"]],
                "record_id_r": fetched.ids[sides["r"]],
                "blocking_rule": pairs.rules,
                **values,
            }
        )
        share = -(-table.num_rows // (_TASKS_PER_THREAD * self._threads))
        rows_per_task = min(max(share, _LEAST_ROWS_PER_TASK), _MOST_ROWS_PER_TASK)
        return pa.Table.from_batches(table.to_batches(max_chunksize=rows_per_task), table.schema)


def _distinct(pairs: CandidatePairs) -> Numbers:
    """Return the numbers of all records in the pairs, ascending, each once."""
    numbers = np.concatenate([pairs.owners, pairs.partners])
    numbers.sort()
    is_first = np.ones(numbers.size, dtype=bool)
    np.not_equal(numbers[1:], numbers[:-1], out=is_first[1:])
    return numbers[is_first]
