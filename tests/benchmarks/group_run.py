"""Groups generated persons once and prints what it took; in a process of its own.

    python -m tests.benchmarks.group_run FOLDER

FOLDER is one that `tests.benchmarks.people` has written with held and new records. Pairs come from Match; what is
timed is Group: of all held records at once, then of the new ones against the map that this made.
"""

import json
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from linkwright.engine.grouping import GroupingConfiguration
from linkwright.engine.progress import silent
from linkwright.warehouse.group import GroupRequest, group_records
from linkwright.warehouse.limits import EngineLimits
from linkwright.warehouse.match import MatchRequest, match_records
from linkwright.warehouse.preflight import MatchLimits
from linkwright.warehouse.record_sources import RecordSources
from tests.benchmarks.configuration import benchmark_configuration
from tests.benchmarks.peak_memory import peak_mib

THREADS = 2
UNLIMITED = 1_000_000_000


def group_people(folder: Path) -> dict[str, Any]:
    """Group the held records, then the new ones."""
    held, new = folder / "held.parquet", folder / "new.parquet"
    with TemporaryDirectory() as name:
        scratch = Path(name)
        first = _grouped(scratch, (held,), (), (), 1)
        second = _grouped(scratch, (new,), (held,), (first["target"],), first["next_group_id"])
        return {
            "full": {key: first[key] for key in ("wall_s", "cpu_s", "pairs_count")},
            "increment": {key: second[key] for key in ("wall_s", "cpu_s", "pairs_count")},
        }


def _grouped(
    scratch: Path, new: tuple[Path, ...], held: tuple[Path, ...], assignments: tuple[Path, ...], next_group_id: int
) -> dict[str, Any]:
    limits = EngineLimits(scratch / "engine", threads=THREADS)
    pairs = match_records(
        MatchRequest(
            sources=RecordSources(new, held, (), scratch, f"index{len(held)}"),
            configuration=benchmark_configuration(),
            target=scratch / f"pairs{len(held)}.parquet",
            parts_folder=scratch / f"parts{len(held)}",
            limits=limits,
            match_limits=MatchLimits(UNLIMITED),
        ),
        silent,
    ).pairs
    request = GroupRequest(
        new_records=new,
        held_records=held,
        new_pairs=(pairs.path,),
        held_pairs=(),
        assignments=assignments,
        ended=(),
        decisions=(),
        configuration=GroupingConfiguration(),
        authoritative_event_types=(),
        next_group_id=next_group_id,
        target=scratch / f"assignments{len(held)}.parquet",
        limits=limits,
    )
    started, cpu_started = time.perf_counter(), time.process_time()
    result = group_records(request, silent)
    return {
        "wall_s": time.perf_counter() - started,
        "cpu_s": time.process_time() - cpu_started,
        "pairs_count": result.accepted_pairs_count,
        "next_group_id": result.max_group_id + 1,
        "target": request.target,
    }


if __name__ == "__main__":
    measured = group_people(Path(sys.argv[1]))
    measured["peak_mib"] = peak_mib()
    json.dump(measured, sys.stdout)
