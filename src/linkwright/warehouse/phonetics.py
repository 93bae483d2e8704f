"""Owns the phonetic codes of names: Soundex and NYSIIS, worked out name by name.

Source: SPEC section 5 (Load); jellyfish's Soundex and NYSIIS, which know the letters a to z only.
"""

import unicodedata
from typing import NamedTuple

import jellyfish
import pyarrow as pa

# Letters that have no decomposition into a Latin letter and a mark
_LATIN = str.maketrans(
    {
        "ß": "ss",
        "æ": "ae",
        "œ": "oe",
        "ø": "o",
        "đ": "d",
        "ð": "d",
        "þ": "th",
        "ł": "l",
        "ı": "i",
        "ŋ": "ng",
        "ħ": "h",
    }
)


class NameCodes(NamedTuple):
    """The codes of some names, each a string array as long as the names; in the order of the derived columns."""

    soundex: pa.Array
    nysiis: pa.Array
    initial: pa.Array


def name_codes(names: pa.Array) -> NameCodes:
    """Work out the codes of names.

    Args:
        names: strings in small letters, or null; best distinct ones, since each is worked on.

    Returns:
        Soundex and NYSIIS of the name's letters, written without their marks in a to z; null if none is left (a
        name in another script). The initial is the name's first character as it is.
    """
    texts = names.to_pylist()
    spelt = [latin_letters(text or "") for text in texts]
    return NameCodes(
        soundex=pa.array([jellyfish.soundex(letters) if letters else None for letters in spelt], pa.string()),
        nysiis=pa.array([jellyfish.nysiis(letters) if letters else None for letters in spelt], pa.string()),
        initial=pa.array([text[:1] if text else None for text in texts], pa.string()),
    )


def latin_letters(name: str) -> str:
    """Return the letters a to z of a name in small letters; marks, signs, blanks and other scripts are dropped."""
    plain = name if name.isascii() else unicodedata.normalize("NFKD", name.translate(_LATIN))
    return "".join(letter for letter in plain if "a" <= letter <= "z")
