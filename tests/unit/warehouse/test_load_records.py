"""What a loaded record looks like: columns, order, ids, codes, unused columns, statistics."""

from datetime import date
from pathlib import Path

import pyarrow.parquet as pq

from linkwright.engine.fields import FieldType, LinkageField, record_columns
from linkwright.engine.identifying import revealed
from linkwright.engine.progress import Progress
from tests.unit.warehouse.loading import COLUMNS, FIELDS, HEADER, Loading, column_of, rows_of

TWO_BIRTHS = f"""{HEADER}
b-1,Mary-Ann,O'Brien,1999-02-28,F,3
b-2, John ,SMITH,28/02/1999,Male,
"""


def test_a_record_holds_standardised_values_and_the_codes_of_names(loading: Loading) -> None:
    first, second = loading.rows(TWO_BIRTHS, first_record_id=41)
    assert first == {
        "record_id": 41,
        "event_type": "births",
        "source_unique_id": "b-1",
        "source_person_id": None,
        "given_name": "mary ann",
        "surname": "obrien",
        "date_of_birth": date(1999, 2, 28),
        "sex": "f",
        "suburb": None,
        "weight": None,
        "given_name_soundex": "M650",
        "given_name_nysiis": "MARYAN",
        "given_name_initial": "m",
        "surname_soundex": "O165",
        "surname_nysiis": "OBRAN",
        "surname_initial": "o",
    }
    assert (second["record_id"], second["given_name"], second["sex"]) == (42, "john", "m")


def test_every_records_file_of_a_project_has_the_same_columns_and_types(loading: Loading) -> None:
    wide = loading.load(TWO_BIRTHS, stem="wide").records.path
    narrow = loading.load(
        "id,name\n1,x\n", stem="n", columns={"source_unique_id": "id", "surname": "name"}
    ).records.path
    empty = loading.load(HEADER + "\n", stem="empty").records.path
    assert pq.read_schema(wide) == pq.read_schema(narrow) == pq.read_schema(empty)
    assert pq.read_schema(wide).names == [column.name for column in record_columns(FIELDS)]
    types = {column.name: str(column.type) for column in pq.read_schema(wide)}
    assert (types["record_id"], types["date_of_birth"], types["weight"]) == ("int64", "date32[day]", "double")
    assert {types[name] for name in ("source_unique_id", "surname", "surname_nysiis", "sex")} == {"string"}


def test_records_stand_in_the_order_of_the_file_with_consecutive_ids_over_many_chunks(loading: Loading) -> None:
    count = 300_000
    source = "id,name,unused\n" + "".join(f"{n},name{n % 977},{n}\n" for n in range(count))
    result = loading.load(source, columns={"source_unique_id": "id", "surname": "name"}, first_record_id=7)
    records, aux = pq.read_table(result.records.path), pq.read_table(result.aux.path if result.aux else "")
    assert records.column("record_id").to_pylist() == list(range(7, 7 + count))
    assert records.column("source_unique_id").to_pylist() == [str(n) for n in range(count)]
    assert records.column("surname").to_pylist() == [f"name{n % 977}" for n in range(count)]
    assert aux.column("record_id").to_pylist() == list(range(7, 7 + count))
    assert aux.column("unused").to_pylist() == [str(n) for n in range(count)]
    assert (result.first_record_id, result.last_record_id) == (7, 6 + count)


def test_the_same_input_gives_the_same_bytes(loading: Loading) -> None:
    source = "id,name\n" + "".join(f"{n},name {n * 7 % 1000}\n" for n in range(20_000))
    columns = {"source_unique_id": "id", "surname": "name"}
    first = loading.load(source, stem="one", columns=columns).records.path
    second = loading.load(source, stem="two", columns=columns).records.path
    assert first.read_bytes() == second.read_bytes()


def test_unused_columns_are_kept_apart_as_they_are(loading: Loading) -> None:
    result = loading.load("id,family,Ward No, note \n1,x,07, a  B \n2,y,,\n", columns=mapped())
    assert result.aux is not None
    assert result.aux.rows_count == 2
    assert rows_of(result.aux.path) == [
        {"record_id": 1, "Ward No": "07", "note": " a  B "},
        {"record_id": 2, "Ward No": None, "note": None},
    ]
    assert "Ward No" not in pq.read_schema(result.records.path).names


def test_unused_columns_are_dropped_if_the_project_says_so(loading: Loading) -> None:
    result = loading.load(TWO_BIRTHS, keep_aux=False)
    assert result.aux is None
    assert loading.left_files() == ["b1-records.parquet"]


def test_there_is_no_file_of_unused_columns_when_all_are_used(loading: Loading) -> None:
    assert loading.load("id,family\n1,x\n", columns=mapped()).aux is None


def test_unused_columns_that_share_a_name_or_take_ours_are_renamed_and_told(loading: Loading) -> None:
    result = loading.load("id,family,note,Note,record_id,\n1,x,a,b,c,d\n", columns=mapped())
    assert rows_of(result.aux.path if result.aux else None) == [
        {"record_id": 1, "note": "a", "Note_2": "b", "record_id_2": "c", "column_6": "d"}
    ]
    assert list(result.warnings) == [
        "births.csv: the unused column 'Note' is kept as 'Note_2', because another column has its name.",
        "births.csv: the unused column 'record_id' is kept as 'record_id_2', because another column has its name.",
    ]


def test_a_source_person_id_is_kept_as_the_provider_writes_it(loading: Loading) -> None:
    rows = loading.rows("id,family,person\n 1 ,x, P-7\n2,y,\n", columns=mapped(source_person_id="person"))
    assert column_of(rows, "source_unique_id") == ["1", "2"]
    assert column_of(rows, "source_person_id") == ["P-7", None]


def test_columns_are_found_by_position_with_and_without_a_header(loading: Loading) -> None:
    columns = {"source_unique_id": 2, "surname": 1}
    assert column_of(loading.rows("family,id\nSmith,1\n", columns=columns), "surname") == ["smith"]
    headless = loading.load("Smith,1,x\nJones,2,\n", stem="b2", columns=columns, header=False)
    assert column_of(rows_of(headless.records.path), "source_unique_id") == ["1", "2"]
    assert rows_of(headless.aux.path if headless.aux else None)[0] == {"record_id": 1, "column_3": "x"}


def test_one_source_column_may_fill_an_identifier_and_two_fields(loading: Loading) -> None:
    (row,) = loading.rows("id\nSmith\n", columns={"source_unique_id": "id", "surname": "id", "suburb": "id"})
    assert (row["source_unique_id"], row["surname"], row["suburb"]) == ("Smith", "smith", "smith")


def test_other_forms_of_the_same_letters_become_one(loading: Loading) -> None:
    composed, decomposed, wide, ligature = loading.rows(
        "id,family\n1,Zoë\n2,Zoe\u0308\n3,ＡＢＣ\n4,ﬁsher\n", columns=mapped()
    )
    assert composed["surname"] == decomposed["surname"] == "zoë"
    assert wide["surname"] == "abc"
    assert ligature["surname"] == "fisher"


def test_codes_of_names_with_marks_are_those_of_the_letters_and_other_scripts_have_none(loading: Loading) -> None:
    rows = loading.rows(
        "id,family\n1,Ångström\n2,Angstrom\n3,Weiß\n4,Weiss\n5,李\n6,42\n7,Mc Donald\n8,McDonald\n",
        columns=mapped(),
    )
    codes = [(row["surname_soundex"], row["surname_nysiis"]) for row in rows]
    assert codes[0] == codes[1] == ("A523", "ANGSTRAN")
    assert codes[2] == codes[3]
    assert codes[4] == codes[5] == (None, None)
    assert codes[6] == codes[7]
    assert column_of(rows, "surname_initial") == ["å", "a", "w", "w", "李", "4", "m", "m"]


def test_statistics_count_filled_invalid_and_distinct_values_of_every_field(loading: Loading) -> None:
    result = loading.load(
        f"{HEADER}\n1,Ann,X,1999-01-01,F,\n2,ANN,X,31/02/1999,zz,\n3,,Y,,9,\n4,Bo,Y,1999-01-01,M,\n",
    )
    assert (result.rows_read_count, result.rows_loaded_count, result.rows_rejected_count) == (4, 4, 0)
    found = {name: (f.filled_count, f.invalid_count, f.distinct_count) for name, f in result.fields.items()}
    assert found == {
        "given_name": (3, 0, 2),
        "surname": (4, 0, 2),
        "date_of_birth": (2, 1, 1),
        "sex": (2, 1, 2),
        "suburb": (0, 0, 0),
        "weight": (0, 0, 0),
    }


def test_values_that_could_not_be_read_are_told_with_count_line_and_text(loading: Loading) -> None:
    result = loading.load(
        f"{HEADER}\n1,A,X,1999-01-01,F,\n2,B,X,31/02/1999,zz,\n3,C,X,n/a,F,\n4,---,X,,M,\n",
        date_formats=["%Y-%m-%d", "%d/%m/%Y"],
    )
    given_name, date_of_birth, sex = map(revealed, result.warnings)
    assert given_name == (
        "births.csv: 1 value of given_name could not be read as name (no letter or digit is in it) and is left "
        'empty; first at line 5: "---".'
    )
    assert date_of_birth == (
        "births.csv: 2 values of date_of_birth could not be read as %Y-%m-%d or %d/%m/%Y and are left empty; "
        'first at line 3: "31/02/1999".'
    )
    assert sex == (
        "births.csv: 1 value of sex could not be read as a sex by the setting Standardise.Sex.Map and is left "
        'empty; first at line 3: "zz".'
    )


def test_a_long_unreadable_value_is_shown_shortened(loading: Loading) -> None:
    (warning,) = loading.load(f"{HEADER}\n1,A,X,{'9' * 500},F,\n").warnings
    assert f'"{"9" * 39}…"' in revealed(warning)


def test_a_field_that_is_empty_in_every_row_is_told(loading: Loading) -> None:
    (warning,) = loading.load(f"{HEADER}\n1,,X,1999-01-01,F,\n2,,Y,1999-01-01,F,\n").warnings
    assert warning == (
        "births.csv: given_name is empty in every row. Check the column that the Import Format maps to it."
    )


def test_null_values_are_empty_and_not_invalid(loading: Loading) -> None:
    result = loading.load(f"{HEADER}\n1,NULL,X,01/01/1900,?,\n", null_values=["NULL", "01/01/1900", "?"])
    assert [result.fields[name].invalid_count for name in ("given_name", "date_of_birth", "sex")] == [0, 0, 0]


def test_the_bytes_read_are_those_of_the_unpacked_file(loading: Loading) -> None:
    assert loading.load(TWO_BIRTHS).bytes_read_count == len(TWO_BIRTHS.encode())


def test_progress_tells_how_much_of_the_file_is_read(loading: Loading) -> None:
    seen: list[Progress] = []
    loading.load(TWO_BIRTHS, report=seen.append)
    size = len(TWO_BIRTHS.encode())
    assert seen[0] == Progress("Reading births.csv", size, size, "bytes")
    assert [progress.stage for progress in seen[1:3]] == ["Checking Source Unique IDs", "Writing records"]


def test_bit_filters_and_numbers_are_loaded(loading: Loading, tmp_path: Path) -> None:
    fields = (LinkageField("encoded", FieldType.BLOOM), LinkageField("weight", FieldType.NUMBER))
    rows = loading.rows(
        "id,bits,grams\n1,0100000111111111,3500\n2,Qf8=,3.5e3\n3,010,heavy\n",
        fields=fields,
        columns={"source_unique_id": "id", "encoded": "bits", "weight": "grams"},
    )
    assert column_of(rows, "encoded") == ["Qf8=", "Qf8=", None]
    assert column_of(rows, "weight") == [3500.0, 3500.0, None]


def mapped(**more: str) -> dict[str, str | int]:
    return {"source_unique_id": COLUMNS["source_unique_id"], "surname": COLUMNS["surname"], **more}
