"""Two files of one provider about persons who are known: what is in them, and what linking them must give.

Births and admissions, of persons who share neither names nor dates of birth, so that the truth is what any careful
configuration finds; a third of the admitted come twice, the second time with a typing error or another postcode.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

GIVEN_NAMES = (
    *("Amelia", "Benedict", "Charlotte", "Dominic", "Eleanor", "Frederick", "Georgina", "Harrison", "Isabella"),
    *("Jonathan", "Katherine", "Leonardo", "Matilda", "Nathaniel", "Ophelia", "Patrick", "Rosalind", "Sebastian"),
    *("Theodora", "Vincent", "Wilhelmina"),
)
SURNAMES = (
    *("Abernathy", "Blackwood", "Castellano", "Donnelly", "Eriksson", "Fitzgerald", "Gallagher", "Hawthorne"),
    *("Ivanovic", "Jankowski", "Kowalczyk", "Lombardi", "McAllister", "Nakamura", "O'Sullivan", "Papadopoulos"),
    *("Quartermaine", "Rasmussen", "Svensson"),
)
BORN_COUNT = 120
FIRST_ADMITTED = 70
PERSONS_COUNT = 160
FIRST_BIRTHDAY = date(1961, 3, 2)
Row = tuple[str, ...]


@dataclass(frozen=True)
class KnownPersons:
    """The files, and the Source Unique IDs of each person's records, by Event Type code."""

    births: Path
    admissions: Path
    records: tuple[dict[str, tuple[str, ...]], ...]

    @property
    def sizes(self) -> list[int]:
        """The number of records of each person."""
        return [sum(map(len, person.values())) for person in self.records]

    @property
    def pairs_count(self) -> int:
        """The pairs of records that belong to one person."""
        return sum(size * (size - 1) // 2 for size in self.sizes)

    def count(self, event_type: str, *, with_other: bool = False) -> int:
        """Return the records of an Event Type: all, or those of persons who also have one of the other type."""
        return sum(
            len(person[event_type]) for person in self.records if not with_other or all(map(len, person.values()))
        )


def write_known_persons(folder: Path) -> KnownPersons:
    """Write births.csv (semicolons, 1961-03-02) and admissions.csv (commas, 02/03/1961) into a folder."""
    births: list[Row] = [("birth_id", "given_names", "surname", "dob", "sex", "postcode")]
    admissions: list[Row] = [
        ("admission_no", "first_name", "family_name", "date_of_birth", "gender", "postcode", "admission_date")
    ]
    records = []
    for number in range(PERSONS_COUNT):
        given, surname = GIVEN_NAMES[number % len(GIVEN_NAMES)], SURNAMES[number % len(SURNAMES)]
        born = FIRST_BIRTHDAY + timedelta(days=83 * number)
        sex, postcode = "FM"[number % 2], str(2000 + 7 * number)
        own: dict[str, tuple[str, ...]] = {"BIRTHS": (), "ADMISSIONS": ()}
        if number < BORN_COUNT:
            own["BIRTHS"] = (f"B{number:04}",)
            births.append((*own["BIRTHS"], given, surname, f"{born:%Y-%m-%d}", sex, postcode))
        if number >= FIRST_ADMITTED:
            for name, code in _admitted(number, given, postcode):
                own["ADMISSIONS"] += (f"A{len(admissions):05}",)
                at = f"{1 + number % 28:02}/05/2026"
                admissions.append((own["ADMISSIONS"][-1], name, surname, f"{born:%d/%m/%Y}", sex, code, at))
        records.append(own)
    return KnownPersons(
        _write(folder / "births.csv", births, ";"),
        _write(folder / "admissions.csv", admissions, ","),
        tuple(records),
    )


def _admitted(number: int, given: str, postcode: str) -> list[tuple[str, str]]:
    """Return the given name and postcode of each admission of a person."""
    once = (given, postcode)
    if number % 3:
        return [once]
    return [once, (given[:3] + given[4:], postcode) if number % 2 else (given, str(int(postcode) + 1))]


def _write(path: Path, rows: list[Row], separator: str) -> Path:
    path.write_text("".join(f"{separator.join(row)}\n" for row in rows))
    return path
