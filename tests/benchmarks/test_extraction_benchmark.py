"""A million records are extracted, compared with the extraction before and packed in under ten seconds.

By default a hundred thousand records, whose bound is as wide; `make bench` sets LINKWRIGHT_BENCH=full.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.benchmarks.people import write_people

IS_FULL = os.environ.get("LINKWRIGHT_BENCH") == "full"
RECORDS_COUNT = 1_000_000 if IS_FULL else 100_000
MOST_SECONDS, MOST_MIB = 10, 1_024


@pytest.mark.benchmark
@pytest.mark.parametrize("file_format", ["csv", "parquet"])
def test_extracting_takes_seconds_and_bounded_memory(tmp_path: Path, file_format: str) -> None:
    write_people(tmp_path, RECORDS_COUNT)
    command = [
        sys.executable,
        "-m",
        "tests.benchmarks.extraction_run",
        str(tmp_path),
        str(RECORDS_COUNT),
        file_format,
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=600)
    measured = json.loads(done.stdout.splitlines()[-1])
    print(f"\nextracting {RECORDS_COUNT:,}, {file_format}: {json.dumps(measured)}")  # noqa: T201  # for the docs
    for part in ("first", "second"):
        assert measured[part]["records_count"] == RECORDS_COUNT
        assert measured[part]["wall_s"] < MOST_SECONDS
    assert measured["peak_mib"] < MOST_MIB
