"""What the tests of matching share: a folder of batches that are matched, and people to put into them."""

import datetime as dt
from collections.abc import Sequence
from pathlib import Path
from random import Random
from typing import Any

from linkwright.engine.fields import STANDARD_FIELDS
from linkwright.engine.progress import Progress, ReportProgress
from linkwright.engine.strategy import MatchConfiguration, parse_match_configuration
from linkwright.warehouse.limits import EngineLimits
from linkwright.warehouse.match import MatchRequest, MatchResult, match_records
from linkwright.warehouse.preflight import MatchLimits, Preflight
from linkwright.warehouse.record_sources import RecordSources
from tests.record_batches import Row, read_rows, write_records

LEVELS = [
    {"when": "exact", "m_probability": 0.9, "u_probability": 0.01},
    {"when": "else", "m_probability": 0.1, "u_probability": 0.99},
]
PERSON = {
    "name": "person",
    "match_threshold": 5,
    "review_threshold": 0,
    "blocking_rules": [["surname", "suburb"], ["date_of_birth"]],
    "comparisons": [
        {"field": name, "method": "exact", "levels": LEVELS} for name in ("given_name", "surname", "date_of_birth")
    ],
}
IDENTIFIER = {"name": "identifier", "blocking_rules": [["national_identifier"]]}
DAY = dt.date(1987, 2, 3)


def configured(*strategies: dict[str, Any], **settings: Any) -> MatchConfiguration:
    definition = {"prior": 0.5, "strategies": list(strategies), "oversized_blocks": "skip", **settings}
    return parse_match_configuration(definition, STANDARD_FIELDS)


class Project:
    """Writes batches into a folder and matches them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.reports: list[Progress] = []
        self.announced: list[Preflight] = []

    def records(self, name: str, rows: Sequence[Row]) -> Path:
        return write_records(self.folder / f"{name}.parquet", rows)

    def match(
        self,
        new: Sequence[Path],
        held: Sequence[Path] = (),
        configuration: MatchConfiguration | None = None,
        report: ReportProgress | None = None,
        **settings: Any,
    ) -> MatchResult:
        request = MatchRequest(
            sources=RecordSources(
                tuple(new), tuple(held), settings.pop("ended", ()), self.folder, "x", settings.pop("indexes", {})
            ),
            configuration=configuration or configured(PERSON),
            target=self.folder / "pairs.parquet",
            parts_folder=self.folder / "parts",
            limits=EngineLimits(self.folder / "scratch", memory_mib=512, threads=1),
            match_limits=MatchLimits(
                settings.pop("max_block_size", 1000), settings.pop("max_candidate_pairs", None)
            ),
            **settings,
        )
        return match_records(request, report or self.reports.append, self.announced.append)

    def pairs(self) -> list[tuple[int, int, str, float]]:
        """Return record ids, strategy and rounded weight of the stored pairs, in their order."""
        return [
            (row["record_id_l"], row["record_id_r"], row["strategy"], round(row["match_weight"], 2))
            for row in read_rows(self.folder / "pairs.parquet")
        ]


def person(record_id: int, given: str | None, surname: str | None, **values: Any) -> dict[str, Any]:
    row = {"record_id": record_id, "given_name": given, "surname": surname, "suburb": "dapto"}
    return {**row, "date_of_birth": DAY, **values}


ANN, ANNE, BOB = person(1, "ann", "lee"), person(2, "anne", "lee"), person(3, "bob", "ray")


def random_people(count: int) -> list[dict[str, Any]]:
    random = Random(11)
    return [
        person(
            number,
            random.choice(["ann", "bob", "cy", None]),
            random.choice(["lee", "ray", "fox", None]),
            suburb=random.choice(["dapto", "lyons", None]),
            date_of_birth=random.choice([DAY, DAY.replace(day=4), None]),
        )
        for number in range(count)
    ]
