"""Random configurations of random records give Splink's pairs and weights, whole and in increments."""

from datetime import date, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from linkwright.engine.comparison_methods import (
    BOUND_RULES,
    METHOD_RULES,
    LevelCondition,
    LevelKind,
    Method,
)
from linkwright.engine.comparisons import FREQUENCY_TYPES
from linkwright.engine.level_ladder import covers
from linkwright.engine.strategy import MatchConfiguration
from linkwright.engine.term_frequencies import frequency_fields
from linkwright.warehouse.limits import EngineLimits
from linkwright.warehouse.term_frequencies import build_term_frequencies
from tests.integration.comparison_cases import FIELDS, OTHER_NAME, configured, encoded, write_people
from tests.integration.linking import assert_same_pairs
from tests.integration.matching import match_batches
from tests.integration.splink_conversion import splink_pairs

NAMES = st.sampled_from(["lee", "leigh", "smith", "smyth", "long reef", "reef", "o neill", "müller", "mueller"])
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "given_name": NAMES,
    "surname": NAMES,
    "date_of_birth": st.builds(
        lambda days: date(1987, 2, 3) + timedelta(days=days), st.sampled_from([0, 1, 28, 31, 27, 365, 366, 3650])
    ),
    "sex": st.sampled_from("mf"),
    "postcode": st.sampled_from(["2600", "2601", "2610", "2060", "26"]),
    "health_identifier": st.sampled_from(["123456", "124356", "12346", "923456", "7"]),
    "weight": st.sampled_from([70.0, 70.5, 77.0, 80.0, 140.0]),
    "encoded": st.builds(encoded, st.sampled_from(["long reef", "long reefs", "reef"]), st.sampled_from([8, 16])),
}
TYPES = {field.name: field.type for field in FIELDS}
PEOPLE = st.lists(
    st.fixed_dictionaries({name: st.one_of(values, values, st.none()) for name, values in VALUES.items()}),
    min_size=4,
    max_size=14,
)
RULES = st.lists(
    st.lists(st.sampled_from(["sex", "surname", "postcode", "given_name"]), min_size=1, max_size=2, unique=True),
    min_size=1,
    max_size=3,
    unique_by=tuple,
)


def a_bound(kind: LevelKind) -> st.SearchStrategy[float | None]:
    """Draw a bound that a kind of level may have."""
    rule = BOUND_RULES.get(kind)
    if rule is None:
        return st.none()
    if rule.is_whole:
        return st.integers(1, 4)
    # Splink's SQL holds six digits of a share, so no more of them are drawn
    return st.integers(1, 100).map(lambda hundredths: hundredths / 100 * (1 if rule.key == "at_least" else 20))


@st.composite
def shares(draw: st.DrawFn, count: int) -> list[float]:
    """Draw probabilities that add up to 1."""
    parts = draw(st.lists(st.integers(1, 1000), min_size=count, max_size=count))
    return [part / sum(parts) for part in parts]


@st.composite
def conditions(draw: st.DrawFn, method: Method) -> list[LevelCondition]:
    """Draw the levels of a ladder: those that can be reached after the ones drawn before."""
    kinds = st.sampled_from([kind for kind in METHOD_RULES[method].kinds if kind is not LevelKind.ELSE])
    chosen: list[LevelCondition] = []
    for kind in draw(st.lists(kinds, min_size=1, max_size=5)):
        condition = LevelCondition(kind, draw(a_bound(kind)))
        if not any(covers(method, earlier, condition) for earlier in chosen):
            chosen.append(condition)
    return [*chosen, LevelCondition(LevelKind.ELSE, None)]


@st.composite
def comparisons(draw: st.DrawFn, name: str) -> dict[str, Any]:
    """Draw a comparison of any field by any method that fits it."""
    method = draw(st.sampled_from(Method))
    fitting = [
        field
        for field in VALUES
        if TYPES[field] in METHOD_RULES[method].field_types and (method is not Method.NAME or field in OTHER_NAME)
    ]
    field = draw(st.sampled_from(fitting))
    ladder = draw(conditions(method))
    m, u = draw(shares(len(ladder))), draw(shares(len(ladder)))
    event(method)
    levels = [
        {
            "when": condition.kind.value,
            **({BOUND_RULES[condition.kind].key: condition.bound} if condition.bound is not None else {}),
            "m_probability": m[index],
            "u_probability": u[index],
        }
        for index, condition in enumerate(ladder)
    ]
    item = {"name": name, "field": field, "method": method.value, "levels": levels}
    if method is Method.NAME:
        item["swapped_with"] = OTHER_NAME[field]
    has_exact = any(condition.kind is LevelKind.EXACT for condition in ladder)
    if has_exact and TYPES[field] in FREQUENCY_TYPES and draw(st.booleans()):
        item["term_frequency"] = {
            "weight": draw(st.sampled_from([1, 0.5])),
            "minimum_u": draw(st.sampled_from([0, 0.25])),
        }
        for level in levels[:-1]:
            level["term_frequency"] = draw(st.booleans())
    return item


@st.composite
def configurations(draw: st.DrawFn) -> MatchConfiguration:
    """Draw a configuration of one strategy."""
    count = draw(st.integers(1, 4))
    chosen = [draw(comparisons(f"c{number}")) for number in range(count)]
    return configured(chosen, draw(RULES), threshold=draw(st.sampled_from([-200.0, -6.0])))


@settings(deadline=None, max_examples=25, suppress_health_check=[HealthCheck.too_slow])
@given(configuration=configurations(), people=PEOPLE, is_new=st.lists(st.booleans(), min_size=14, max_size=14))
def test_pairs_and_weights_are_splinks_whatever_the_configuration_and_the_packaging(
    configuration: MatchConfiguration, people: list[dict[str, Any]], is_new: list[bool]
) -> None:
    rows = [{**person, "record_id": number} for number, person in enumerate(people)]
    batches = [[row for row in rows if is_new[row["record_id"]] is late] for late in (False, True)]
    with TemporaryDirectory() as name:
        folder = Path(name)
        whole = write_people(folder / "whole.parquet", rows)
        parts = [write_people(folder / f"part{number}.parquet", batch) for number, batch in enumerate(batches)]
        frequencies = frequencies_of(configuration, whole, folder)
        pairs = match_batches([whole], configuration, folder / "whole", term_frequencies=frequencies)
        assert_same_pairs(pairs, splink_pairs([whole], configuration, frequencies))
        assert match_batches(parts, configuration, folder / "parts", term_frequencies=frequencies) == pairs


def frequencies_of(configuration: MatchConfiguration, records: Path, folder: Path) -> Path | None:
    """Build the term frequencies if a configuration asks for some."""
    fields = frequency_fields(configuration)
    if not fields:
        return None
    limits = EngineLimits(folder / "scratch", memory_mib=512, threads=2)
    return build_term_frequencies([records], [], fields, folder / "frequencies.parquet", limits).path
