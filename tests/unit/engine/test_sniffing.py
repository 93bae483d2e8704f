"""What is detected in a sample: encoding, separator, quoting, header, fixed width; hostile samples above all."""

import pytest

from linkwright.engine.fields import STANDARD_FIELDS
from linkwright.engine.import_format import Encoding, SourceKind
from linkwright.engine.sample_text import NoText, decode_sample, is_parquet_sample, read_sample_text
from linkwright.engine.sniffing import Sniffed, has_header, read_rows, sniff

PEOPLE = "id,given,surname,born\n1,Ada,Berg,1980-01-02\n2,Bo,Cole,1981-02-03\n3,Cy,Dunn,1982-03-04\n"


def found(text: str) -> Sniffed:
    return sniff(read_sample_text(text.encode(), is_cut=False), STANDARD_FIELDS)


@pytest.mark.parametrize("separator", [",", ";", "\t", "|", "^", "~", ":"])
def test_the_separator_is_found(separator: str) -> None:
    sniffed = found(PEOPLE.replace(",", separator))
    assert (sniffed.kind, sniffed.separator, sniffed.header) == (SourceKind.DELIMITED, separator, True)


def test_separators_inside_quotes_do_not_count() -> None:
    rows = "".join(f'{n};"Berg, Ada, Bo, Cy";"a ""b"", c"\n' for n in range(9))
    assert (found(rows).separator, found(rows).quote, found(rows).escape) == (";", '"', None)


def test_a_line_end_inside_quotes_is_no_row() -> None:
    assert found('id,note\n1,"one\ntwo, three"\n2,"x"\n3,y\n').separator == ","


def test_single_quotes_are_found_and_an_apostrophe_is_none() -> None:
    assert found("'id','name'\n'1','Ada, B'\n'2','Bo'\n").quote == "'"
    assert found("id,name\n1,O'Brien\n2,'t Hooft\n3,D'Arcy\n").quote == '"'


def test_a_backslash_before_a_quote_is_an_escape() -> None:
    assert found('id,note\n1,"a \\"b\\", c"\n2,"d"\n').escape == "\\"


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_every_line_end_is_a_line_end(end: str) -> None:
    text = read_sample_text(PEOPLE.replace("\n", end).encode(), is_cut=False)
    assert len(text.lines) == 4
    assert sniff(text, STANDARD_FIELDS).separator == ","


def test_one_column_says_so() -> None:
    sniffed = found("a1\na2\na3\n")
    assert (sniffed.separator, sniffed.header) == (",", False)
    assert sniffed.notes == ("No separator was found: the file seems to have one column.",)


def test_a_time_is_not_taken_for_two_columns() -> None:
    assert found("at 10:20\nnothing\nat 11:30\n").separator == ","


@pytest.mark.parametrize(
    ("first", "is_header"),
    [
        ("id,given,surname,born", True),
        ("RECNO,FORENAME,FAMILY,DOB", True),
        ("a,b,c,d", True),
        ("7,Eve,Frost,1970-05-06", False),
        ("Ada,Ada,Berg,Cole", False),
    ],
)
def test_a_header_is_told_from_a_row(first: str, is_header: bool) -> None:
    assert found(f"{first}\n" + PEOPLE.split("\n", 1)[1]).header is is_header


def test_texts_over_texts_are_no_header_unless_a_name_is_known() -> None:
    assert not has_header([["Anna", "Berg"], ["Bo", "Cole"]], STANDARD_FIELDS)
    assert has_header([["vorname", "x"], ["Bo", "Cole"]], STANDARD_FIELDS)
    assert has_header([], STANDARD_FIELDS)


@pytest.mark.parametrize(
    ("sample", "encoding", "has_mark"),
    [
        ("id,name\n1,Zoë\n".encode(), Encoding.UTF_8, False),
        ("id,name\n1,Zoë\n".encode("utf-8-sig"), Encoding.UTF_8, True),
        ("id,name\n1,Zoë\n".encode("utf-16"), Encoding.UTF_16, True),
        ("id,name\n1,Zoë\n".encode("utf-16-le"), Encoding.UTF_16, False),
        ("id,name\n1,Zoë\n".encode("utf-16-be"), Encoding.UTF_16, False),
        ("id,name\n1,Zoë\n".encode("latin-1"), Encoding.LATIN_1, False),
        ("id,name\n1,Zoë’s €\n".encode("windows-1252"), Encoding.WINDOWS_1252, False),
        (b"id,name\n1,Zo\xeb\x81\n", Encoding.LATIN_1, False),
    ],
)
def test_the_encoding_is_found_and_the_mark_dropped(sample: bytes, encoding: Encoding, has_mark: bool) -> None:
    text = read_sample_text(sample, is_cut=False)
    assert (text.encoding, text.has_mark) == (encoding, has_mark)
    assert text.lines[0] == "id,name\n"
    assert text.lines[1].startswith("1,Zoë")


def test_a_sample_that_is_cut_inside_a_character_and_a_line_loses_that_line_only() -> None:
    cut = "id,name\n1,Ada\n2,Zoë".encode()[:-1]
    text = read_sample_text(cut, is_cut=True)
    assert (text.encoding, text.lines) == (Encoding.UTF_8, ("id,name\n", "1,Ada\n"))
    assert read_sample_text(cut, is_cut=False).encoding is Encoding.LATIN_1


def test_another_encoding_than_the_right_one_can_be_looked_at() -> None:
    text = decode_sample("1,Zoë\n".encode("latin-1"), Encoding.UTF_8, is_cut=False)
    assert text.lines == ("1,Zo\ufffd\n",)


@pytest.mark.parametrize(
    ("sample", "told"),
    [
        (b"", "is empty"),
        (b" \r\n\n", "is empty"),
        (b"PK\x03\x04abc", "Excel"),
        (b"%PDF-1.7", "PDF"),
        (bytes(range(256)) * 20, "control characters"),
        (b"\0" * 500, "control characters"),
    ],
)
def test_what_is_no_text_says_what_it_is(sample: bytes, told: str) -> None:
    with pytest.raises(NoText, match=told):
        read_sample_text(sample, is_cut=False)


def test_parquet_is_known_by_its_first_bytes() -> None:
    assert is_parquet_sample(b"PAR1\x15")
    assert not is_parquet_sample(b"id,name")


@pytest.mark.parametrize("line", ["a" * 1_000_000, "a," * 400_000, '"' + "a" * 500_000, '"a",' * 200_000])
def test_a_very_long_line_is_told_and_costs_no_time(line: str) -> None:
    sniffed = found(line)
    assert "A line has more than 100,000 characters" in sniffed.notes[0]
    assert found(PEOPLE + line).separator == ","


def test_rows_before_a_fault_of_the_quoting_are_kept() -> None:
    assert read_rows(["1,2\n", '"' + "x" * 200_000, "3,4\n"], ",", '"')[0] == ["1", "2"]
    assert read_rows(['1,"2\n'], ",", None) == [["1", '"2']]


FIXED = "0001Ada    Berg    19800102F\n0002Bo     Cole    19810203M\n0003Cy     Dunn    19820304 \n"


def test_columns_of_fixed_width_are_found() -> None:
    sniffed = found(FIXED)
    assert sniffed.kind is SourceKind.FIXED_WIDTH
    assert [(one.start, one.width) for one in sniffed.ranges] == [(1, 4), (5, 7), (12, 8), (20, 8), (28, 1)]


def test_lines_without_common_blanks_are_not_of_fixed_width() -> None:
    assert found("a b c d e f\nabcdefghijk\nxyz abc def\n").kind is SourceKind.DELIMITED
