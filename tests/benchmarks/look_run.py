"""Looks records and groups up among generated persons and prints what it took; in a process of its own.

    python -m tests.benchmarks.look_run FOLDER

FOLDER is one that `tests.benchmarks.people` has written with all records in one file. One record in a hundred has
ended. What is timed is what the pages about records and groups read, each part opened anew, as for a page.
"""

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

import pyarrow.parquet as pq

from linkwright.engine.fields import STANDARD_FIELDS
from linkwright.engine.grouping import GroupingConfiguration
from linkwright.engine.progress import silent
from linkwright.engine.standardisation import StandardisationMaps
from linkwright.warehouse.ends import write_ends
from linkwright.warehouse.group import GroupRequest, group_records
from linkwright.warehouse.group_history import HistoryBatch, read_group_history
from linkwright.warehouse.group_links import FlagRules, read_group_links
from linkwright.warehouse.group_pairs import read_kept_pairs
from linkwright.warehouse.limits import EngineLimits
from linkwright.warehouse.live_files import LiveFiles
from linkwright.warehouse.match import MatchRequest, match_records
from linkwright.warehouse.preflight import MatchLimits
from linkwright.warehouse.record_keys import read_groups
from linkwright.warehouse.record_search import WantedValue, find_by_identifier, find_by_values
from linkwright.warehouse.record_sources import RecordSources
from linkwright.warehouse.record_values import read_record_values
from tests.benchmarks.configuration import benchmark_configuration

THREADS, ROUNDS = 2, 5
MOST = 100
FIELDS = {field.name: field for field in STANDARD_FIELDS}


def look_people_up(folder: Path) -> dict[str, Any]:
    """Make a project of the records, then look around in it."""
    with TemporaryDirectory() as name:
        scratch = Path(name)
        limits = EngineLimits(scratch / "engine", threads=THREADS)
        files = _project(folder / "records.parquet", scratch, limits)
        count = pq.read_metadata(files.records[0]).num_rows
        wanted = count // 2 + 1
        group_id = read_groups(limits, files, [wanted])[wanted]
        return {
            "records_count": count,
            "by_identifier_s": _timed(lambda: find_by_identifier(limits, files, f"r{wanted}", most=MOST)),
            "by_name_s": _timed(lambda: _by_values(limits, files, surname="anber", given_name="an*")),
            "by_sound_and_date_s": _timed(
                lambda: _by_values(limits, files, surname="berber", date_of_birth="1980-01-02")
            ),
            "group_s": _timed(lambda: _look_at_group(limits, files, group_id)),
        }


def _project(records: Path, scratch: Path, limits: EngineLimits) -> LiveFiles:
    count = pq.read_metadata(records).num_rows
    ended = write_ends(limits, range(100, count, 100), scratch / "ends.parquet").path
    pairs = match_records(
        MatchRequest(
            sources=RecordSources((records,), (), (ended,), scratch, "index"),
            configuration=benchmark_configuration(),
            target=scratch / "pairs.parquet",
            parts_folder=scratch / "parts",
            limits=limits,
            match_limits=MatchLimits(1_000_000_000),
        ),
        silent,
    ).pairs
    grouped = group_records(
        GroupRequest(
            new_records=(records,),
            held_records=(),
            new_pairs=(pairs.path,),
            held_pairs=(),
            assignments=(),
            ended=(ended,),
            decisions=(),
            configuration=GroupingConfiguration(),
            authoritative_event_types=(),
            next_group_id=1,
            target=scratch / "assignments.parquet",
            limits=limits,
        ),
        silent,
    )
    return LiveFiles((records,), (pairs.path,), (grouped.assignments.path,), (ended,))


def _by_values(limits: EngineLimits, files: LiveFiles, **texts: str) -> None:
    wanted = [WantedValue(FIELDS[name], text) for name, text in texts.items()]
    found = find_by_values(limits, files, wanted, StandardisationMaps(), sounds_alike=True, most=MOST)
    read_record_values(limits, files, STANDARD_FIELDS, [one.record_id for one in found.records])


def _look_at_group(limits: EngineLimits, files: LiveFiles, group_id: int) -> None:
    group = read_group_links(limits, files, group_id, FlagRules(GroupingConfiguration(), ()))
    read_group_history(limits, [HistoryBatch(0, files.assignments[0], files.ended)], group_id)
    read_record_values(limits, files, STANDARD_FIELDS, group.members)
    read_kept_pairs(limits, files, group.members, most=MOST)


def _timed(look: Callable[[], object]) -> float:
    spent = []
    for _round in range(ROUNDS):
        started = time.perf_counter()
        look()
        spent.append(time.perf_counter() - started)
    return round(median(spent), 4)


if __name__ == "__main__":
    json.dump(look_people_up(Path(sys.argv[1])), sys.stdout)
