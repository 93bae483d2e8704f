"""A Purge of a thousand records of a million in one file takes seconds of CPU.

By default a hundred thousand records, whose bound is as wide; `make bench` sets LINKWRIGHT_BENCH=full.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.benchmarks.people import write_people

RECORDS_COUNT = 1_000_000 if os.environ.get("LINKWRIGHT_BENCH") == "full" else 100_000
MOST_SECONDS = 15


@pytest.mark.benchmark
def test_purging_a_thousand_records_takes_seconds(tmp_path: Path) -> None:
    write_people(tmp_path, RECORDS_COUNT)
    command = [sys.executable, "-m", "tests.benchmarks.purge_run", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=600)
    measured = json.loads(done.stdout.splitlines()[-1])
    print(f"\npurging: {json.dumps(measured)}")  # noqa: T201  # shown by pytest -s, for the docs
    assert measured["purged_count"] == 1_000
    assert measured["cpu_s"] < MOST_SECONDS
