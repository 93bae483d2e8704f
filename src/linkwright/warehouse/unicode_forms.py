"""Owns Unicode's normal form NFKC for columns: one spelling for full-width letters, ligatures, composed accents.

DuckDB has NFC only. Almost all values are ASCII and have no other form, so only the others are looked at, each
distinct one once.

Source: SPEC section 5 (Load: Unicode NFKC); Unicode Standard Annex 15.
"""

import unicodedata

import pyarrow as pa
import pyarrow.compute as pc


def to_nfkc(column: pa.Array) -> pa.Array:
    """Return the strings in form NFKC; nulls stay."""
    is_other = pc.fill_null(pc.invert(pc.string_is_ascii(column)), fill_value=False)
    if not pc.any(is_other).as_py():
        return column
    others = column.filter(is_other).to_pylist()
    forms = {text: unicodedata.normalize("NFKC", text) for text in set(others)}
    return pc.replace_with_mask(column, is_other, pa.array([forms[text] for text in others], pa.string()))
