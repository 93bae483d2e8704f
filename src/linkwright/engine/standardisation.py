"""Owns the maps that bring the many spellings of sex and state to one each, and their defaults.

Must not know of SQL: `cleaning` turns a map into an expression.

Source: SPEC section 5 (sex and state by maps in the settings), section 7 (Standardise.*.Map); the codes of the
Australian Institute of Health and Welfare's METEOR registry for sex and for state or territory.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

MISSING = ""


def map_key(text: str) -> str:
    """Return what spellings are compared by: small letters and digits only, so that 'N.S.W.' equals 'nsw'."""
    return "".join(character for character in text.lower() if character.isalnum())


DEFAULT_SEX_MAP: Mapping[str, str] = MappingProxyType(
    {
        **dict.fromkeys(("m", "male", "man", "boy", "1"), "m"),
        **dict.fromkeys(("f", "female", "woman", "girl", "2"), "f"),
        **dict.fromkeys(("x", "o", "other", "another term", "intersex", "indeterminate", "non-binary", "3"), "x"),
        **dict.fromkeys(
            ("9", "u", "unk", "unknown", "not stated", "not known", "inadequately described"), MISSING
        ),
    }
)

DEFAULT_STATE_MAP: Mapping[str, str] = MappingProxyType(
    {
        **dict.fromkeys(("nsw", "new south wales", "1"), "nsw"),
        **dict.fromkeys(("vic", "victoria", "2"), "vic"),
        **dict.fromkeys(("qld", "queensland", "3"), "qld"),
        **dict.fromkeys(("sa", "south australia", "4"), "sa"),
        **dict.fromkeys(("wa", "western australia", "5"), "wa"),
        **dict.fromkeys(("tas", "tasmania", "6"), "tas"),
        **dict.fromkeys(("nt", "northern territory", "7"), "nt"),
        **dict.fromkeys(("act", "australian capital territory", "8"), "act"),
        **dict.fromkeys(("ot", "oth", "other territories", "9"), "ot"),
        **dict.fromkeys(("0", "overseas", "unknown", "not stated", "not known", "no fixed address"), MISSING),
    }
)


@dataclass(frozen=True)
class StandardisationMaps:
    """Spelling → standard value, for sex and for state.

    Spellings are compared by small letters and digits alone. The value '' says: known to mean 'not known', so
    that the field stays empty and is not counted as invalid. A spelling that a map lacks is invalid; an empty map
    takes every value as it is.
    """

    sex: Mapping[str, str] = field(default_factory=lambda: DEFAULT_SEX_MAP)
    state: Mapping[str, str] = field(default_factory=lambda: DEFAULT_STATE_MAP)
