"""The latest Envelope of a project goes in a fifth of a second of job time, whatever its size and the project's.

By default a hundred thousand records; `make bench` sets LINKWRIGHT_BENCH=full for a million.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

MANY = 1_000_000 if os.environ.get("LINKWRIGHT_BENCH") == "full" else 100_000
FEW = 10_000
# no multiple of what a part of a snapshot or ledger holds: one part is then written anew
HELD = MANY + 35_000
MOST_MS = 200


@pytest.mark.benchmark
@pytest.mark.parametrize(("held", "latest"), [(FEW, MANY), (HELD, FEW)])
def test_rolling_the_latest_envelope_back_takes_a_fifth_of_a_second(
    tmp_path: Path, held: int, latest: int
) -> None:
    environment = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
    done = subprocess.run(
        [sys.executable, "-m", "tests.benchmarks.rollback_run", str(held), str(latest)],
        env={**environment, "LINKWRIGHT_HOME": str(tmp_path / "home")},
        capture_output=True,
        text=True,
        check=True,
        timeout=900,
    )
    measured = json.loads(done.stdout.splitlines()[-1])
    print(f"\nrolling back: {json.dumps(measured)}")  # noqa: T201  # shown by pytest -s, for the docs
    assert measured["rolled_back"] == latest
    assert measured["rollback_ms"] < MOST_MS
    # a snapshot and a ledger were made since, and hold its records
    assert measured["rollback_after_extractions_ms"] < MOST_MS
