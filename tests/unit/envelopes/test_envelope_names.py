"""File names in an Envelope: which are accepted, and which leave the folder or collide."""

import posixpath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from linkwright.envelopes.corruption import CorruptReason, Fault
from linkwright.envelopes.names import name_fault, names_faults


@pytest.mark.parametrize(
    "name",
    [
        "births.csv",
        "2026/births 01.csv",
        "…/naïve.csv",
        "...",
        ".hidden",
        "a..b",
        "日本.csv",
        "x" * 255,
        "a/" * 19 + "b",
    ],
)
def test_plain_names_are_accepted(name: str) -> None:
    assert name_fault(name) is None


@pytest.mark.parametrize(
    ("name", "fault"),
    [
        ("", "is empty"),
        ("  ", "is empty"),
        ("a\0b", "holds a NUL character"),
        ("a\nb", "holds a control character"),
        ("a\x1b[2Jb", "holds a control character"),
        ("a\u2028b", "holds a control character"),
        ("a\ud800b", "holds a control character"),
        ("data\\births.csv", "holds a backslash (folders are separated by '/')"),
        ("..\\births.csv", "holds a backslash (folders are separated by '/')"),
        ("/etc/passwd", "is an absolute path"),
        ("//server/share", "is an absolute path"),
        ("C:births.csv", "names a drive"),
        ("c:/births.csv", "names a drive"),
        ("..", "leaves the folder by '..'"),
        ("a/../../b", "leaves the folder by '..'"),
        ("./a", "holds an empty part or the part '.'"),
        ("a//b", "holds an empty part or the part '.'"),
        ("a/", "holds an empty part or the part '.'"),
        ("x" * 256, "is longer than 1024 bytes, or a part of it than 255"),
        ("é" * 128, "is longer than 1024 bytes, or a part of it than 255"),
        ("a/" * 20 + "b", "lies more than 19 folders deep"),
        (("é" * 127 + "/") * 4 + "abcdefgh", "is longer than 1024 bytes, or a part of it than 255"),
    ],
)
def test_a_name_that_cannot_be_accepted_is_refused_with_the_reason(name: str, fault: str) -> None:
    assert name_fault(name) == fault


def test_every_bad_name_is_named_at_once() -> None:
    faults = names_faults(["a.csv", "../b.csv", "a.csv", "A.CSV", "/c.csv"])
    assert faults == [
        Fault(
            CorruptReason.UNSAFE_NAME,
            "The file name '../b.csv' leaves the folder by '..'. Rename the file, and pack the Envelope again.",
        ),
        Fault(
            CorruptReason.DUPLICATE_NAME,
            "The file name 'a.csv' occurs twice. Give each file its own name, and pack the Envelope again.",
        ),
        Fault(
            CorruptReason.DUPLICATE_NAME,
            "The file names 'a.csv' and 'A.CSV' differ only in case or accents. Rename one of them, and pack the "
            "Envelope again.",
        ),
        Fault(
            CorruptReason.UNSAFE_NAME,
            "The file name '/c.csv' is an absolute path. Rename the file, and pack the Envelope again.",
        ),
    ]


def test_names_that_differ_only_in_the_encoding_of_an_accent_collide() -> None:
    composed, decomposed = "caf\u00e9.csv", "cafe\u0301.csv"
    assert [fault.reason for fault in names_faults([composed, decomposed])] == [CorruptReason.DUPLICATE_NAME]


def test_a_file_cannot_also_be_a_folder() -> None:
    faults = names_faults(["a/b/c.csv", "a/b"])
    assert [fault.text for fault in faults] == [
        "'a/b' is a file and also the folder of 'a/b/c.csv'. Rename one of them, and pack the Envelope again."
    ]


def test_a_folder_entry_is_no_duplicate_of_what_lies_in_it() -> None:
    assert names_faults(["a/b.csv"], folders=["a/", "a/"]) == []
    faults = names_faults(["a"], folders=["A/", "../"])
    assert [fault.text for fault in faults] == [
        "The file name '../' leaves the folder by '..'. Rename the file, and pack the Envelope again.",
        "'a' is a file, and there is also the folder 'A/'. Rename one of them, and pack the Envelope again.",
    ]


def test_a_name_in_a_message_is_cut_and_its_control_characters_are_escaped() -> None:
    text = names_faults(["\x1b[31m" + "x" * 5_000])[0].text
    assert "\x1b" not in text
    assert len(text) < 250


@given(st.text(st.sampled_from("ab./\\:\0 "), max_size=12) | st.text())
def test_an_accepted_name_stays_in_its_folder(name: str) -> None:
    if name_fault(name) is None:
        inside = posixpath.normpath(posixpath.join("/folder", name))
        assert inside == f"/folder/{name}"
    else:
        assert names_faults([name])[0].reason is CorruptReason.UNSAFE_NAME
