"""Owns how source values are standardised: SQL expressions, one per type of linkage field.

A text passes three steps, each an expression over the step before it: `present_sql` (what is there, or NULL),
`cleaned_sql` (the standard form, or NULL), `invalid_sql` (something is there, but nothing could be read). Every
expression tests the common case first, by one pattern, because the general case costs several times as much. Must
not read files; what SQL cannot do (NFKC, phonetic codes) is done in `warehouse`.

Source: SPEC section 5 (Load). The text is DuckDB 2's dialect alone: loading reads files on one machine.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from linkwright.engine.date_formats import date_shape
from linkwright.engine.fields import FieldType, LinkageField
from linkwright.engine.sql import identifier, literal
from linkwright.engine.standardisation import MISSING, StandardisationMaps, map_key

_BLANKS = r"[\s\p{Z}\p{Cc}]+"
_OUTER_BLANKS = r"^[\s\p{Z}\p{Cc}]+|[\s\p{Z}\p{Cc}]+$"
# NFKC turns the acute accent that stands for an apostrophe into a blank with a combining mark
_APOSTROPHES = r"['`‘’ʹʻʼ′]| \p{M}+"
_NEITHER_LETTER_NOR_DIGIT = r"[^\p{L}\p{M}\p{N}]+"
_NUMBER = r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?"
_BITS = r"([01]{8})+"
_BASE64 = r"([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?"


@dataclass(frozen=True)
class CleaningRules:
    """What the cleaning of one source file goes by.

    Args:
        date_formats: for each date field, its formats in the order in which they are tried.
        null_values: texts that stand for a missing value, compared after blanks around a value are dropped.
        maps: for sex and state.
    """

    date_formats: Mapping[str, Sequence[str]] = field(default_factory=dict)
    null_values: Sequence[str] = ()
    maps: StandardisationMaps = field(default_factory=StandardisationMaps)


def _matches(text: str, pattern: str) -> str:
    return f"regexp_matches({text}, {literal(pattern)})"


def _matches_whole(text: str, pattern: str) -> str:
    return f"regexp_full_match({text}, {literal(pattern)})"


def _replaced(text: str, pattern: str, replacement: str) -> str:
    return f"regexp_replace({text}, {literal(pattern)}, {literal(replacement)}, 'g')"


def _without_nulls(value: str, null_values: Sequence[str]) -> str:
    nulls = ", ".join(literal(text) for text in sorted({"", *null_values}))
    return f"CASE WHEN {value} IN ({nulls}) THEN NULL ELSE {value} END"


def identifiers_sql(table: str, rules: CleaningRules) -> str:
    """Trim Source Unique IDs or Source Person IDs.

    Reads:   `table` (place BIGINT, text VARCHAR).
    Returns: value (VARCHAR, never ''), in the order of place: the text without blanks around it, or NULL. Nothing
             else is changed, because the provider gets it back.
    """
    trimmed = f"CASE WHEN {_matches('text', '^[^!-~]|[^!-~]$')} THEN {_replaced('text', _OUTER_BLANKS, '')}"
    value = _without_nulls(f"({trimmed} ELSE text END)", rules.null_values)
    return f"SELECT {value} AS value FROM {identifier(table)} ORDER BY place"


def standardise_sql(table: str, field: LinkageField, rules: CleaningRules) -> str:
    """Standardise texts of one linkage field.

    Reads:   `table` (place BIGINT, text VARCHAR in Unicode's form NFKC).
    Returns: value (the field's type; NULL if nothing is there or nothing can be read) and is_invalid (BOOLEAN,
             never NULL), in the order of place.
    """
    return (
        f"SELECT value, {invalid_sql(field, 'present', 'value', rules)} AS is_invalid\n"
        f"FROM (SELECT place, present, {cleaned_sql(field, 'present', rules)} AS value\n"
        f"FROM (SELECT place, {present_sql('text', rules.null_values)} AS present\n"
        f"FROM {identifier(table)}))\n"
        "ORDER BY place"
    )


def present_sql(column: str, null_values: Sequence[str]) -> str:
    """Return the text that is there: blanks around it dropped, blanks in it made one, invisible signs dropped.

    Args:
        column: an SQL expression of text in Unicode's form NFKC.
        null_values: texts that stand for a missing value, compared after the blanks are dropped.

    Returns:
        An expression of text, never '' but NULL.
    """
    plain = _replaced(_replaced(column, r"\p{Cf}+", ""), _BLANKS, " ")
    general = f"CASE WHEN {_matches(column, '^ | $|  |[^ -~]')} THEN trim({plain}) ELSE {column} END"
    return _without_nulls(f"({general})", null_values)


def cleaned_sql(field: LinkageField, present: str, rules: CleaningRules) -> str:
    """Return the standard form of a field's value.

    Args:
        field: the linkage field; its type decides.
        present: the name of a column that holds what `present_sql` gives.
        rules: the formats of dates, to be tried in turn, and the maps of sex and state.

    Returns:
        An expression of the field's SQL type; NULL where nothing is there or nothing can be read. By type: name:
        small letters, digits and single blanks; apostrophes dropped, other signs made blanks. text: small
        letters. date: a day from the year 1 on. sex, state: the map's value. postcode, identifier: small letters
        and digits. number: a finite number. bloom: a bit filter in base64 (written so, or as 0 and 1 in eights).
    """
    match field.type:
        case FieldType.NAME:
            cleaned = _name_sql(present)
        case FieldType.TEXT:
            cleaned = f"lower({present})"
        case FieldType.DATE:
            cleaned = _date_sql(present, rules.date_formats[field.name])
        case FieldType.SEX:
            cleaned = _mapped_sql(present, rules.maps.sex)
        case FieldType.STATE:
            cleaned = _mapped_sql(present, rules.maps.state)
        case FieldType.POSTCODE | FieldType.IDENTIFIER:
            cleaned = _letters_and_digits_sql(present)
        case FieldType.NUMBER:
            cleaned = _number_sql(present)
        case FieldType.BLOOM:
            cleaned = _bloom_sql(present)
    return cleaned


def invalid_sql(field: LinkageField, present: str, cleaned: str, rules: CleaningRules) -> str:
    """Return whether a text is there of which nothing could be read.

    Args:
        field: the linkage field.
        present: the name of a column that holds what `present_sql` gives.
        cleaned: the name of a column that holds what `cleaned_sql` gives.
        rules: spellings that stand for 'not known' in the maps are not invalid.

    Returns:
        An expression, TRUE or FALSE, never NULL.
    """
    unread = f"{present} IS NOT NULL AND {cleaned} IS NULL"
    spellings = {FieldType.SEX: rules.maps.sex, FieldType.STATE: rules.maps.state}.get(field.type, {})
    unknown = sorted({map_key(spelling) for spelling, value in spellings.items() if value == MISSING})
    if not unknown:
        return unread
    return f"{unread} AND {_map_key_sql(present)} NOT IN ({', '.join(literal(key) for key in unknown)})"


def _name_sql(present: str) -> str:
    bare = _replaced(f"lower({present})", _APOSTROPHES, "")
    general = f"nullif(trim({_replaced(bare, _NEITHER_LETTER_NOR_DIGIT, ' ')}), '')"
    return f"CASE WHEN {_matches(present, '[^A-Za-z ]')} THEN {general} ELSE lower({present}) END"


def _date_sql(present: str, date_formats: Sequence[str]) -> str:
    branches = "".join(
        f" WHEN {_matches_whole(f'lower({present})', date_shape(date_format))}"
        f" THEN try_strptime({present}, {literal(date_format)})"
        for date_format in date_formats
    )
    return f"CAST(CASE{branches} END AS DATE)"


def _map_key_sql(present: str) -> str:
    stripped = _replaced(f"lower({present})", r"[^\p{L}\p{N}]+", "")
    return f"CASE WHEN {_matches(present, '[^A-Za-z0-9]')} THEN {stripped} ELSE lower({present}) END"


def _mapped_sql(present: str, spellings: Mapping[str, str]) -> str:
    if not spellings:
        return f"lower({present})"
    standard = {map_key(spelling): value for spelling, value in spellings.items() if value != MISSING}
    branches = "".join(f" WHEN {literal(key)} THEN {literal(value)}" for key, value in standard.items())
    if not branches:
        return "CAST(NULL AS VARCHAR)"
    return f"CASE {_map_key_sql(present)}{branches} END"


def _letters_and_digits_sql(present: str) -> str:
    stripped = _replaced(f"lower({present})", r"[^\p{L}\p{N}]+", "")
    return f"CASE WHEN {_matches(present, '[^A-Za-z0-9]')} THEN nullif({stripped}, '') ELSE lower({present}) END"


def _number_sql(present: str) -> str:
    number = f"TRY_CAST({present} AS DOUBLE)"
    return f"CASE WHEN {_matches_whole(present, _NUMBER)} AND isfinite({number}) THEN {number} END"


def _bloom_sql(present: str) -> str:
    return (
        f"CASE WHEN {_matches_whole(present, '[01]+')} THEN"
        f" CASE WHEN {_matches_whole(present, _BITS)}"
        f" THEN to_base64(CAST(CAST({present} AS BIT) AS BLOB)) END"
        f" WHEN {_matches_whole(present, _BASE64)} THEN to_base64(TRY(from_base64({present}))) END"
    )
