"""How well persons with a known truth are linked, beside Splink with the same rules and model: docs/benchmarks.md.

By default FEBRL 3 and 4, and historical figures if they are at hand; `make bench` sets LINKWRIGHT_BENCH=full,
which adds Splink's documented model, and the defaults after one estimation. Figures are F1 of pairs in groups.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from linkwright.engine.quality import pairwise_quality
from tests.benchmarks.people_sets import HISTORICAL, People, febrl, historical_figures
from tests.benchmarks.quality_run import (
    default_of,
    documented_splink,
    estimated_of,
    link,
    link_with_splink,
)

IS_FULL = os.environ.get("LINKWRIGHT_BENCH") == "full"
MOST_UNDER_TUNED = 0.01
# careful defaults cannot know that these persons have ten records each and no families: decision 14
LEAST_BY_DEFAULT_OF_FIGURES = 0.70

needs_figures = pytest.mark.skipif(
    not HISTORICAL.exists(), reason=f"{HISTORICAL.name} is absent (set LINKWRIGHT_DATA to its folder)"
)


@dataclass(frozen=True)
class Measured:
    """One row of the table; None for what was not measured."""

    name: str
    records_count: int
    splink_f1: float
    tuned_f1: float
    default_f1: float
    estimated_f1: float | None


@pytest.fixture(scope="module")
def table() -> Iterator[list[Measured]]:
    """Collect rows, and print them when the last test is done."""
    rows: list[Measured] = []
    yield rows
    heads = ("data set", "records", "Splink, same model", "Linkwright", "defaults", "defaults, estimated")
    print("\n" + " | ".join(heads))  # noqa: T201  # shown by pytest -s, for docs/benchmarks.md
    for row in rows:
        figures = (row.splink_f1, row.tuned_f1, row.default_f1, row.estimated_f1)
        shown = ("-" if figure is None else f"{figure:.4f}" for figure in figures)
        print(" | ".join((row.name, f"{row.records_count:,}", *shown)))  # noqa: T201


def measure(tuned: People, ordinary: People, folder: Path) -> Measured:
    """Link one data set in each way.

    Args:
        tuned: with the example's fields.
        ordinary: with the fields that the defaults are measured with.
        folder: for the files.
    """
    return Measured(
        name=tuned.name,
        records_count=len(tuned.persons),
        splink_f1=tuned.f1(link_with_splink(tuned, tuned.tuned, folder / "splink")),
        tuned_f1=tuned.f1(link(tuned, tuned.tuned, folder / "tuned")),
        default_f1=ordinary.f1(link(ordinary, default_of(ordinary), folder / "default")),
        estimated_f1=ordinary.f1(link(ordinary, estimated_of(ordinary, folder), folder / "estimated"))
        if IS_FULL
        else None,
    )


@pytest.mark.benchmark
@pytest.mark.parametrize(("number", "least_f1"), [(4, 0.9995), (3, 0.999)])
def test_febrl_is_linked_as_promised_and_nearly_so_by_default(
    tmp_path: Path, table: list[Measured], number: int, least_f1: float
) -> None:
    people = febrl(number, tmp_path)
    measured = measure(people, people, tmp_path)
    table.append(measured)
    assert measured.tuned_f1 >= least_f1
    assert measured.tuned_f1 == pytest.approx(measured.splink_f1, abs=1e-12)
    assert measured.default_f1 >= measured.tuned_f1 - MOST_UNDER_TUNED


@pytest.mark.benchmark
@needs_figures
def test_historical_figures_are_linked_better_than_by_splinks_documented_model(
    tmp_path: Path, table: list[Measured]
) -> None:
    (tmp_path / "ordinary").mkdir()
    ordinary = historical_figures(tmp_path / "ordinary", ordinary=True)
    measured = measure(historical_figures(tmp_path), ordinary, tmp_path)
    table.append(measured)
    assert measured.tuned_f1 >= 0.87
    assert measured.tuned_f1 == pytest.approx(measured.splink_f1, abs=1e-12)
    assert measured.default_f1 >= LEAST_BY_DEFAULT_OF_FIGURES
    if IS_FULL:
        documented = pairwise_quality(*documented_splink(HISTORICAL))
        print(f"\nSplink's documented model, historical figures: {documented.f1:.4f}")  # noqa: T201
        assert 0.81 < documented.f1 < measured.tuned_f1
