"""Makes a seeded source file, or loads one and prints what that took; each in a process of its own.

    python -m tests.benchmarks.load_run make FILE ROWS STYLE
    python -m tests.benchmarks.load_run load FILE

STYLE is `plain` (quotes where they are needed, as most systems write) or `rough` (every value quoted, and line
ends in some of them, which only the csv module reads).
"""

import csv
import json
import random
import resource
import sys
import tempfile
import time
from itertools import product
from pathlib import Path

from linkwright.engine.fields import STANDARD_FIELDS
from linkwright.engine.import_format import parse_import_format
from linkwright.engine.progress import silent
from linkwright.engine.standardisation import StandardisationMaps
from linkwright.warehouse.limits import EngineLimits
from linkwright.warehouse.load import LoadRequest, load_data_file
from tests.benchmarks.people import SYLLABLES

SEED = 20_110_801
COLUMNS = {
    "source_unique_id": "rec_id",
    "given_name": "given_name",
    "surname": "surname",
    "date_of_birth": "dob",
    "sex": "sex",
    "street_number": "street_number",
    "address_line_1": "address",
    "suburb": "suburb",
    "postcode": "postcode",
    "state": "state",
}
STATES = ["NSW", "VIC", "QLD", "SA", "WA", "TAS", "NT", "ACT"]
STREETS = ["Street", "Road", "Place", "Avenue"]


def make(path: Path, rows_count: int, style: str) -> None:
    """Write a CSV file of people; about 75 bytes a row."""
    chance = random.Random(SEED)
    words = ["".join(part).title() for part in product(SYLLABLES, repeat=3)]
    surnames = [
        f"{first}{second.lower()}" for first, second in zip(words, chance.sample(words, len(words)), strict=True)
    ]
    surnames += ["O'Brien", "Smith-Jones", "Müller", "van der Berg"] * 50
    is_rough = style == "rough"
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, quoting=csv.QUOTE_ALL if is_rough else csv.QUOTE_MINIMAL)
        writer.writerow(COLUMNS.values())
        for number in range(rows_count):
            street = f"{chance.choice(words)} {chance.choice(STREETS)}"
            if number % 20 == 0:
                street += "\nRear" if is_rough else ", Rear"
            writer.writerow(
                (
                    f"rec-{number:08d}",
                    chance.choice(words),
                    chance.choice(surnames),
                    f"{chance.randint(1, 28):02d}/{chance.randint(1, 12):02d}/{chance.randint(1920, 2015)}",
                    chance.choice("MF"),
                    chance.randint(1, 300),
                    street,
                    chance.choice(words),
                    chance.randint(1000, 7999),
                    chance.choice(STATES),
                )
            )


def load(path: Path) -> dict[str, float]:
    """Load a file that `make` wrote: rows loaded, seconds, and the process's peak memory in MiB."""
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        request = LoadRequest(
            source=path,
            source_name=path.name,
            parquet=False,
            import_format=parse_import_format({"columns": COLUMNS, "date_formats": "%d/%m/%Y"}, STANDARD_FIELDS),
            fields=STANDARD_FIELDS,
            event_type_code="births",
            first_record_id=1,
            held_records=(),
            keep_aux=True,
            target_folder=Path(folder),
            stem="benchmark",
            max_rejected_rows=0,
            maps=StandardisationMaps(),
            limits=EngineLimits(Path(folder) / "scratch"),
        )
        started_s = time.perf_counter()
        result = load_data_file(request, silent)
        wall_s = time.perf_counter() - started_s
    # Linux counts the peak in KiB
    peak_mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"rows": result.rows_loaded_count, "wall_s": wall_s, "cpu_s": time.process_time(), "peak_mib": peak_mib}


if __name__ == "__main__":
    command, file_name, *rest = sys.argv[1:]
    if command == "make":
        make(Path(file_name), int(rest[0]), rest[1])
    else:
        print(json.dumps(load(Path(file_name))))  # noqa: T201  # the parent process reads it
