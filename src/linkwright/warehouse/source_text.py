"""Owns the way from a text file's bytes to its lines: unpacking, decoding, and the checks on both.

Gives text in blocks of whole lines, so that no file, and no line, can fill the memory, and knows the line at which
a fault stands. Must not know what is in a line.

Source: SPEC section 2 (data files: plain or gzip), section 5 (Load).
"""

import codecs
import gzip
import io
import zlib
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import BinaryIO, cast

from linkwright.engine.import_format import Encoding
from linkwright.engine.progress import Progress, ReportProgress
from linkwright.warehouse.source import UnreadableSourceError

MOST_CHARACTERS_PER_LINE = 4 * 1024 * 1024

_GZIP_MAGIC = b"\x1f\x8b"
_MAGICS = {
    b"PAR1": "a Parquet file. Declare its format as Parquet in the manifest, or deliver text",
    b"PK\x03\x04": "a zip or an Excel workbook. Deliver it as delimited text, plain or gzip",
}
_UTF_16_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


class TextBlocks:
    """A text file, read once, in blocks of whole lines.

    Args:
        path: a plain or gzip file.
        source_name: the name for messages.
        encoding: as the Import Format says.
        report: is told how far the file is read.
        block_bytes_count: how much is read at a time.
    """

    def __init__(
        self,
        path: Path,
        source_name: str,
        encoding: Encoding,
        report: ReportProgress,
        *,
        block_bytes_count: int = 1024 * 1024,
    ) -> None:
        self.bytes_read_count = 0
        self._path = path
        self._source_name = source_name
        self._encoding = encoding
        self._report = report
        self._block_bytes_count = block_bytes_count
        self._packed_bytes_count = 0
        self._packed_total_bytes = 0
        self._lines_done = 0
        self._carry = ""

    def lines(self) -> Iterator[str]:
        """Give the lines one by one, their ends included."""
        return chain.from_iterable(io.StringIO(block, newline="") for block in self.blocks())

    def blocks(self) -> Iterator[str]:
        """Give the text in blocks, each of which ends with a line end; the last one need not.

        Raises:
            UnreadableSourceError: naming the line, if the text is damaged, of another encoding, or binary.
        """
        for text in self._decoded():
            if "\0" in text:
                line = self._lines_done + 1 + line_ends_count(self._carry + text[: text.index("\0")])
                raise self._error(
                    f"line {line} holds a NUL character, so that it is no text of encoding {self._encoding}. "
                    "Correct the encoding in the Import Format (utf-16 looks like this), or deliver a text file."
                )
            whole = self._carry + text
            # A carriage return at the end may be the first half of a line end
            end = max(whole.rfind("\n"), whole.rfind("\r", 0, len(whole) - 1)) + 1
            block, self._carry = whole[:end], whole[end:]
            if block:
                self._lines_done += line_ends_count(block)
                yield block
            if len(self._carry) > MOST_CHARACTERS_PER_LINE:
                raise self._error(
                    f"line {self._lines_done + 1} is longer than {MOST_CHARACTERS_PER_LINE:,} characters. Check "
                    "that this is the right file, and that its lines end as text lines do."
                )
        if self._carry:
            yield self._carry

    def _decoded(self) -> Iterator[str]:
        """Decode the file's bytes; a fault is named by its line."""
        decoder: codecs.IncrementalDecoder | None = None
        stage = f"Reading {self._source_name}"
        for block in self._bytes():
            self._report(Progress(stage, self._packed_bytes_count, self._packed_total_bytes, "bytes"))
            decoder = decoder or self._decoder(block)
            yield self._decode(decoder, block, final=False)
        if decoder is not None:
            yield self._decode(decoder, b"", final=True)

    def _decode(self, decoder: codecs.IncrementalDecoder, block: bytes, *, final: bool) -> str:
        try:
            return decoder.decode(block, final)
        except UnicodeDecodeError as error:
            before = error.object[: error.start].decode(error.encoding, "ignore")
            line = self._lines_done + 1 + line_ends_count(self._carry + before)
            found = error.object[error.start : error.end].hex(" ")
            raise self._error(
                f"line {line} holds bytes ({found}) that are no {self._encoding} text. Correct the file, or the "
                f"encoding in the Import Format (one of {', '.join(Encoding)})."
            ) from error

    def _decoder(self, beginning: bytes) -> codecs.IncrementalDecoder:
        """Choose the decoder, after a look at the marks that a file may begin with."""
        for magic, kind in _MAGICS.items():
            if beginning.startswith(magic):
                raise self._error(f"this is {kind}.")
        is_utf_16 = beginning.startswith(_UTF_16_MARKS)
        if is_utf_16 and self._encoding is not Encoding.UTF_16:
            raise self._error(
                f"the file begins with the mark of utf-16, but its Import Format says {self._encoding}. "
                "Set the encoding to utf-16."
            )
        if beginning.startswith(codecs.BOM_UTF8) and self._encoding is not Encoding.UTF_8:
            raise self._error(
                f"the file begins with the mark of utf-8, but its Import Format says {self._encoding}. "
                "Set the encoding to utf-8."
            )
        codec = str(self._encoding)
        if self._encoding is Encoding.UTF_8:
            codec = "utf-8-sig"
        elif self._encoding is Encoding.UTF_16 and not is_utf_16:
            codec = "utf-16-be" if beginning.startswith(b"\0") else "utf-16-le"
        return codecs.getincrementaldecoder(codec)()

    def _bytes(self) -> Iterator[bytes]:
        try:
            self._packed_total_bytes = self._path.stat().st_size
            with self._path.open("rb") as packed:
                is_gzip = packed.read(len(_GZIP_MAGIC)) == _GZIP_MAGIC
                packed.seek(0)
                stream: BinaryIO = cast("BinaryIO", gzip.GzipFile(fileobj=packed)) if is_gzip else packed
                while block := stream.read(self._block_bytes_count):
                    self.bytes_read_count += len(block)
                    self._packed_bytes_count = packed.tell()
                    yield block
        except (gzip.BadGzipFile, zlib.error, EOFError) as error:
            raise self._error(
                f"its gzip packing is damaged after {self.bytes_read_count:,} bytes ({error}). Deliver it again."
            ) from error
        except OSError as error:
            raise self._error(
                f"it cannot be opened ({error.strerror}). Restore the file, then retry the job."
            ) from error

    def _error(self, fault: str) -> UnreadableSourceError:
        return UnreadableSourceError(f"{self._source_name}: {fault}")


def line_ends_count(text: str) -> int:
    """Count the line ends in a text: CR, LF and CR LF."""
    line_feeds = text.count("\n")
    if "\r" not in text:
        return line_feeds
    return line_feeds + text.count("\r") - text.count("\r\n")


def lines_count(text: str) -> int:
    """Count the lines of a text; the last one need not have an end."""
    return line_ends_count(text) + (text[-1:] not in {"", "\n", "\r"})
