"""Every number that docs/linkage.md works out for operators is what the engine computes."""

import datetime as dt
import math
import re
from pathlib import Path
from typing import Any

import duckdb
import jellyfish
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml

from linkwright.engine.explanation import PairExplanation, Verdict
from linkwright.engine.fields import STANDARD_FIELDS
from linkwright.engine.strategy import MatchConfiguration, parse_match_configuration
from linkwright.warehouse.explain import PairRequest, explain_records
from linkwright.warehouse.limits import EngineLimits
from linkwright.warehouse.live_files import LiveFiles
from tests.record_batches import write_records

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "linkage.md").read_text(encoding="utf-8")


def table(first_header: str) -> list[list[str]]:
    """Return the rows of the table whose header begins so; cells without blanks around them."""
    found = re.search(rf"^\| {re.escape(first_header)}.*\n\|.*\n((?:\|.*\n)+)", PAGE, re.MULTILINE)
    assert found is not None, first_header
    return [[cell.strip() for cell in row.strip().strip("|").split("|")] for row in found[1].splitlines()]


def signed(number: float) -> str:
    """Write a weight as the page does, with a true minus."""
    return f"{number:+.2f}".replace("-", "−")


@pytest.fixture(scope="module")
def configuration() -> MatchConfiguration:
    block = re.search(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    assert block is not None
    return parse_match_configuration(yaml.safe_load(block[1])["match"], STANDARD_FIELDS)


@pytest.fixture(scope="module")
def people() -> dict[str, dict[str, Any]]:
    """Return the page's records by their letter."""
    names = ("given_name", "surname", "date_of_birth", "sex", "postcode")
    rows: dict[str, dict[str, Any]] = {}
    for letter, *cells in table("record |"):
        values = {name: cell or None for name, cell in zip(names, cells, strict=True)}
        birth = dt.date.fromisoformat(str(values["date_of_birth"]))
        rows[letter] = {"record_id": len(rows) + 1, **values, "date_of_birth": birth}
    return rows


@pytest.fixture(scope="module")
def explained(
    people: dict[str, dict[str, Any]], configuration: MatchConfiguration, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, PairExplanation]:
    folder = tmp_path_factory.mktemp("guide")
    records = write_records(folder / "records.parquet", list(people.values()))
    frequencies = folder / "frequencies.parquet"
    rows = [{"field": "surname", "value": name, "frequency": float(f)} for name, f, _change in table("surname |")]
    pq.write_table(pa.Table.from_pylist(rows), frequencies)
    told = {}
    for other in "BC":
        request = PairRequest(
            files=LiveFiles((records,), (), (), ()),
            fields=STANDARD_FIELDS,
            record_ids=(people["A"]["record_id"], people[other]["record_id"]),
            configuration=configuration,
            term_frequencies=frequencies,
            limits=EngineLimits(folder / "scratch", memory_mib=512, threads=1),
        )
        (told[other],) = explain_records(request)
    return told


def worked_rows(configuration: MatchConfiguration, told: PairExplanation) -> list[list[str]]:
    """Return the rows of the page's table of a pair."""
    at = told.prior_weight
    rows = [["prior", "", "", f"{configuration.prior:g}", "", "", signed(at), signed(at)]]
    for part in told.parts:
        assert part.values is not None
        (values,) = part.values
        at += part.weight
        m, u = ("" if one is None else f"{one:g}" for one in (part.m_probability, part.u_probability))
        names = [part.comparison, values.left or "", values.right or "", part.level, m, u]
        rows.append([*names, signed(part.weight), signed(at)])
        if part.frequency_weight:
            at += part.frequency_weight
            rows.append(["", "", "", "how frequent it is", "", "", signed(part.frequency_weight), signed(at)])
    return rows


@pytest.mark.parametrize("other", ["B", "C"])
def test_the_worked_pairs_are_what_the_engine_makes_of_them(
    configuration: MatchConfiguration, explained: dict[str, PairExplanation], other: str
) -> None:
    assert table(f"part | A | {other} |") == worked_rows(configuration, explained[other])


def test_the_verdicts_are_those_that_the_page_tells(explained: dict[str, PairExplanation]) -> None:
    assert explained["B"].verdict is Verdict.MATCH
    assert explained["C"].verdict is Verdict.REVIEW
    assert (explained["B"].match_threshold, explained["B"].review_threshold) == (8, 2)


def test_the_rules_that_bring_the_records_together_are_right(
    configuration: MatchConfiguration, explained: dict[str, PairExplanation]
) -> None:
    rows = table("rule |")
    assert len(rows) == len(configuration.strategies[0].blocking_rules)
    for rule, with_b, with_c in rows:
        assert (with_b == "yes") is (rule in explained["B"].rules), rule
        assert (with_c == "yes") is (rule in explained["C"].rules), rule
    assert f"`{jellyfish.soundex('katherine')}` and `{jellyfish.soundex('catherine')}`" in PAGE


def test_weights_odds_and_probabilities_belong_together() -> None:
    rows = table("match weight |")
    assert len(rows) >= 5
    for weight_text, odds_text, probability_text in rows:
        weight = float(weight_text.replace("−", "-"))
        left, right = (float(side.replace(",", "")) for side in odds_text.split(" to "))
        assert left / right == 2**weight
        digits = len(probability_text.removesuffix(" %").partition(".")[2])
        percent = 100 * 2**weight / (1 + 2**weight)
        assert probability_text == f"{percent:.{digits}f} %"


def test_the_prior_is_worked_out_right(configuration: MatchConfiguration) -> None:
    assert f"log2(0.0001 / 0.9999) = {signed(math.log2(0.0001 / 0.9999))}" in PAGE
    assert configuration.prior == 0.0001


def test_the_changes_by_term_frequencies_are_right(configuration: MatchConfiguration) -> None:
    surname = next(item for item in configuration.strategies[0].comparisons if item.name == "surname")
    adjustment, u = surname.term_frequency, surname.exact_u_probability
    assert adjustment is not None
    assert u is not None
    frequencies = [float(frequency) for _name, frequency, _change in table("surname |")]
    assert min(frequencies) < adjustment.minimum_u < sorted(frequencies)[1]
    for _name, frequency, change in table("surname |"):
        f = max(float(frequency), adjustment.minimum_u)
        assert change == signed(adjustment.weight * math.log2(u / f))


def test_the_pairs_of_a_block_are_counted_right() -> None:
    found = re.findall(r"([\d,]+)\s+records(?:\s\([^)]*\))?\s+make\s+([\d,]+)", PAGE)
    assert len(found) == 2
    for records_text, pairs_text in found:
        records, pairs = (int(text.replace(",", "")) for text in (records_text, pairs_text))
        assert pairs == records * (records - 1) // 2


def test_the_similarity_of_the_names_is_right(people: dict[str, dict[str, Any]]) -> None:
    names = [people[letter]["given_name"] for letter in "AB"]
    with duckdb.connect() as con:
        ((similarity,),) = con.execute("SELECT jaro_winkler_similarity(?, ?)", names).fetchall()
    assert f"The Jaro-Winkler similarity of {names[0]} and {names[1]} is {similarity:.3f}:" in PAGE
