"""Files that are not what their Import Format says: each ends in an error that names file, line and remedy."""

import codecs
import gzip
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from linkwright.engine.identifying import revealed
from linkwright.errors import LinkwrightError
from linkwright.warehouse.limits import StorageError
from linkwright.warehouse.source import MissingColumnsError, UnreadableSourceError
from linkwright.warehouse.source_text import MOST_CHARACTERS_PER_LINE
from tests.unit.warehouse.loading import HEADER, Loading, column_of, rows_of

MAPPED = {"source_unique_id": "id", "surname": "family"}
MANY = "".join(f"{n},name{n}\n" for n in range(1, 200_001))


def refused(loading: Loading, source: str | bytes, **options: object) -> str:
    options.setdefault("columns", MAPPED)
    with pytest.raises(UnreadableSourceError) as caught:
        loading.load(source, **options)  # type: ignore[arg-type]
    assert loading.left_files() == []
    assert str(caught.value).startswith("births.csv: ")
    return str(caught.value).removeprefix("births.csv: ")


def test_an_empty_file_is_refused(loading: Loading) -> None:
    assert refused(loading, "") == "the file is empty; not even the column names are there. Deliver it again."
    assert refused(loading, "\n\r\n\n").startswith("the file is empty")
    assert refused(loading, codecs.BOM_UTF8).startswith("the file is empty")
    assert refused(loading, gzip.compress(b"")).startswith("the file is empty")


@pytest.mark.parametrize("source", ["id,family", "id,family\n", "\nid,family\r\n\r\n"])
def test_a_header_alone_loads_nothing_and_warns(loading: Loading, source: str) -> None:
    result = loading.load(source, columns=MAPPED)
    assert (result.rows_read_count, result.records.rows_count, result.rejects) == (0, 0, None)
    assert list(result.warnings) == ["births.csv: the file holds no rows; nothing is loaded."]


def test_an_empty_file_that_needs_no_header_loads_nothing_and_warns(loading: Loading) -> None:
    result = loading.load("", header=False, columns={"source_unique_id": 1, "surname": 2})
    assert list(result.warnings) == ["births.csv: the file holds no rows; nothing is loaded."]


def test_all_missing_columns_are_named_at_once_with_those_that_are_there(loading: Loading) -> None:
    with pytest.raises(MissingColumnsError) as caught:
        loading.load("ID,name,,\n1,x,,\n", columns=MAPPED | {"suburb": 9})
    assert caught.value.summary == "births.csv does not have the columns that its Import Format maps."
    identifier, surname, suburb = caught.value.faults
    assert revealed(identifier) == (
        "source_unique_id is mapped to the column 'id', which the file lacks. It has 'ID', 'name', '', ''. "
        "Did you mean 'ID'?"
    )
    assert surname.endswith("Correct the Import Format (its separator, too), or the file.")
    assert suburb == (
        "suburb is mapped to column 9, but the file has 4 columns. Correct the position, or the separator."
    )
    assert loading.left_files() == []


def test_a_mapped_name_that_two_columns_have_is_refused(loading: Loading) -> None:
    with pytest.raises(
        MissingColumnsError, match=r"which the file has at the positions 2 and 3\. Map it by position"
    ):
        loading.load("id,family,family\n1,a,b\n", columns=MAPPED)


def test_a_header_without_quotes_around_blanks_is_trimmed(loading: Loading) -> None:
    assert column_of(loading.rows(" id , family \n1,x\n", columns=MAPPED), "surname") == ["x"]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("last", [True, False])
def test_every_kind_of_line_end_is_read_with_and_without_the_last_one(
    loading: Loading, end: str, last: bool
) -> None:
    text = end.join(["id,family", "1,A", "2,B"]) + (end if last else "")
    assert column_of(loading.rows(text, columns=MAPPED), "surname") == ["a", "b"]


def test_a_byte_order_mark_is_no_part_of_the_first_name(loading: Loading) -> None:
    assert len(loading.rows(codecs.BOM_UTF8 + b"id,family\n1,A\n", columns=MAPPED)) == 1


@pytest.mark.parametrize("marked", [True, False])
@pytest.mark.parametrize("order", ["utf-16-le", "utf-16-be"])
def test_utf_16_is_read_in_both_orders_with_and_without_its_mark(
    loading: Loading, order: str, marked: bool
) -> None:
    text = ("\ufeff" if marked else "") + "id,family\n1,Zoë\n"
    assert column_of(loading.rows(text.encode(order), columns=MAPPED, encoding="utf-16"), "surname") == ["zoë"]


@pytest.mark.parametrize("encoding", ["latin-1", "windows-1252"])
def test_one_byte_encodings_are_read(loading: Loading, encoding: str) -> None:
    source = "id,family\n1,Müller\n".encode(encoding)
    assert column_of(loading.rows(source, columns=MAPPED, encoding=encoding), "surname") == ["müller"]


@pytest.mark.parametrize("rows_before", [0, 1, 170_000])
def test_bytes_of_another_encoding_are_named_by_their_line(loading: Loading, rows_before: int) -> None:
    before = "".join(MANY.splitlines(keepends=True)[:rows_before])
    source = f"id,family\n{before}x,Zo".encode() + b"\xeb\n" + MANY.encode()
    assert refused(loading, source) == (
        f"line {rows_before + 2} holds bytes (eb) that are no utf-8 text. Correct the file, or the encoding in "
        "the Import Format (one of utf-8, utf-16, latin-1, windows-1252)."
    )


def test_a_character_that_is_cut_at_the_end_of_the_file_is_named(loading: Loading) -> None:
    assert refused(loading, "id,family\n1,Zoë".encode()[:-1]).startswith("line 2 holds bytes (c3)")


def test_undefined_bytes_of_windows_1252_are_named(loading: Loading) -> None:
    source = b"id,family\n1,a\n2,\x81\n"
    assert refused(loading, source, encoding="windows-1252").startswith("line 3 holds bytes (81)")


def test_half_a_character_of_utf_16_is_named(loading: Loading) -> None:
    source = "\ufeffid,family\n1,a\n2,".encode("utf-16-le") + b"\x00\xd8a\x00"
    assert refused(loading, source, encoding="utf-16").startswith(
        "line 3 holds bytes (00 d8) that are no utf-16 text"
    )


def test_the_mark_of_another_encoding_is_told(loading: Loading) -> None:
    assert refused(loading, "id,family\n".encode("utf-16")).endswith("Set the encoding to utf-16.")
    assert refused(loading, codecs.BOM_UTF8 + b"id", encoding="latin-1").endswith("Set the encoding to utf-8.")


@pytest.mark.parametrize("rows_before", [0, 150_000])
def test_a_nul_character_is_named_by_its_line(loading: Loading, rows_before: int) -> None:
    before = "".join(MANY.splitlines(keepends=True)[:rows_before])
    message = refused(loading, f"id,family\n{before}x,a\0b\n{MANY}")
    assert message.startswith(f"line {rows_before + 2} holds a NUL character")


def test_utf_16_without_its_mark_read_as_utf_8_hints_at_utf_16(loading: Loading) -> None:
    assert "utf-16 looks like this" in refused(loading, "id,family\n".encode("utf-16-le"))


@pytest.mark.parametrize("rows_before", [0, 3, 150_000])
def test_a_quote_that_is_not_closed_is_named_by_the_line_of_its_row(loading: Loading, rows_before: int) -> None:
    before = "".join(MANY.splitlines(keepends=True)[:rows_before])
    message = refused(loading, f'id,family\n{before}x,"Smith\n1,A\n2,B\n')
    assert message == (
        f'the row that starts at line {rows_before + 2} cannot be read. A quoted value (") is opened, but not '
        "closed before the file ends. Correct the file; or, if its values are never quoted, set quote to null in "
        "the Import Format."
    )


def test_a_quote_that_swallows_the_rest_of_a_large_file_is_named(loading: Loading) -> None:
    tail = "".join(f"{n},name number {n} of the file\n" for n in range(200_000))
    message = refused(loading, f'id,family\n1,A\n2,"Smith\n{tail}')
    assert message.startswith(
        'the row that starts at line 3 cannot be read. A quoted value (") goes on for 4,194,304'
    )


def test_text_behind_a_closing_quote_is_refused(loading: Loading) -> None:
    message = refused(loading, 'id,family\n1,A\n2,"Smith" Jones\n')
    assert message.startswith(
        "the row that starts at line 3 cannot be read. Something other than a separator follows"
    )


def test_a_fault_of_the_header_is_told_too(loading: Loading) -> None:
    assert refused(loading, '"id,family\n').startswith("the row that starts at line 1 cannot be read.")


def test_a_quote_inside_an_unquoted_value_is_a_sign_like_others(loading: Loading) -> None:
    assert column_of(loading.rows('id,family\n1,O"Brien\n2,B\n', columns=MAPPED), "surname") == ["o brien", "b"]


def test_quotes_are_signs_like_others_if_the_format_has_none(loading: Loading) -> None:
    rows = loading.rows('id,family\n1,"Smith\n2,Jones"\n', columns=MAPPED, quote=None)
    assert column_of(rows, "surname") == ["smith", "jones"]


def test_an_escape_sign_keeps_a_quote_in_its_value(loading: Loading) -> None:
    result = loading.load('id,family,note\n1,A,"say \\"hi\\", twice"\n', columns=MAPPED, escape="\\")
    assert rows_of(result.aux.path if result.aux else None)[0]["note"] == 'say "hi", twice'


def test_a_line_of_fifty_megabytes_is_refused_before_it_fills_the_memory(loading: Loading) -> None:
    message = refused(loading, b"id,family\n1,A\n2," + b"x" * 50_000_000)
    assert message.startswith(f"line 3 is longer than {MOST_CHARACTERS_PER_LINE:,} characters.")


def test_a_value_of_a_megabyte_is_loaded(loading: Loading) -> None:
    (row,) = loading.rows(
        f"id,suburb\n1,{'x' * 1_000_000}\n", columns={"source_unique_id": "id", "suburb": "suburb"}
    )
    assert len(row["suburb"]) == 1_000_000


@pytest.mark.parametrize("beginning", [b"PAR1\x15\x04", b"PK\x03\x04\x14\x00"])
def test_files_of_another_kind_are_recognised(loading: Loading, beginning: bytes) -> None:
    assert refused(loading, beginning + bytes(100)).startswith("this is a ")


@pytest.mark.parametrize("damage", [lambda packed: packed[:-4], lambda packed: packed[: len(packed) // 2]])
def test_a_gzip_file_that_is_cut_off_is_refused(loading: Loading, damage: "object") -> None:
    packed = gzip.compress(f"id,family\n{MANY}".encode())
    assert callable(damage)
    assert refused(loading, damage(packed)).startswith("its gzip packing is damaged after ")


def test_a_gzip_file_whose_checksum_is_wrong_is_refused(loading: Loading) -> None:
    packed = bytearray(gzip.compress(b"id,family\n1,A\n"))
    packed[-8] ^= 0xFF
    assert "CRC check failed" in refused(loading, bytes(packed))


def test_a_file_that_is_gone_is_named(loading: Loading, tmp_path: Path) -> None:
    with pytest.raises(UnreadableSourceError, match=r"births\.csv: it cannot be opened \(No such file"):
        loading.load(tmp_path / "gone", columns=MAPPED)


def test_the_wrong_separator_is_told_by_the_columns_that_are_there(loading: Loading) -> None:
    with pytest.raises(MissingColumnsError, match="It has \ufdd0'id;family'\ufdd1"):
        loading.load("id;family\n1;A\n", columns=MAPPED)


def test_a_folder_that_cannot_be_written_is_named_with_the_remedy(loading: Loading, tmp_path: Path) -> None:
    (tmp_path / "batches").mkdir()
    blocked = tmp_path / "batches" / "b1-records.partial"
    blocked.mkdir()
    with pytest.raises(StorageError, match=r"b1-records\.parquet cannot be written to .* Free space on the disk"):
        loading.load("id,family\n1,A\n", columns=MAPPED)


def test_whatever_the_receiver_of_progress_raises_ends_the_load_and_leaves_nothing(loading: Loading) -> None:
    def cancel(_progress: object, /) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        loading.load(f"{HEADER}\n", report=cancel)
    assert loading.left_files() == []


FULL_DISK = """
import resource, sys
from pathlib import Path
from linkwright.warehouse.limits import StorageError
from tests.unit.warehouse.loading import Loading

folder = Path(sys.argv[1])
loading = Loading(folder)
rows = "".join(f"{n},{n * 7919 % 1000003},{n * 104729 % 1299709}\\n" for n in range(200_000))
(folder / "text").write_text("id,family,note\\n" + rows)
(folder / "batches").mkdir()
resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))
try:
    loading.load(folder / "text", columns={"source_unique_id": "id", "surname": "family"})
except StorageError as error:
    print(error)
    print(loading.left_files())
"""


def test_a_disk_that_fills_while_loading_is_told_and_leaves_nothing(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", FULL_DISK, str(tmp_path)], capture_output=True, text=True, check=True, timeout=120
    )
    message, left = done.stdout.splitlines()
    assert "b1-records.parquet cannot be written" in message
    assert "Free space on the disk" in message
    assert left == "[]"
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] != 200_000


@pytest.mark.parametrize(
    ("parquet", "import_format", "remedy"),
    [
        (False, {"kind": "parquet", "columns": MAPPED}, "Declare the file as Parquet"),
        (
            True,
            {
                "kind": "fixed_width",
                "columns": {"source_unique_id": {"start": 1, "width": 2}, "surname": {"start": 3, "width": 2}},
            },
            "Declare the file as FlatFile",
        ),
    ],
)
def test_a_manifest_that_contradicts_the_import_format_is_told(
    loading: Loading, parquet: bool, import_format: dict[str, object], remedy: str
) -> None:
    assert remedy in refused(loading, "id,family\n1,A\n", parquet=parquet, **import_format)


def test_every_error_of_loading_is_one_that_a_person_can_read() -> None:
    assert issubclass(UnreadableSourceError, LinkwrightError)
    assert issubclass(MissingColumnsError, LinkwrightError)
