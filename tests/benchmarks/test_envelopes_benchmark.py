"""Many small Envelopes stay fast: the last one takes at most one and a half times the first.

By default a few dozen, whose files are counted; `make bench` sets LINKWRIGHT_BENCH=full: a thousand of a hundred
records each, which takes a quarter of an hour.
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from statistics import median
from typing import Any

import pytest

IS_FULL = os.environ.get("LINKWRIGHT_BENCH") == "full"
ENVELOPES_COUNT, AFTER_BATCHES, COMPARED_COUNT = (1000, 32, 20) if IS_FULL else (26, 6, 4)
KINDS_COUNT = 3
MOST_TIMES_THE_FIRST = 1.5
# of a few only: what one of them takes by chance weighs more
MOST_TIMES_OF_FEW = 2.5
# each compacted file weighs more than twice the next one
MOST_COMPACTED = 8


def medians(rows: list[dict[str, Any]]) -> dict[str, float]:
    """Return the median of each measure, of those chains after which nothing was compacted."""
    chosen = [row for row in rows if not row["compact_s"]]
    return {name: median(row[name] for row in chosen) for name in chosen[0]}


@pytest.mark.benchmark
def test_the_last_of_many_small_envelopes_takes_hardly_longer_than_the_first(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.benchmarks.envelopes_run"]
    done = subprocess.run(
        [*command, str(ENVELOPES_COUNT), str(AFTER_BATCHES), str(COMPARED_COUNT)],
        env={**os.environ, "LINKWRIGHT_HOME": str(tmp_path / "home")},
        capture_output=True,
        text=True,
        check=True,
        timeout=7200,
    )
    measured = json.loads(done.stdout.splitlines()[-1])
    rows = measured["BENCH"]
    told = {
        "first": medians(rows[:COMPARED_COUNT]),
        "last": medians(rows[-COMPARED_COUNT:]),
        "fresh": medians(measured["FRESH"]),
    }
    compacts = [row["compact_s"] for row in rows if row["compact_s"]]
    print(f"\n{ENVELOPES_COUNT} Envelopes: {json.dumps(told)}")  # noqa: T201  # shown by pytest -s, for the docs
    print(f"{len(compacts)} Compacts, {sum(compacts):.1f} s, the longest {max(compacts):.2f} s")  # noqa: T201
    assert max(row["files_count"] for row in rows) <= KINDS_COUNT * (AFTER_BATCHES + MOST_COMPACTED)
    most = MOST_TIMES_THE_FIRST if IS_FULL else MOST_TIMES_OF_FEW
    assert told["last"]["cpu_s"] <= most * told["fresh"]["cpu_s"]
    assert told["last"]["chain_s"] <= most * told["fresh"]["chain_s"]
