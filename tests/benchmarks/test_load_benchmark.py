"""A million rows of CSV load in under 15 seconds on two cores, with under 2 GiB (docs/benchmarks.md).

By default a fifth of them, at half the pace that is promised; `make bench` sets LINKWRIGHT_BENCH=full.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

IS_FULL = os.environ.get("LINKWRIGHT_BENCH") == "full"
ROWS_COUNT = 1_000_000 if IS_FULL else 200_000
# The promise is for files as most systems write them; values with line ends in them may take twice as long
MOST_SECONDS = {"plain": 15, "rough": 30} if IS_FULL else {"plain": 6, "rough": 12}
MOST_MIB = 2048 if IS_FULL else 1024


def run(*arguments: str) -> str:
    command = [sys.executable, "-m", "tests.benchmarks.load_run", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=600).stdout


@pytest.mark.benchmark
@pytest.mark.parametrize("style", MOST_SECONDS)
def test_rows_load_within_the_time_and_memory_that_are_promised(tmp_path: Path, style: str) -> None:
    source = tmp_path / "births.csv"
    run("make", str(source), str(ROWS_COUNT), style)
    measured = json.loads(run("load", str(source)))
    print(f"{style}: {measured}")  # noqa: T201  # shown by pytest -s, to be written into docs/benchmarks.md
    assert measured["rows"] == ROWS_COUNT
    assert measured["wall_s"] < MOST_SECONDS[style]
    assert measured["peak_mib"] < MOST_MIB
