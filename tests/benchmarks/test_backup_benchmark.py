"""A backup reads rows and copies files at a steady pace, and takes no more memory for more of them."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

RECORDS_COUNT = 100_000
JOBS_COUNT = 50_000
# on two cores of its own a tenth of that
BACKUP_WITHIN_S = 60
RESTORE_WITHIN_S = 120
MOST_MORE_MIB = 100


@pytest.mark.benchmark
def test_a_backup_and_its_restore_keep_to_their_time_and_memory(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.benchmarks.backup_run", str(RECORDS_COUNT), str(JOBS_COUNT)]
    environment = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
    done = subprocess.run(
        command,
        env={**environment, "LINKWRIGHT_HOME": str(tmp_path / "home")},
        capture_output=True,
        text=True,
        check=True,
        timeout=600,
    )
    measured = json.loads(done.stdout)
    print(measured)  # noqa: T201 - shown by pytest -s, to be written into docs/benchmarks.md
    assert measured["rows"] > JOBS_COUNT
    assert measured["backup_s"] < BACKUP_WITHIN_S
    assert measured["restore_s"] < RESTORE_WITHIN_S
    assert measured["peak_mib"] - measured["peak_mib_before"] < MOST_MORE_MIB
