"""Owns the guesses about a source column: the linkage field that its name means, its type, its date formats.

A guess is offered to a person, never taken by itself. Must not read files.

Source: SPEC section 1 (Import Format); docs/decisions/0028.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from types import MappingProxyType

from linkwright.engine.date_formats import ambiguous_formats, date_shape
from linkwright.engine.fields import SOURCE_PERSON_ID, SOURCE_UNIQUE_ID, FieldType, LinkageField
from linkwright.engine.standardisation import DEFAULT_SEX_MAP, DEFAULT_STATE_MAP, map_key

# what providers call the columns, by small letters and digits alone; the first field that is free gets it
_NAMES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        SOURCE_UNIQUE_ID: (
            "sourceuniqueid",
            "uniqueid",
            "recordid",
            "recid",
            "recordnumber",
            "recno",
            "rowid",
            "id",
            "key",
            "visitid",
            "episodeid",
            "eventid",
            "caseid",
            "registrationnumber",
            "regno",
            "number",
            "uid",
            "uuid",
        ),
        SOURCE_PERSON_ID: (
            "sourcepersonid",
            "personid",
            "patientid",
            "clientid",
            "personnumber",
            "urn",
            "ur",
            "urno",
            "umrn",
            "mrn",
            "medicalrecordnumber",
            "linkagekey",
            "jurisdictionallinkagekey",
            "pid",
        ),
        "given_name": (
            "givenname",
            "given",
            "givennames",
            "firstname",
            "first",
            "fname",
            "forename",
            "forenames",
            "forename1",
            "givenname1",
            "christianname",
            "firstgivenname",
            "namefirst",
            "prenom",
            "vorname",
            "nombre",
        ),
        "second_given_name": (
            "secondgivenname",
            "middlename",
            "middle",
            "middlenames",
            "mname",
            "secondname",
            "givenname2",
            "forename2",
            "othernames",
            "othergivennames",
            "secondforename",
            "namemiddle",
        ),
        "surname": (
            "surname",
            "lastname",
            "last",
            "lname",
            "familyname",
            "family",
            "sname",
            "namelast",
            "nachname",
            "nom",
            "apellido",
        ),
        "previous_surname": (
            "previoussurname",
            "maidenname",
            "birthname",
            "formersurname",
            "surnameatbirth",
            "previousname",
            "aliassurname",
            "alias",
        ),
        "date_of_birth": (
            "dateofbirth",
            "dob",
            "birthdate",
            "birthday",
            "born",
            "datebirth",
            "bdate",
            "birthdt",
            "dobdate",
            "patientdob",
            "babydob",
            "geburtsdatum",
        ),
        "date_of_death": ("dateofdeath", "dod", "deathdate", "died", "datedeath", "deathdt"),
        "sex": ("sex", "gender", "sexcode", "sexatbirth", "gendercode"),
        "street_number": ("streetnumber", "streetno", "housenumber", "houseno", "stno"),
        "address_line_1": (
            "addressline1",
            "address1",
            "address",
            "addr1",
            "addr",
            "street",
            "streetname",
            "streetaddress",
            "residentialaddress",
        ),
        "address_line_2": ("addressline2", "address2", "addr2"),
        "suburb": ("suburb", "city", "town", "locality", "suburbtown", "place"),
        "state": ("state", "stateterritory", "stateorterritory", "province", "statecode"),
        "postcode": ("postcode", "postalcode", "zip", "zipcode", "pcode", "pc", "plz"),
        "country_of_birth": ("countryofbirth", "birthcountry", "cob", "countrybirth"),
        "health_identifier": (
            "healthidentifier",
            "ihi",
            "medicare",
            "medicareno",
            "medicarenumber",
            "nhsnumber",
            "nhsno",
            "healthid",
            "healthcarenumber",
        ),
        "national_identifier": ("nationalidentifier", "nationalid", "ssn", "socialsecuritynumber", "nin"),
        "event_date": (
            "eventdate",
            "admissiondate",
            "dateofadmission",
            "admitdate",
            "admdate",
            "servicedate",
            "visitdate",
            "diagnosisdate",
            "encounterdate",
            "dateofevent",
            "dateofservice",
        ),
    }
)
# the best guesses come first: of two formats that read a column equally well, the earlier is offered
DATE_FORMATS = (
    "%Y-%m-%d",
    "%d/%m/%Y",
    "%m/%d/%Y",
    "%Y%m%d",
    "%d-%m-%Y",
    "%d.%m.%Y",
    "%Y/%m/%d",
    "%d%m%Y",
    "%m-%d-%Y",
    "%m%d%Y",
    "%d %b %Y",
    "%d-%b-%Y",
    "%d%b%Y",
    "%d %B %Y",
    "%b %d, %Y",
    "%B %d, %Y",
    "%Y-%m-%dT%H:%M:%S",
    "%Y-%m-%d %H:%M:%S",
    "%d/%m/%Y %H:%M",
    "%d/%m/%Y %H:%M:%S",
    "%m/%d/%Y %H:%M",
    "%Y-%m-%d %H:%M",
    "%Y-%m-%dT%H:%M",
)
# of a column in which some values are spoilt
_READ_SHARE = 0.8
_FIRST_YEAR = 1850
_LAST_YEAR = 2100
_NUMBER = re.compile(r"[+-]?\d+(\.\d+)?")
_TWO_DIGIT_YEAR = re.compile(r"\d{1,2}([/.-])\d{1,2}\1\d{2}")
# 'birth_id', 'Admission No', 'recordKey', but neither 'paid' nor 'GRID'
_ENDS_AS_AN_ID = re.compile(
    r"(?:(?:^|[^A-Za-z0-9])(?i:id|no|nr|num|number|key)|(?<=[a-z])(?:ID|Id|No|Nr|Number|Key))$"
)


@dataclass(frozen=True)
class ColumnGuess:
    """What the values of a column look like.

    Args:
        type: the kind of linkage field that they would fill; None if all are empty.
        date_formats: of dates: those that read the most of them, alternatives last. Empty for other types.
        note: what a person should know, as a full sentence; else ''.
    """

    type: FieldType | None
    date_formats: tuple[str, ...] = ()
    note: str = ""


def column_key(name: str) -> str:
    """Return what column names are compared by: 'Given Name', 'GIVEN_NAME' and 'givenName' are one."""
    return map_key(name)


def is_known_name(name: str, fields: Sequence[LinkageField]) -> bool:
    """Tell whether a column's name means a linkage field."""
    return bool(_meanings(name, {field.name for field in fields}))


def suggest_fields(names: Sequence[str], fields: Sequence[LinkageField]) -> list[str]:
    """Suggest a linkage field for each column by its name; '' where none fits, or the field is taken already.

    A name that is the field's own wins over one that only means it. Where no name means the Source Unique ID, the
    first column is suggested if its name ends as an identifier's does: files begin with theirs.
    """
    known = {SOURCE_UNIQUE_ID, SOURCE_PERSON_ID, *(field.name for field in fields)}
    suggested = [""] * len(names)
    for is_exact in (True, False):
        for place, name in enumerate(names):
            if suggested[place]:
                continue
            meant = [found for found in _meanings(name, known) if found not in suggested]
            if meant and (not is_exact or column_key(meant[0]) == column_key(name)):
                suggested[place] = meant[0]
    if SOURCE_UNIQUE_ID not in suggested and suggested[:1] == [""] and _ENDS_AS_AN_ID.search(names[0].strip()):
        suggested[0] = SOURCE_UNIQUE_ID
    return suggested


def _meanings(name: str, known: set[str]) -> list[str]:
    key = column_key(name)
    exact = [field for field in known if column_key(field) == key]
    return exact or [field for field, names in _NAMES.items() if key in names and field in known]


def guess_column(values: Sequence[str]) -> ColumnGuess:
    """Say what the values of a column look like; blank ones say nothing."""
    present = [value.strip() for value in values if value.strip()]
    if not present:
        return ColumnGuess(None)
    formats = suggest_date_formats(present)
    if formats:
        return ColumnGuess(FieldType.DATE, formats, _ambiguity_note(formats))
    if all(_TWO_DIGIT_YEAR.fullmatch(value) for value in present):
        return ColumnGuess(
            FieldType.TEXT, note="These look like dates with two-digit years, whose century nobody can know."
        )
    return ColumnGuess(_plain_type(present))


def _plain_type(present: Sequence[str]) -> FieldType:
    has_letters = any(not value.isdigit() for value in present)
    for spellings, kind in ((DEFAULT_SEX_MAP, FieldType.SEX), (DEFAULT_STATE_MAP, FieldType.STATE)):
        # codes of digits alone may be anything
        if has_letters and all(map_key(value) in spellings for value in present):
            return kind
    return FieldType.NUMBER if all(_NUMBER.fullmatch(value) for value in present) else FieldType.TEXT


def suggest_date_formats(values: Sequence[str]) -> tuple[str, ...]:
    """Return the date formats that read values: the best one first, then others that read as many another way.

    Returns:
        Empty if no format reads at least four in five of them.
    """
    present = [value.strip() for value in values if value.strip()]
    if not present:
        return ()
    counts = {
        date_format: sum(parse_date(value, date_format) is not None for value in present)
        for date_format in DATE_FORMATS
    }
    most = max(counts.values())
    if most < _READ_SHARE * len(present):
        return ()
    return tuple(date_format for date_format, count in counts.items() if count == most)


def parse_date(text: str, date_format: str) -> date | None:
    """Read a text by one allowed format, as Load does; None if it is none, or a year of no living memory."""
    if not re.fullmatch(date_shape(date_format), text.strip().lower()):
        return None
    try:
        found = datetime.strptime(text.strip(), date_format).date()  # noqa: DTZ007 - a date has no time zone
    except ValueError:
        return None
    return found if _FIRST_YEAR <= found.year <= _LAST_YEAR else None


def joint_date_formats(columns: Sequence[ColumnGuess]) -> tuple[str, ...]:
    """Return date formats that together read the date columns: the best of each, unless two contradict."""
    joint: list[str] = []
    for guess in columns:
        if not guess.date_formats or set(joint) & set(guess.date_formats):
            continue
        best = guess.date_formats[0]
        if not ambiguous_formats([*joint, best]):
            joint.append(best)
    return tuple(joint)


def _ambiguity_note(formats: Sequence[str]) -> str:
    others = [other for first, other in ambiguous_formats(formats) if first == formats[0]]
    if not others:
        return ""
    return f"All values also read by {others[0]}, as other days. Ask the Data Provider which is meant."
