"""Owns the first look at a sample's bytes: whether they are text, in which encoding, and its lines.

Values in, values out: no file is opened here. A sample is the beginning of a file; what is cut off at its end is
dropped with the line that it belongs to.

Source: SPEC section 1 (Import Format); docs/decisions/0028.
"""

import codecs
import re
from dataclasses import dataclass

from linkwright.engine.import_format import Encoding

_PARQUET = b"PAR1"
_FOREIGN = {
    b"PK\x03\x04": "This is a zip or an Excel workbook. Save it as delimited text (CSV), and choose that.",
    b"\xd0\xcf\x11\xe0": "This is an old Excel or Word file. Save it as delimited text (CSV), and choose that.",
    b"%PDF": "This is a PDF. Have the data delivered as delimited text, fixed-width text or Parquet.",
    b"SQLite format 3\0": "This is an SQLite database. Export the table as delimited text (CSV).",
}
_UTF_16_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
# a text in utf-16 with Latin letters has a zero in every second byte; a third tells it from stray ones
_UTF_16_ZEROS_SHARE = 0.3
_MOST_CONTROL_SHARE = 0.01
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1f\x7f]")
_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+")


class NoText(ValueError):  # noqa: N818 - a finding, not a failure
    """The sample is no text; says what it is, and what to do."""


@dataclass(frozen=True)
class SampleText:
    """A sample as text.

    Args:
        encoding: in which it reads without a fault.
        has_mark: whether it begins with a byte order mark, which is dropped.
        lines: whole lines, their ends included.
        line_end: 'CR LF', 'LF', 'CR', or '' if there is none.
    """

    encoding: Encoding
    has_mark: bool
    lines: tuple[str, ...]
    line_end: str


def is_parquet_sample(sample: bytes) -> bool:
    """Tell whether a sample is of a Parquet file."""
    return sample.startswith(_PARQUET)


def read_sample_text(sample: bytes, *, is_cut: bool) -> SampleText:
    """Read a sample as text.

    Args:
        sample: the beginning of a file, unpacked.
        is_cut: whether the file goes on behind it.

    Raises:
        NoText: if it is empty, of another kind, or binary.
    """
    if not sample.strip():
        raise NoText("The file is empty. Choose one that holds some rows.")
    for magic, told in _FOREIGN.items():
        if sample.startswith(magic):
            raise NoText(told)
    encoding = _encoding_of(sample, is_cut=is_cut)
    return decode_sample(sample, encoding, is_cut=is_cut)


def decode_sample(sample: bytes, encoding: Encoding, *, is_cut: bool) -> SampleText:
    """Read a sample as text of an encoding; what that cannot read becomes the replacement character.

    Raises:
        NoText: if it is binary.
    """
    has_mark = sample.startswith((codecs.BOM_UTF8, *_UTF_16_MARKS))
    decoder = codecs.getincrementaldecoder(_codec(sample, encoding))(errors="replace")
    text = decoder.decode(sample, final=not is_cut).removeprefix("\ufeff")
    if len(_CONTROL.findall(text)) > _MOST_CONTROL_SHARE * len(text):
        raise NoText(
            "This is no text: it holds control characters. Choose delimited text, fixed-width text or Parquet."
        )
    lines = _LINE.findall(text)
    if is_cut and len(lines) > 1:
        # it may have been cut in the middle
        lines.pop()
    return SampleText(encoding, has_mark, tuple(lines), _line_end(text))


def _encoding_of(sample: bytes, *, is_cut: bool) -> Encoding:
    if sample.startswith(_UTF_16_MARKS):
        return Encoding.UTF_16
    if sample.startswith(codecs.BOM_UTF8):
        return Encoding.UTF_8
    odd, even = sample[1::2].count(0), sample[0::2].count(0)
    if max(odd, even) > _UTF_16_ZEROS_SHARE * (len(sample) / 2) and min(odd, even) * 4 < max(odd, even):
        return Encoding.UTF_16
    try:
        codecs.getincrementaldecoder("utf-8")().decode(sample, final=not is_cut)
    except UnicodeDecodeError:
        return _one_byte_encoding(sample)
    return Encoding.UTF_8


def _one_byte_encoding(sample: bytes) -> Encoding:
    """Choose windows-1252 where signs are used that latin-1 has not: quotes, dashes, the euro."""
    if not re.search(rb"[\x80-\x9f]", sample):
        return Encoding.LATIN_1
    try:
        sample.decode("windows-1252")
    except UnicodeDecodeError:
        return Encoding.LATIN_1
    return Encoding.WINDOWS_1252


def _codec(sample: bytes, encoding: Encoding) -> str:
    if encoding is not Encoding.UTF_16 or sample.startswith(_UTF_16_MARKS):
        return encoding.value
    return "utf-16-be" if sample.startswith(b"\0") else "utf-16-le"


def _line_end(text: str) -> str:
    for end, name in (("\r\n", "CR LF"), ("\n", "LF"), ("\r", "CR")):
        if end in text:
            return name
    return ""
