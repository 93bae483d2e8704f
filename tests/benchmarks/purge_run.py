"""Purges a thousand of many generated records once and prints what it took; in a process of its own.

    python -m tests.benchmarks.purge_run FOLDER

FOLDER is one that `tests.benchmarks.people` has written without new records: one file, the worst case, as a Purge
writes only those files anew that hold ended records.
"""

import json
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pyarrow.parquet as pq

from linkwright.warehouse.connection import open_engine
from linkwright.warehouse.limits import EngineLimits
from linkwright.warehouse.match_index import write_index
from linkwright.warehouse.purge import purge_file
from linkwright.warehouse.record_sources import index_content
from tests.benchmarks.configuration import benchmark_configuration
from tests.benchmarks.peak_memory import peak_mib
from tests.benchmarks.people import SEED

ENDED_COUNT = 1_000


def purge_people(records: Path) -> dict[str, Any]:
    """Blank random records, and make the match index anew."""
    held = pq.read_table(records, columns=["record_id"])["record_id"].to_numpy()
    ended = np.sort(np.random.default_rng(SEED).choice(held, ENDED_COUNT, replace=False))
    with TemporaryDirectory() as name:
        target = Path(name) / "purged.parquet"
        started_s, cpu_started_s = time.perf_counter(), time.process_time()
        purged = purge_file(records, ended, target)
        written_s = time.perf_counter()
        with open_engine(EngineLimits(Path(name) / "engine")) as con:
            write_index(con, target, index_content(benchmark_configuration()), Path(name) / "purged.index")
        return {
            "records_count": held.size,
            "purged_count": len(purged.identifiers) if purged else 0,
            "rewrite_s": written_s - started_s,
            "index_s": time.perf_counter() - written_s,
            "cpu_s": time.process_time() - cpu_started_s,
        }


if __name__ == "__main__":
    measured = purge_people(Path(sys.argv[1]) / "records.parquet")
    measured["peak_mib"] = peak_mib()
    json.dump(measured, sys.stdout)
