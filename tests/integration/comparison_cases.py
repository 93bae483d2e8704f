"""Comparisons with all levels of a method, and records with fields of every type, for the tests against Splink."""

from base64 import b64encode
from collections.abc import Sequence
from hashlib import sha256
from itertools import pairwise
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from linkwright.engine.comparison_methods import BOUND_RULES, LevelKind, Method
from linkwright.engine.fields import STANDARD_FIELDS, FieldType, LinkageField
from linkwright.engine.strategy import MatchConfiguration, parse_match_configuration
from tests.record_batches import write_records

KEEP_ALL = -200.0
FIELDS = (*STANDARD_FIELDS, LinkageField("weight", FieldType.NUMBER), LinkageField("encoded", FieldType.BLOOM))
OTHER_NAME = {"surname": "given_name", "given_name": "surname"}
BOUNDS: dict[LevelKind, tuple[float, ...]] = {
    LevelKind.SIMILARITY: (0.95, 0.8, 0.6),
    LevelKind.SIMILARITY_BOTH: (0.95, 0.8, 0.6),
    LevelKind.DISTANCE: (1, 2, 3),
    LevelKind.EDITS: (1, 2, 3),
    LevelKind.SAME_PREFIX: (3, 2, 1),
    LevelKind.SHARED_TOKENS: (3, 2, 1),
    LevelKind.WITHIN_DAYS: (1, 12),
    LevelKind.WITHIN_MONTHS: (1, 2),
    LevelKind.WITHIN_YEARS: (1, 10),
    LevelKind.WITHIN_ABSOLUTE: (0.5, 2, 10.25),
    LevelKind.WITHIN_PERCENT: (1, 7.5, 25),
}


def conditions_of(kinds: Sequence[LevelKind]) -> list[dict[str, Any]]:
    """Return a condition per bound of each kind, as a configuration has them."""
    conditions: list[dict[str, Any]] = []
    for kind in kinds:
        bounds = BOUNDS.get(kind, ())
        conditions += [{"when": kind.value, BOUND_RULES[kind].key: bound} for bound in bounds]
        if not bounds:
            conditions.append({"when": kind.value})
    return conditions


def comparison(method: Method, field: str, kinds: Sequence[LevelKind], **more: Any) -> dict[str, Any]:
    """Return a comparison with a level per bound of each kind; the further down, the less it weighs."""
    conditions = conditions_of(kinds)
    weights = [2.0**-index for index in range(len(conditions))]
    return {
        "name": f"{method}_{field}",
        "field": field,
        "method": method.value,
        **({"swapped_with": OTHER_NAME[field]} if method is Method.NAME else {}),
        **more,
        "levels": [
            {**condition, "m_probability": weight / sum(weights), "u_probability": rising / sum(weights)}
            for condition, weight, rising in zip(conditions, weights, weights[::-1], strict=True)
        ],
    }


def configured(
    comparisons: Sequence[dict[str, Any]], rules: Sequence[Any], threshold: float = KEEP_ALL
) -> MatchConfiguration:
    """Return a configuration of one strategy."""
    strategy = {
        "name": "person",
        "match_threshold": threshold,
        "blocking_rules": list(rules),
        "comparisons": list(comparisons),
    }
    return parse_match_configuration({"prior": 0.02, "strategies": [strategy]}, FIELDS)


def write_people(path: Path, rows: Sequence[dict[str, Any]]) -> Path:
    """Write records with any standard fields, and with `weight` (number) and `encoded` (bloom)."""
    table = pq.read_table(write_records(path, rows))
    for name, kind in (("weight", pa.float64()), ("encoded", pa.string())):
        table = table.append_column(name, pa.array([row.get(name) for row in rows], kind))
    pq.write_table(table, path)
    return path


def encoded(text: str, bytes_count: int) -> str:
    """Encode the pairs of letters of a text in a filter of so many bytes, in base64."""
    bits = 0
    for one, other in pairwise(f" {text} "):
        for seed in "ab":
            digest = sha256(f"{seed}{one}{other}".encode()).digest()
            bits |= 1 << int.from_bytes(digest[:8], "big") % (8 * bytes_count)
    return b64encode(bits.to_bytes(bytes_count, "big")).decode()
