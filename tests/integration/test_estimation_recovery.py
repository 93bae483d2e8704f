"""Known m, u and prior, put into simulated values, come back from the records alone."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from numpy.typing import NDArray

from linkwright.engine.fields import STANDARD_FIELDS
from linkwright.engine.progress import silent
from linkwright.engine.strategy import MatchConfiguration, parse_match_configuration
from linkwright.warehouse.estimate import EstimateRequest, EstimateResult, estimate_parameters
from linkwright.warehouse.limits import EngineLimits

TAIL_VALUES = 10
"""The last characters of a value are drawn from so many; as many edits as they differ in."""


@dataclass(frozen=True)
class Simulated:
    """A field and how it agrees.

    Args:
        field: a standard linkage field.
        values_count: of bases, uniformly drawn; different bases differ by more edits than any level allows.
        m: from `exact` over one, two, ... edits to `else`.
        missing_share: of the records, independently.
    """

    field: str
    values_count: int
    m: tuple[float, ...]
    missing_share: float = 0.0

    @property
    def u(self) -> tuple[float, ...]:
        """What the drawing of values makes of u."""
        edits, other = len(self.m) - 2, 1 / TAIL_VALUES
        # the binomial number of differing last characters, of equal bases
        ways = (1, edits, 1) if edits == 2 else (1, 1)
        same = [ways[k] * (1 - other) ** k * other ** (edits - k) / self.values_count for k in range(edits + 1)]
        return (*same, 1 - sum(same))


@dataclass(frozen=True)
class Design:
    """A data set to be simulated: records that stand alone, pairs of one person, fields, blocking rules."""

    singles_count: int
    matches_count: int
    fields: tuple[Simulated, ...]
    rules: tuple[Any, ...]

    @property
    def prior(self) -> float:
        """The share of matches among all pairs of records."""
        records_count = self.singles_count + 2 * self.matches_count
        return self.matches_count / (records_count * (records_count - 1) / 2)


DESIGNS = {
    "three exact fields": Design(
        20_000,
        10_000,
        (
            Simulated("suburb", 3_000, (0.85, 0.15)),
            Simulated("national_identifier", 9_000, (0.92, 0.08)),
            Simulated("postcode", 2_000, (0.7, 0.3)),
        ),
        (["suburb"], ["national_identifier"], ["postcode"]),
    ),
    "typing errors and missing values": Design(
        20_000,
        15_000,
        (
            Simulated("suburb", 400, (0.8, 0.12, 0.08), 0.05),
            Simulated("address_line_1", 900, (0.6, 0.12, 0.1, 0.18), 0.1),
            Simulated("national_identifier", 3_000, (0.9, 0.1), 0.2),
            Simulated("state", 8, (0.9, 0.1)),
            Simulated("postcode", 500, (0.88, 0.12), 0.02),
        ),
        (["suburb"], ["national_identifier"], [{"field": "address_line_1", "transform": "prefix", "length": 12}]),
    ),
    "rules that leave one comparison free": Design(
        20_000,
        10_000,
        (
            Simulated("suburb", 100, (0.86, 0.07, 0.07)),
            Simulated("address_line_1", 150, (0.84, 0.08, 0.08)),
            Simulated("national_identifier", 4_000, (0.9, 0.1), 0.05),
        ),
        (
            ["suburb", "address_line_1"],
            ["address_line_1", "national_identifier"],
            ["suburb", "national_identifier"],
        ),
    ),
    "six comparisons": Design(
        20_000,
        15_000,
        (
            Simulated("suburb", 300, (0.75, 0.1, 0.15), 0.1),
            Simulated("address_line_1", 300, (0.65, 0.1, 0.1, 0.15), 0.05),
            Simulated("address_line_2", 500, (0.6, 0.2, 0.2), 0.3),
            Simulated("national_identifier", 8_000, (0.8, 0.2), 0.4),
            Simulated("postcode", 400, (0.8, 0.2)),
            Simulated("sex", 2, (0.93, 0.07)),
        ),
        (
            ["national_identifier"],
            ["suburb", "postcode"],
            ["address_line_1"],
            [{"field": "address_line_2", "transform": "prefix", "length": 12}, "sex"],
        ),
    ),
}


def simulate(design: Design, path: Path, seed: int = 7) -> Path:
    """Write a records file, in random order."""
    generator = np.random.default_rng(seed)
    singles, matches = design.singles_count, design.matches_count
    order = generator.permutation(singles + 2 * matches)
    columns: dict[str, Any] = {"record_id": pa.array(np.argsort(order) + 1, pa.int64())}
    for item in design.fields:
        tails = len(item.m) - 2
        first = _drawn(item, singles + matches, generator)
        second = _second_values(item, first[:matches], generator)
        whole = np.concatenate([first, second])
        missing = generator.random(len(whole)) < item.missing_share
        texts = [
            None if gone else f"{row[0]:04d}" * 3 + "".join(chr(97 + tail) for tail in row[1 : 1 + tails])
            for row, gone in zip(whole.tolist(), missing.tolist(), strict=True)
        ]
        columns[item.field] = pa.array(texts, pa.string())
    pq.write_table(pa.table(columns), path)
    return path


def _drawn(item: Simulated, count: int, generator: np.random.Generator) -> NDArray[np.int64]:
    tails = len(item.m) - 2
    bases = generator.integers(0, item.values_count, (count, 1))
    return np.hstack([bases, generator.integers(0, TAIL_VALUES, (count, tails))])


def _second_values(item: Simulated, first: NDArray[np.int64], generator: np.random.Generator) -> NDArray[np.int64]:
    """Give the second record of each person values that agree as often as m says: to the pair, not by luck."""
    tails = len(item.m) - 2
    edges = np.round(np.cumsum(item.m) * len(first)).astype(int)
    level = np.searchsorted(edges, generator.permutation(len(first)), side="right")
    second = first.copy()
    for edits in range(1, tails + 1):
        rows = np.flatnonzero(level == edits)
        for tail in range(edits) if edits == tails else (None,):
            places = 1 + generator.integers(0, tails, len(rows)) if tail is None else np.full(len(rows), 1 + tail)
            second[rows, places] += generator.integers(1, TAIL_VALUES, len(rows))
    second[:, 1:] %= TAIL_VALUES
    rows = np.flatnonzero(level == tails + 1)
    second[rows] = _drawn(item, len(rows), generator)
    second[rows, 0] = (first[rows, 0] + generator.integers(1, item.values_count, len(rows))) % item.values_count
    return second


def configuration_of(design: Design) -> MatchConfiguration:
    """Return a configuration with the design's rules and levels, and parameters far from the true ones."""
    comparisons = []
    for item in design.fields:
        edits = len(item.m) - 2
        conditions: list[dict[str, Any]] = [
            {"when": "exact"},
            *({"when": "distance", "at_most": k + 1} for k in range(edits)),
        ]
        conditions.append({"when": "else"})
        guess_m = [0.6, *[0.4 / (edits + 1)] * (edits + 1)]
        guess_u = [*[0.1 / (edits + 1)] * (edits + 1), 0.9]
        comparisons.append(
            {
                "field": item.field,
                "method": "levenshtein" if edits else "exact",
                "levels": [
                    {**level, "m_probability": m, "u_probability": u}
                    for level, m, u in zip(conditions, guess_m, guess_u, strict=True)
                ],
            }
        )
    strategy = {
        "name": "person",
        "match_threshold": -20,
        "blocking_rules": list(design.rules),
        "comparisons": comparisons,
    }
    return parse_match_configuration({"prior": 0.001, "strategies": [strategy]}, STANDARD_FIELDS)


def estimated(
    records: Sequence[Path], configuration: MatchConfiguration, folder: Path, **changes: Any
) -> EstimateResult:
    """Estimate from records files."""
    request = EstimateRequest(
        new_records=tuple(records),
        held_records=(),
        ended=(),
        configuration=configuration,
        limits=EngineLimits(folder / "scratch", memory_mib=1024, threads=2),
        max_block_size=100_000,
        **changes,
    )
    return estimate_parameters(request, silent)


@pytest.mark.parametrize("design", DESIGNS.values(), ids=DESIGNS.keys())
def test_m_u_and_prior_come_back_within_five_percent(design: Design, tmp_path: Path) -> None:
    records = simulate(design, tmp_path / "records.parquet")
    result = estimated([records], configuration_of(design), tmp_path, sampled_pairs_count=2_000_000)
    (strategy,) = result.strategies
    for item, comparison in zip(design.fields, strategy.comparisons, strict=True):
        for level, m, u in zip(comparison.levels, item.m, item.u, strict=True):
            assert_near(level.estimated_m, m)
            assert_near(level.estimated_u, u)
    assert result.estimated_prior == pytest.approx(design.prior, rel=0.05)


def assert_near(found: float, true: float) -> None:
    """Require 5 % of what is frequent, and for rare levels five standard errors of counting a million pairs."""
    bound = 0.05 * true if true >= 0.05 else 5 * (true / 1_000_000) ** 0.5
    assert abs(found - true) <= bound, (found, true)
