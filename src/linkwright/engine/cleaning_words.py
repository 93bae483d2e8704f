"""Says in words how each type of linkage field is standardised, step by step, with made-up values to show it on.

The steps are those of `cleaning`, which a test holds this to by running the examples. Must not know SQL.

Source: SPEC section 5 (Load).
"""

from collections.abc import Mapping
from typing import NamedTuple

from linkwright.engine.fields import FieldType

FIRST_STEPS = (
    "Characters that look alike are made one (Unicode NFKC).",
    "Invisible characters and blanks at both ends are dropped; several blanks become one.",
    "What the Import Format calls a missing value becomes empty.",
)
"""What is done with every value before the steps of its type."""


class CleaningWords(NamedTuple):
    """How one type of field is standardised.

    steps: after `FIRST_STEPS`, in order.
    examples: made-up source values.
    """

    steps: tuple[str, ...]
    examples: tuple[str, ...]


_LETTERS_AND_DIGITS = "Everything but letters and digits is dropped."
_SMALL = "Letters become small."
_UNREAD = "What cannot be read becomes empty, and is counted as invalid."

CLEANING_WORDS: Mapping[FieldType, CleaningWords] = {
    FieldType.NAME: CleaningWords(
        (
            _SMALL,
            "Apostrophes are dropped; other signs become blanks.",
            "Soundex, NYSIIS and the first initial are worked out beside it.",
        ),
        ("  O'Brien ", "SMITH-JONES", "Müller"),
    ),
    FieldType.TEXT: CleaningWords((_SMALL,), (" 12  High ST ", "Flat 3/14")),
    FieldType.DATE: CleaningWords(
        ("It is read by the date formats of the Import Format, in order; the first that fits counts.", _UNREAD),
        ("1980-02-01", "1980-02-31"),
    ),
    FieldType.SEX: CleaningWords(
        ("Signs are dropped, letters become small.", "The map of spellings gives m, f or x.", _UNREAD),
        ("Female", "M", "not stated", "?"),
    ),
    FieldType.STATE: CleaningWords(
        ("Signs are dropped, letters become small.", "The map of spellings gives the code.", _UNREAD),
        ("N.S.W.", "Victoria", "abroad"),
    ),
    FieldType.POSTCODE: CleaningWords((_SMALL, _LETTERS_AND_DIGITS), ("2 000", "SW1A 1AA")),
    FieldType.IDENTIFIER: CleaningWords((_SMALL, _LETTERS_AND_DIGITS), ("AB-12 34/x", "00417")),
    FieldType.NUMBER: CleaningWords(("It is read as a number.", _UNREAD), ("3.50", "1e3", "3,5")),
    FieldType.BLOOM: CleaningWords(
        ("A bit filter in base64, or as 0 and 1 in eights, is brought to base64.", _UNREAD),
        ("0100000101000010", "QUI=", "012"),
    ),
}
