"""Matching beside Splink 5 on the same records, rules and machine: ratios of medians (docs/benchmarks.md).

By default one round of a hundred thousand records, whose bounds are wide; `make bench` sets LINKWRIGHT_BENCH=full
for five rounds of a million and of five million.
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from statistics import median
from typing import Any

import duckdb
import pytest

from tests.benchmarks.people import write_people

IS_FULL = os.environ.get("LINKWRIGHT_BENCH") == "full"
ROUNDS = 5 if IS_FULL else 1
SIZES = (1_000_000, 5_000_000) if IS_FULL else (100_000,)
# by one part in a hundred new records
MOST_TIME_RATIO = 1.1 if IS_FULL else 2.0
MOST_MEMORY_RATIO = 0.9 if IS_FULL else 1.5
LEAST_SPEED_UP = 6.0 if IS_FULL else 2.0
MOST_MS_FOR_ONE_RECORD = 150 if IS_FULL else 300
LARGEST_DIFFERENCE = 1e-9
LIMIT_MIB = 2048 if IS_FULL else 512


def run(*arguments: str) -> dict[str, Any]:
    command = [sys.executable, "-m", "tests.benchmarks.match_run", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=1800)
    measured: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return measured


def side_by_side(folder: Path) -> dict[str, dict[str, float]]:
    """Run both engines in turn, after the indexes are made; returns the medians per engine, and tells them."""
    index = run("index", str(folder))
    assert_same_pairs(folder)
    rounds = [(run("linkwright", str(folder)), run("splink", str(folder))) for _round in range(ROUNDS)]
    assert len({one["pairs_count"] for pair in rounds for one in pair}) == 1
    names = ("wall_s", "cpu_s", "peak_mib", "pairs_count")
    medians = {
        engine: {name: median(pair[place][name] for pair in rounds) for name in names}
        for place, engine in enumerate(("linkwright", "splink"))
    }
    told = {"index": index, **medians, "candidate_pairs_count": rounds[0][0]["candidate_pairs_count"]}
    print(f"\n{folder.name}: {json.dumps(told)}")  # noqa: T201  # shown by pytest -s, for docs/benchmarks.md
    return medians


def assert_same_pairs(folder: Path) -> None:
    """Require exactly Splink's pairs, and its weights to 1e-9."""
    files = {engine: folder / f"pairs-{engine}" for engine in ("linkwright", "splink")}
    for engine, path in files.items():
        run(engine, str(folder), "--pairs", str(path))
    with duckdb.connect() as con:
        ours, theirs = (f"(FROM read_parquet('{path}'))" for path in files.values())
        rows = con.execute(
            f"SELECT count(*), count(o.match_weight), count(t.match_weight), "
            f"max(abs(o.match_weight - t.match_weight)) FROM {ours} AS o FULL JOIN {theirs} AS t "
            "USING (record_id_l, record_id_r)"
        ).fetchall()
    ((pairs_count, ours_count, theirs_count, largest_difference),) = rows
    assert pairs_count == ours_count == theirs_count
    assert largest_difference <= LARGEST_DIFFERENCE
    for path in files.values():
        path.unlink()


@pytest.mark.benchmark
@pytest.mark.parametrize("records_count", SIZES)
def test_a_full_match_takes_no_longer_and_less_memory_than_splink(tmp_path: Path, records_count: int) -> None:
    folder = tmp_path / f"full-{records_count}"
    write_people(folder, records_count)
    medians = side_by_side(folder)
    assert medians["linkwright"]["wall_s"] < MOST_TIME_RATIO * medians["splink"]["wall_s"]
    assert medians["linkwright"]["peak_mib"] < MOST_MEMORY_RATIO * medians["splink"]["peak_mib"]


@pytest.mark.benchmark
@pytest.mark.parametrize("records_count", SIZES)
def test_a_hundredth_of_new_records_costs_a_fraction_of_what_it_costs_in_splink(
    tmp_path: Path, records_count: int
) -> None:
    folder = tmp_path / f"increment-{records_count}"
    write_people(folder, records_count, records_count // 100)
    medians = side_by_side(folder)
    assert LEAST_SPEED_UP * medians["linkwright"]["wall_s"] < medians["splink"]["wall_s"]


@pytest.mark.benchmark
def test_one_record_is_matched_with_a_million_at_once(tmp_path: Path) -> None:
    write_people(tmp_path / "one", SIZES[0], 1)
    run("index", str(tmp_path / "one"))
    measured = [run("linkwright", str(tmp_path / "one")) for _round in range(ROUNDS)]
    spent_ms = median(one["wall_s"] for one in measured) * 1000
    print(f"\none record against {SIZES[0]:,}: {spent_ms:.0f} ms")  # noqa: T201
    assert spent_ms < MOST_MS_FOR_ONE_RECORD


@pytest.mark.benchmark
def test_many_records_link_within_a_tight_limit_of_memory(tmp_path: Path) -> None:
    write_people(tmp_path, SIZES[-1])
    run("index", str(tmp_path))
    measured = run("linkwright", str(tmp_path), "--memory-mib", str(LIMIT_MIB))
    print(f"\nwithin {LIMIT_MIB} MiB: {json.dumps(measured)}")  # noqa: T201
    assert measured["peak_mib"] < LIMIT_MIB
