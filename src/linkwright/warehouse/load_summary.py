"""Owns what is counted and told about a load: statistics per linkage field, and warnings in full sentences.

Source: SPEC section 3 (statistics of a Load job), section 5 (counted, with a warning).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pyarrow as pa

from linkwright.engine.cleaning import CleaningRules
from linkwright.engine.fields import FieldType, LinkageField
from linkwright.engine.identifying import identifying
from linkwright.engine.progress import Progress, ReportProgress
from linkwright.engine.sql import identifier, literal
from linkwright.warehouse.rejects import shortened
from linkwright.warehouse.source import Layout
from linkwright.warehouse.staging import INVALID_VALUES


@dataclass(frozen=True)
class FieldStatistics:
    """One linkage field over the loaded rows.

    Args:
        filled_count: rows that have a value.
        invalid_count: rows that are empty because the text in the source could not be read.
        distinct_count: different standardised values.
    """

    filled_count: int
    invalid_count: int
    distinct_count: int


@dataclass(frozen=True)
class InvalidValues:
    """What could not be read of one field: how often, and where first."""

    count: int
    first_line: int
    first_value: str


def find_invalid(con: duckdb.DuckDBPyConnection, taken_out: pa.Array) -> Mapping[str, InvalidValues]:
    """Sum up the table that `Staging` made of values that could not be read.

    Args:
        con: the engine that has the table.
        taken_out: int64, record ids of rows that were rejected afterwards.

    Returns:
        For each field that has any, by its name.
    """
    con.register("taken_out", pa.table({"record_id": taken_out}))
    rows = con.execute(
        f"SELECT field, count(*), min(line), arg_min(value, line) FROM {INVALID_VALUES} "
        "WHERE record_id NOT IN (SELECT record_id FROM taken_out) GROUP BY field"
    ).fetchall()
    con.unregister("taken_out")
    return {field: InvalidValues(count, line, value) for field, count, line, value in rows}


def count_fields(
    con: duckdb.DuckDBPyConnection,
    records: Path,
    *,
    fields: Sequence[LinkageField],
    layout: Layout,
    invalid: Mapping[str, InvalidValues],
    report: ReportProgress,
) -> dict[str, FieldStatistics]:
    """Count the values of each linkage field in a records file; fields without a source column have none."""
    statistics: dict[str, FieldStatistics] = {}
    for number, field in enumerate(fields):
        report(Progress("Counting values", number, len(fields), "fields"))
        filled_count = distinct_count = 0
        if field.name in layout.mapped:
            # One field at a time: the distinct values of all of them together may not fit in memory
            column = identifier(field.name)
            filled_count, distinct_count = con.execute(
                f"SELECT count({column}), count(DISTINCT {column}) FROM read_parquet({literal(records)})"
            ).fetchall()[0]
        found = invalid.get(field.name)
        statistics[field.name] = FieldStatistics(filled_count, found.count if found else 0, distinct_count)
    return statistics


@dataclass(frozen=True)
class LoadWarnings:
    """Says in full sentences what a person should know about a load.

    Args:
        source_name: begins each sentence.
        place: what a row's number counts: line or row.
        fields: the project's linkage fields.
        layout: the columns that were read.
        rules: how the values were cleaned.
        shows_values: whether a sentence may show a value of the source.
    """

    source_name: str
    place: str
    fields: Sequence[LinkageField]
    layout: Layout
    rules: CleaningRules
    shows_values: bool = True

    def tell(
        self,
        rows_loaded_count: int,
        rejected: str | None,
        invalid: Mapping[str, InvalidValues],
        statistics: Mapping[str, FieldStatistics],
    ) -> list[str]:
        """Return the warnings.

        Args:
            rows_loaded_count: rows in the records file.
            rejected: what `Rejects.described` says, if rows were rejected.
            invalid: values that could not be read, by field.
            statistics: by field.
        """
        sentences: list[str] = []
        if rejected:
            # where no value is shown, no list of rows is kept either
            where = " The list of them can be downloaded." if self.shows_values else ""
            sentences.append(f"rows are rejected and not loaded: {rejected}.{where}")
        elif not rows_loaded_count:
            sentences.append("the file holds no rows; nothing is loaded.")
        sentences.extend(
            self._of_field(field, invalid[field.name]) for field in self.fields if field.name in invalid
        )
        if rows_loaded_count:
            sentences.extend(self._of_empty_fields(statistics))
        sentences.extend(
            f"the unused column {old!r} is kept as {new!r}, because another column has its name."
            for old, new in self.layout.renamed
        )
        return [f"{self.source_name}: {sentence}" for sentence in sentences]

    def _of_field(self, field: LinkageField, found: InvalidValues) -> str:
        subject, verb = ("1 value", "is") if found.count == 1 else (f"{found.count:,} values", "are")
        value = f': "{identifying(shortened(found.first_value))}"' if self.shows_values else ""
        return (
            f"{subject} of {field.name} could not be read as {self._expected(field)} and {verb} left empty; "
            f"first at {self.place} {found.first_line}{value}."
        )

    def _expected(self, field: LinkageField) -> str:
        match field.type:
            case FieldType.DATE:
                return " or ".join(self.rules.date_formats[field.name])
            case FieldType.SEX:
                return "a sex by the setting Standardise.Sex.Map"
            case FieldType.STATE:
                return "a state by the setting Standardise.State.Map"
            case FieldType.NUMBER:
                return "a number"
            case FieldType.BLOOM:
                return "a bit filter (base64, or 0 and 1 in eights)"
            case _:
                return f"{field.type} (no letter or digit is in it)"

    def _of_empty_fields(self, statistics: Mapping[str, FieldStatistics]) -> Iterator[str]:
        for name in self.layout.mapped:
            if name in statistics and not statistics[name].filled_count and not statistics[name].invalid_count:
                yield f"{name} is empty in every row. Check the column that the Import Format maps to it."
