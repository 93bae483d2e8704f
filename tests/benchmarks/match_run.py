"""Matches generated persons once, by Linkwright or by Splink, and prints what it took; in a process of its own.

    python -m tests.benchmarks.match_run index|linkwright|splink FOLDER [--memory-mib N] [--pairs FILE]

FOLDER is one that `tests.benchmarks.people` has written. With held and new records, Splink does what its users
do: it links the two data sets and de-duplicates the new one. Both start from files, with the same rules and
comparisons on two threads; Linkwright ends with a synced Parquet file, Splink with a table in memory.
Both are warmed up by a small run before, as in a worker that is running. `index` makes the match indexes that
Linkwright's Load job makes; `linkwright` needs them. With --pairs, the pairs and their weights are written to a
Parquet file, outside of what is timed.
"""

import argparse
import json
import logging
import shutil
import sys
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb
from splink import DuckDBAPI, Linker, SettingsCreator
from splink.blocking_rule_library import CustomRule

from linkwright.engine.progress import silent
from linkwright.warehouse.connection import open_engine
from linkwright.warehouse.limits import EngineLimits
from linkwright.warehouse.match import MatchRequest, match_records
from linkwright.warehouse.match_index import write_index
from linkwright.warehouse.preflight import MatchLimits
from linkwright.warehouse.record_sources import RecordSources, index_content
from tests.benchmarks.configuration import benchmark_configuration
from tests.benchmarks.peak_memory import peak_mib
from tests.benchmarks.people import write_people
from tests.integration.splink_conversion import splink_comparison, splink_rule

THREADS = 2
UNLIMITED = 1_000_000_000


def match_with_linkwright(folder: Path, memory_mib: int, pairs: Path | None = None) -> dict[str, Any]:
    """Match with Linkwright."""
    whole = folder / "records.parquet"
    with TemporaryDirectory() as scratch:
        new, held = ((whole,), ()) if whole.exists() else ((folder / "new.parquet",), (folder / "held.parquet",))
        configuration = benchmark_configuration()
        limits = EngineLimits(Path(scratch) / "scratch", memory_mib=memory_mib, threads=THREADS)
        indexes = {path: path.with_suffix(".index") for path in (*new, *held)}
        request = MatchRequest(
            sources=RecordSources(new, held, (), Path(scratch), "index", indexes),
            configuration=configuration,
            target=Path(scratch) / "pairs.parquet",
            parts_folder=Path(scratch) / "parts",
            limits=limits,
            match_limits=MatchLimits(UNLIMITED),
        )
        started, cpu_started = time.perf_counter(), time.process_time()
        result = match_records(request, silent)
        wall_s, cpu_s = time.perf_counter() - started, time.process_time() - cpu_started
        if pairs is not None:
            shutil.copy(result.pairs.path, pairs)
        return {
            "wall_s": wall_s,
            "cpu_s": cpu_s,
            "pairs_count": result.pairs.rows_count,
            "candidate_pairs_count": sum(rule.scored_pairs_count for rule in result.rules),
            "stages": result.seconds,
        }


def warm_up(run: Callable[[Path, int], object]) -> None:
    """Match a few records first: imports are paid for once in the life of a worker."""
    with TemporaryDirectory() as folder:
        write_people(Path(folder), 2_000, 100)
        make_indexes(Path(folder), 1_000)
        run(Path(folder), 1_000)


def make_indexes(folder: Path, memory_mib: int) -> dict[str, Any]:
    """Make the match indexes of a folder's records files, as Load does."""
    started, cpu_started = time.perf_counter(), time.process_time()
    content = index_content(benchmark_configuration())
    bytes_count = 0
    with TemporaryDirectory() as scratch:
        for records in sorted(folder.glob("*.parquet")):
            with open_engine(EngineLimits(Path(scratch), memory_mib=memory_mib, threads=THREADS)) as con:
                bytes_count += write_index(con, records, content, records.with_suffix(".index")).bytes_count
    return {
        "wall_s": time.perf_counter() - started,
        "cpu_s": time.process_time() - cpu_started,
        "bytes_count": bytes_count,
    }


def match_with_splink(folder: Path, memory_mib: int, pairs: Path | None = None) -> dict[str, Any]:
    """Match with Splink, from files to a table of pairs."""
    logging.getLogger("splink").setLevel(logging.ERROR)
    whole = folder / "records.parquet"
    started, cpu_started = time.perf_counter(), time.process_time()
    con = duckdb.connect(config={"memory_limit": f"{memory_mib}MiB", "threads": THREADS})
    if whole.exists():
        runs = [("dedupe_only", {"whole": whole})]
    else:
        new, held = folder / "new.parquet", folder / "held.parquet"
        runs = [("link_only", {"held": held, "added": new}), ("dedupe_only", {"added": new})]
    predicted = [_predict(con, link_type, files) for link_type, files in runs]
    counts = [con.execute(f"SELECT count(*) FROM {table}").fetchall()[0][0] for table in predicted]
    wall_s, cpu_s = time.perf_counter() - started, time.process_time() - cpu_started
    if pairs is not None:
        selected = " UNION ALL ".join(f"SELECT record_id_l, record_id_r, match_weight FROM {t}" for t in predicted)
        con.execute(f"COPY ({selected}) TO '{pairs}' (FORMAT parquet)")
    return {"wall_s": wall_s, "cpu_s": cpu_s, "pairs_count": sum(counts)}


def _predict(con: duckdb.DuckDBPyConnection, link_type: Any, files: dict[str, Path]) -> str:
    """Return the name of the table of pairs over the review threshold."""
    (strategy,) = benchmark_configuration().strategies
    settings = SettingsCreator(
        link_type=link_type,
        unique_id_column_name="record_id",
        probability_two_random_records_match=benchmark_configuration().prior,
        comparisons=[splink_comparison(item) for item in strategy.comparisons],
        blocking_rules_to_generate_predictions=[
            CustomRule(splink_rule(rule), sql_dialect="duckdb") for rule in strategy.blocking_rules
        ],
        retain_intermediate_calculation_columns=False,
        retain_matching_columns=False,
    )
    tables = []
    api = DuckDBAPI(con)
    for name, path in files.items():
        con.execute(f"CREATE OR REPLACE VIEW {name} AS FROM read_parquet('{path}')")
        tables.append(api.register(name))
    linker = Linker(tables if len(tables) > 1 else tables[0], settings)
    predicted = linker.inference.predict(threshold_match_weight=strategy.review_threshold, warning_mode="never")
    return str(predicted.physical_name)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("engine", choices=["index", "linkwright", "splink"])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--memory-mib", type=int, default=16_384)
    parser.add_argument("--pairs", type=Path)
    chosen = parser.parse_args()
    runs = {"index": make_indexes, "linkwright": match_with_linkwright, "splink": match_with_splink}
    if chosen.engine != "index":
        warm_up(runs[chosen.engine])
    wanted = {"pairs": chosen.pairs} if chosen.pairs else {}
    measured = runs[chosen.engine](chosen.folder, chosen.memory_mib, **wanted)
    measured["peak_mib"] = peak_mib()
    json.dump(measured, sys.stdout)
