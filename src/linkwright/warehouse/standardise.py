"""Owns the standardising of columns: each distinct text of a chunk is cleaned once, by one query per field.

Names, dates and places repeat: in a chunk of a hundred thousand rows most columns hold a tenth as many texts. So a
column is turned into its distinct texts and the places where they stand; only the texts are worked on. The results
stay in this form, in which Parquet stores them anyway.

Source: SPEC section 5 (Load).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from linkwright.engine.cleaning import CleaningRules, identifiers_sql, standardise_sql
from linkwright.engine.fields import LinkageField
from linkwright.warehouse.phonetics import name_codes
from linkwright.warehouse.source import numbers_from
from linkwright.warehouse.unicode_forms import to_nfkc

_TABLE = "source_texts"
_MOST_TEXTS_KEPT = 500_000
_TEXTS_PER_ROW_THAT_REPEAT = 2
TEXT = pa.dictionary(pa.int32(), pa.string())
_ARROW_TYPES = {"DATE": pa.date32(), "DOUBLE": pa.float64(), "VARCHAR": pa.string()}


@dataclass(frozen=True)
class StandardColumn:
    """One linkage field over the rows of a chunk.

    Args:
        values: date32, float64, or dictionary of strings; null where nothing is there or nothing could be read.
        derived: Soundex, NYSIIS and initial of a name, as dictionaries of strings; empty for other types.
        is_invalid: boolean: something is there, but could not be read.
    """

    values: pa.Array
    derived: Sequence[pa.Array]
    is_invalid: pa.Array


class Standardiser:
    """Cleans the columns of one source file, and remembers the texts of those in which texts repeat.

    Args:
        con: the engine to compute in.
        rules: how values are cleaned.
    """

    def __init__(self, con: duckdb.DuckDBPyConnection, rules: CleaningRules) -> None:
        self._con = con
        self._rules = rules
        self._known: dict[str, pa.Table] = {}

    def identifiers(self, column: pa.ChunkedArray) -> pa.Array:
        """Trim Source Unique IDs or Source Person IDs; null if nothing is left."""
        result = self._run(identifiers_sql(_TABLE, self._rules), column.combine_chunks())
        return result.column("value").combine_chunks()

    def column(self, field: LinkageField, column: pa.ChunkedArray) -> StandardColumn:
        """Standardise the column of a linkage field."""
        encoded = column.combine_chunks().dictionary_encode()
        texts, places = encoded.dictionary, encoded.indices
        known = self._known.pop(field.name, None) or self._learnt(field, texts[:0])
        at = pc.index_in(texts, value_set=known.column("text"))
        if at.null_count:
            learnt = self._learnt(field, texts.filter(pc.is_null(at)))
            known = pa.concat_tables([known, learnt]).combine_chunks()
            at = pc.index_in(texts, value_set=known.column("text"))
        if _TEXTS_PER_ROW_THAT_REPEAT * len(texts) <= len(column) and known.num_rows <= _MOST_TEXTS_KEPT:
            self._known[field.name] = known
        texts_here = known.take(at).combine_chunks()
        spread = {name: _spread(texts_here.column(name), places) for name in ("value", *field.derived_columns)}
        is_invalid = texts_here.column("is_invalid").combine_chunks().take(places)
        return StandardColumn(
            values=spread["value"],
            derived=[spread[name] for name in field.derived_columns],
            is_invalid=pc.fill_null(is_invalid, fill_value=False),
        )

    def _learnt(self, field: LinkageField, texts: pa.Array) -> pa.Table:
        """Clean texts: text, value, is_invalid, and for a name the columns that are derived from it."""
        result = self._run(standardise_sql(_TABLE, field, self._rules), to_nfkc(texts))
        values = result.column("value").cast(_ARROW_TYPES[field.sql_type])
        columns = {"text": texts, "value": values, "is_invalid": result.column("is_invalid")}
        if field.derived_columns:
            columns |= dict(zip(field.derived_columns, name_codes(values.combine_chunks()), strict=True))
        return pa.table(columns)

    def _run(self, query: str, texts: pa.Array) -> pa.Table:
        table = pa.table({"place": numbers_from(0, len(texts)), "text": texts})
        self._con.register(_TABLE, table)
        result = self._con.sql(query).to_arrow_table()
        self._con.unregister(_TABLE)
        return result


def _spread(values: pa.ChunkedArray, places: pa.Array) -> pa.Array:
    """Put values to places; texts as a dictionary without nulls and repetitions, which Parquet stores as it is."""
    if values.type != pa.string():
        return values.combine_chunks().take(places)
    distinct = values.combine_chunks().dictionary_encode()
    return pa.DictionaryArray.from_arrays(distinct.indices.take(places), distinct.dictionary)
