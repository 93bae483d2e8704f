"""Makes records files of generated persons, some with several records and errors between them, for measuring.

    python -m tests.benchmarks.people FOLDER RECORDS [NEW_RECORDS]

writes FOLDER/records.parquet; with NEW_RECORDS, so many random records go to FOLDER/new.parquet and the others to
FOLDER/held.parquet. Seeded: the same numbers give the same files.

About 70 accepted pairs per 100 records: half of the persons have one record, the others two to five. Values repeat
as they do among people: names and places are skewed, one record in ten has an error in a given field, one in
twenty lacks it. A million records take about four seconds.
"""

import sys
from pathlib import Path
from typing import TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from linkwright.engine.fields import STANDARD_FIELDS, record_columns
from linkwright.warehouse.phonetics import name_codes

SEED = 20_110_801
RECORDS_PER_PERSON = (0.5, 0.25, 0.15, 0.07, 0.03)
ERROR_SHARE, MISSING_SHARE = 0.1, 0.05
SPELLINGS_COUNT = 4
ROWS_PER_GROUP = 100_000
SYLLABLES = (
    "an",
    "ber",
    "co",
    "da",
    "el",
    "fra",
    "go",
    "hu",
    "in",
    "jo",
    "ka",
    "li",
    "mo",
    "ne",
    "ol",
    "pe",
    "ro",
)
STATES = ("nsw", "vic", "qld", "sa", "wa", "tas", "nt", "act")
BIRTHDAYS_COUNT = 30_000

Integers: TypeAlias = NDArray[np.int64]


def write_people(folder: Path, records_count: int, new_count: int = 0) -> tuple[Path, ...]:
    """Write the files that the module describes; returns their paths: all records, or held and new ones."""
    folder.mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(SEED)
    records = make_people(records_count, random)
    if not new_count:
        return (_write(records, folder / "records.parquet"),)
    is_new = np.zeros(records_count, dtype=bool)
    is_new[random.choice(records_count, new_count, replace=False)] = True
    held = _write(_numbered(records.filter(pa.array(~is_new)), 1), folder / "held.parquet")
    first = records_count - new_count + 1
    return held, _write(_numbered(records.filter(pa.array(is_new)), first), folder / "new.parquet")


def make_people(records_count: int, random: np.random.Generator) -> pa.Table:
    """Return records with all columns of a records file, in random order, with ids from 1."""
    persons_count = records_count
    sizes = random.choice(np.arange(1, 6), persons_count, p=RECORDS_PER_PERSON)
    persons = random.permutation(np.repeat(np.arange(persons_count), sizes)[:records_count])
    columns: dict[str, pa.Array] = {
        "record_id": pa.array(np.arange(1, records_count + 1)),
        "event_type": _repeated("PEOPLE", records_count),
        "source_unique_id": pa.array(np.char.add("r", np.arange(1, records_count + 1).astype(str))),
    }
    for name, words_count, skew in (("given_name", 3_000, 1.0), ("surname", 50_000, 0.8)):
        columns |= _names(name, _skewed(random, persons_count, words_count, skew)[persons], words_count, random)
    columns["sex"] = _chosen(("f", "m"), random.integers(0, 2, persons_count)[persons], random)
    columns["date_of_birth"] = _birth_dates(random.integers(0, BIRTHDAYS_COUNT, persons_count)[persons], random)
    places = _skewed(random, persons_count, 3_000, 0.6)
    columns["postcode"] = _words(places[persons], [str(2_000 + number) for number in range(3_000)], random)
    columns["suburb"] = _words(places[persons], _made_words(3_000), random)
    columns["state"] = _chosen(STATES, (places % len(STATES))[persons], random)
    streets = [f"{word} street" for word in _made_words(20_000)]
    columns["address_line_1"] = _words(random.integers(0, 20_000, persons_count)[persons], streets, random)
    numbers = [str(number) for number in range(1, 400)]
    columns["street_number"] = _words(random.integers(0, 399, persons_count)[persons], numbers, random)
    schema = pa.schema([(column.name, _arrow_type(column.sql_type)) for column in record_columns(STANDARD_FIELDS)])
    return pa.table({field.name: columns.get(field.name, pa.nulls(records_count, field.type)) for field in schema})


def _skewed(random: np.random.Generator, count: int, words_count: int, skew: float) -> Integers:
    weights = 1 / np.arange(1, words_count + 1) ** skew
    return random.choice(words_count, count, p=weights / weights.sum())


def _made_words(count: int) -> list[str]:
    base = len(SYLLABLES)
    words = []
    for number in range(count):
        parts, rest = [], number + base
        while rest:
            parts.append(SYLLABLES[rest % base])
            rest //= base
        words.append("".join(parts))
    return words


def _spellings(words: list[str]) -> list[str]:
    """Return each word, then its misspellings, word by word."""
    letters = "abcdefghijklmnopqrstuvwxyz" if not words[0].isdigit() else "0123456789"
    spelt = []
    for number, word in enumerate(words):
        middle, letter = len(word) // 2, letters[number % len(letters)]
        spelt += [word, word[:middle] + letter + word[middle + 1 :], word[1:] + letter, word + letter]
    return spelt


def _places(codes: Integers, random: np.random.Generator) -> pa.Array:
    """Return places in a list of spellings: most right, some wrong, some missing."""
    has_error = random.random(codes.size) < ERROR_SHARE
    wrong = random.integers(1, SPELLINGS_COUNT, codes.size)
    places = codes * SPELLINGS_COUNT + np.where(has_error, wrong, 0)
    return pa.array(places.astype(np.int32), mask=random.random(codes.size) < MISSING_SHARE)


def _words(codes: Integers, words: list[str], random: np.random.Generator) -> pa.Array:
    return _from_dictionary(_places(codes, random), pa.array(_spellings(words)))


def _names(
    field: str, codes: Integers, words_count: int, random: np.random.Generator
) -> dict[str, pa.DictionaryArray]:
    places, spelt = _places(codes, random), pa.array(_spellings(_made_words(words_count)))
    made = {field: _from_dictionary(places, spelt)}
    for suffix, values in name_codes(spelt)._asdict().items():
        made[f"{field}_{suffix}"] = _from_dictionary(places, values)
    return made


def _from_dictionary(places: pa.Array, values: pa.Array) -> pa.DictionaryArray:
    """Return values at places, as a dictionary of distinct values."""
    distinct = values.dictionary_encode()
    return pa.DictionaryArray.from_arrays(distinct.indices.take(places), distinct.dictionary)


def _chosen(values: tuple[str, ...], codes: Integers, random: np.random.Generator) -> pa.DictionaryArray:
    places = pa.array(codes.astype(np.int32), mask=random.random(codes.size) < MISSING_SHARE)
    return pa.DictionaryArray.from_arrays(places, pa.array(values))


def _birth_dates(days: Integers, random: np.random.Generator) -> pa.Array:
    wrong = random.integers(-400, 400, days.size)
    shifted = np.where(random.random(days.size) < ERROR_SHARE, days + wrong, days) - BIRTHDAYS_COUNT // 2
    return pa.array(shifted.astype(np.int32), pa.int32(), mask=random.random(days.size) < MISSING_SHARE).cast(
        pa.date32()
    )


def _repeated(value: str, count: int) -> pa.DictionaryArray:
    return pa.DictionaryArray.from_arrays(pa.array(np.zeros(count, dtype=np.int32)), pa.array([value]))


def _arrow_type(sql_type: str) -> pa.DataType:
    texts = pa.dictionary(pa.int32(), pa.string())
    return {"BIGINT": pa.int64(), "DATE": pa.date32(), "DOUBLE": pa.float64(), "VARCHAR": texts}[sql_type]


def _numbered(records: pa.Table, first: int) -> pa.Table:
    return records.set_column(0, "record_id", pa.array(np.arange(first, first + records.num_rows)))


def _write(records: pa.Table, path: Path) -> Path:
    pq.write_table(
        records,
        path,
        compression="zstd",
        compression_level=1,
        row_group_size=ROWS_PER_GROUP,
        write_statistics=["record_id"],
        store_schema=False,
    )
    return path


if __name__ == "__main__":
    for written in write_people(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]) if len(sys.argv) > 3 else 0):
        print(written)  # noqa: T201
