"""Extracts generated persons once and prints what it took; in a process of its own.

    python -m tests.benchmarks.extraction_run FOLDER RECORDS csv|parquet

FOLDER is one that `tests.benchmarks.people` has written with all records. Their groups are drawn: two records of
three are of a person with others. What is timed is all that an Extract job does with a million records: the map,
the keys, the comparison with the extraction before, the data file, the Envelope.
"""

import json
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from linkwright.engine.extraction import ChosenColumn, ExtractionColumn
from linkwright.engine.masking import PersonKeys
from linkwright.engine.progress import silent
from linkwright.envelopes.builder import SourceFile, build_package
from linkwright.envelopes.manifest import FileFormat, RequestType
from linkwright.warehouse.extraction import Comparison, ExtractionRequest, extract
from linkwright.warehouse.extraction_map import CurrentMap
from linkwright.warehouse.limits import EngineLimits
from linkwright.warehouse.live_files import LiveFiles
from tests.benchmarks.peak_memory import peak_mib

THREADS = 2
MEMORY_MIB = 1024
EVENT_TYPE = "PEOPLE"
COLUMNS = (ExtractionColumn.PERSON_KEY, ExtractionColumn.SOURCE_UNIQUE_ID, ExtractionColumn.EVENT_TYPE_CODE)


def extract_people(folder: Path, records_count: int, *, is_parquet: bool) -> dict[str, Any]:
    """Extract all records twice, as an enduring Extraction Project; the second time is measured."""
    random = np.random.default_rng(1)
    record_ids = np.arange(1, records_count + 1)
    group_ids = random.integers(1, records_count // 2, records_count)
    assignments = folder / "assignments.parquet"
    pq.write_table(pa.table({"record_id": record_ids, "group_id": group_ids}), assignments)
    with TemporaryDirectory() as name:
        scratch = Path(name)
        first = _extracted(folder, scratch, None, is_parquet=is_parquet)
        before = tuple(path for path in scratch.glob("first-*.parquet") if "groups" not in path.name)
        return {"first": first, "second": _extracted(folder, scratch, before, is_parquet=is_parquet)}


def _extracted(
    folder: Path, scratch: Path, ledger: tuple[Path, ...] | None, *, is_parquet: bool
) -> dict[str, Any]:
    started = time.perf_counter()
    extracted = extract(
        ExtractionRequest(
            source=CurrentMap(
                LiveFiles((folder / "records.parquet",), (), (folder / "assignments.parquet",), ()), ()
            ),
            event_types=(EVENT_TYPE,),
            extracted=(EVENT_TYPE,),
            listed=None,
            columns=tuple(ChosenColumn(column, column.value) for column in COLUMNS),
            constants={},
            is_parquet=is_parquet,
            keys=PersonKeys(bytes(32)),
            comparison=Comparison(ledger, (), scratch / ("second" if ledger else "first"), is_listed=True),
            folder=scratch,
            limits=EngineLimits(scratch / "engine", memory_mib=MEMORY_MIB, threads=THREADS),
        ),
        silent,
    )
    (one,) = extracted.types
    extracted_s = time.perf_counter() - started
    file_format = FileFormat.PARQUET if is_parquet else FileFormat.FLAT_FILE
    package = build_package(
        scratch / "result.zip",
        linkage_project="P",
        sender="LINKWRIGHT",
        request_type=RequestType.SUBMIT_EXTRACTION,
        extraction_project="X",
        data=[SourceFile(one.data, EVENT_TYPE, file_format)],
    )
    return {
        "records_count": one.records_count,
        "persons_count": one.persons_count,
        "extracted_s": extracted_s,
        "wall_s": time.perf_counter() - started,
        "package_bytes": package.stat().st_size,
    }


if __name__ == "__main__":
    measured = extract_people(Path(sys.argv[1]), int(sys.argv[2]), is_parquet=sys.argv[3] == "parquet")
    measured["peak_mib"] = peak_mib()
    json.dump(measured, sys.stdout)
