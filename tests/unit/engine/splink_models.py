"""Small Splink models as plain data, and what importing them gives, for the tests of the import."""

from typing import Any

import pytest

from linkwright.engine.fields import STANDARD_FIELDS, FieldType, LinkageField
from linkwright.engine.splink_import import SplinkImportOptions, match_definition_from_splink
from linkwright.errors import ConfigurationError

FIELDS = (*STANDARD_FIELDS, LinkageField("weight", FieldType.NUMBER), LinkageField("aliases", FieldType.TEXT))
Level = dict[str, Any]


def level(sql: str, **more: Any) -> Level:
    return {"sql_condition": sql, "m_probability": 0.5, "u_probability": 0.5, **more}


def missing(*columns: str) -> Level:
    asked = " OR ".join(f'"{column}_{side}" IS NULL' for column in columns for side in "lr")
    return {"sql_condition": asked, "is_null_level": True}


def comparison(column: str, *sqls: str, **more: Any) -> dict[str, Any]:
    """Return a comparison with a level per SQL, and those for missing values and all others."""
    share = 1 / (len(sqls) + 1)
    levels = [level(sql, m_probability=share, u_probability=share) for sql in (*sqls, "ELSE")]
    return {"output_column_name": column, "comparison_levels": [missing(column), *levels], **more}


def model(*comparisons: dict[str, Any], rules: tuple[Any, ...] = ('l."surname" = r."surname"',)) -> dict[str, Any]:
    return {
        "link_type": "dedupe_only",
        "probability_two_random_records_match": 0.5,
        "comparisons": list(comparisons),
        "blocking_rules_to_generate_predictions": [
            {"blocking_rule": rule, "sql_dialect": "duckdb"} if isinstance(rule, str) else rule for rule in rules
        ],
    }


def options(**given: Any) -> SplinkImportOptions:
    return SplinkImportOptions(match_threshold=-100, review_threshold=-100, **given)


def read(settings: object, **given: Any) -> dict[str, Any]:
    """Import a model, and return its strategy."""
    strategy: dict[str, Any] = match_definition_from_splink(settings, FIELDS, options=options(**given)).definition[
        "strategies"
    ][0]
    return strategy


def faults(settings: object, **given: Any) -> tuple[str, ...]:
    with pytest.raises(ConfigurationError) as caught:
        match_definition_from_splink(settings, FIELDS, options=options(**given))
    return caught.value.faults
