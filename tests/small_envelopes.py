"""Small Envelopes of real records: FEBRL's dataset 4, a few persons at a time, for several projects.

Envelope n is the same in every run. Persons recur from one Envelope of a project to its next, so that groups are
found inside Envelopes and across them.
"""

import csv
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory

import yaml

from linkwright.envelopes.builder import SourceFile, build_package
from linkwright.envelopes.manifest import RequestType
from linkwright.services.demo_data import PROJECT_FILE, true_person, write_demo_files

PROJECT_CODES = ("TA", "TB")
PERSONS_PER_ENVELOPE = 20
# duplicates come half an Envelope later than their originals
DUPLICATES_BEHIND = PERSONS_PER_ENVELOPE // 2
COPIED_COLUMNS = ("surname", "address_1")

Row = tuple[str, ...]


def write_project_file(folder: Path) -> Path:
    """Write the demo's project file with several projects in the place of one."""
    content = yaml.safe_load(PROJECT_FILE.read_text())
    (one,) = content["projects"]
    content["projects"] = [{**one, "code": code, "name": f"Project {code}"} for code in PROJECT_CODES]
    path = folder / "projects.yaml"
    path.write_text(yaml.safe_dump(content, sort_keys=False))
    return path


def project_of(number: int) -> str:
    """Return the code of the project that Envelope `number` (from 0) is for."""
    return PROJECT_CODES[number % len(PROJECT_CODES)]


def build_small_envelope(folder: Path, number: int, persons: int = PERSONS_PER_ENVELOPE) -> Path:
    """Write Envelope `number`, with one or two data files."""
    first = number // len(PROJECT_CODES) * persons
    windows = {"FEBRL-A": (first, first + persons)}
    # every project begins with an Envelope of originals alone
    if first:
        windows["FEBRL-B"] = (first - DUPLICATES_BEHIND, first + persons - DUPLICATES_BEHIND)
    return build_envelope(folder, f"small-{number:04}", project_of(number), windows)


def build_envelope(
    folder: Path,
    name: str,
    project: str,
    windows: dict[str, tuple[int, int]],
    copies: int = 1,
    *,
    request_type: RequestType = RequestType.SUBMIT_LINKAGE,
) -> Path:
    """Write an Envelope with the records of the persons from-to (exclusive) per Event Type.

    With `copies`, every record comes so many times, under as many Source Unique IDs. The copies keep a surname and
    an address line only, so that no blocking rule brings them together: long to load, quick to match.
    """
    sources = []
    for event_type, (start, end) in windows.items():
        path = folder / f"{name}-{event_type}.csv"
        rows = _rows(event_type)
        with path.open("w", newline="") as stream:
            writer = csv.writer(stream, lineterminator="\n")
            writer.writerow(rows[0])
            writer.writerows(rows[1 + start : 1 + end])
            kept = [name in COPIED_COLUMNS for name in rows[0]]
            for copy in range(1, copies):
                for row in rows[1 + start : 1 + end]:
                    values = [value if keep else "" for value, keep in zip(row, kept, strict=True)]
                    writer.writerow([f"{row[0]}-{copy}", *values[1:]])
        sources.append(SourceFile(path=path, event_type_code=event_type))
    return build_package(
        folder / f"{name}.zip",
        linkage_project=project,
        sender="FEBRL",
        request_type=request_type,
        data=sources,
    )


@lru_cache
def _rows(event_type: str) -> tuple[Row, ...]:
    """Return the header and all rows of one Event Type, by person."""
    with TemporaryDirectory() as folder:
        files = {file.event_type_code: file.path for file in write_demo_files(Path(folder))}
        with files[event_type].open(newline="") as stream:
            header, *rows = (tuple(row) for row in csv.reader(stream))
    return header, *sorted(rows, key=lambda row: int(true_person(row[0])))
