"""Grouping: of a million records at once under two seconds, of ten thousand new ones against them under one.

By default a hundred thousand records, whose bounds are as wide; `make bench` sets LINKWRIGHT_BENCH=full.
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from statistics import median

import pytest

from tests.benchmarks.people import write_people

IS_FULL = os.environ.get("LINKWRIGHT_BENCH") == "full"
RECORDS_COUNT = 1_000_000 if IS_FULL else 100_000
ROUNDS = 5 if IS_FULL else 1
MOST_SECONDS_FOR_ALL, MOST_SECONDS_FOR_AN_INCREMENT = 2, 1


@pytest.mark.benchmark
def test_grouping_takes_a_second_or_two_and_an_increment_less(tmp_path: Path) -> None:
    write_people(tmp_path, RECORDS_COUNT, RECORDS_COUNT // 100)
    command = [sys.executable, "-m", "tests.benchmarks.group_run", str(tmp_path)]
    rounds = []
    for _round in range(ROUNDS):
        done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=600)
        rounds.append(json.loads(done.stdout.splitlines()[-1]))
    full, increment = (median(one[part]["wall_s"] for one in rounds) for part in ("full", "increment"))
    told = {"full_s": full, "increment_s": increment, **rounds[0]}
    print(f"\ngrouping {RECORDS_COUNT:,}: {json.dumps(told)}")  # noqa: T201  # shown by pytest -s, for the docs
    assert full < MOST_SECONDS_FOR_ALL
    assert increment < MOST_SECONDS_FOR_AN_INCREMENT
