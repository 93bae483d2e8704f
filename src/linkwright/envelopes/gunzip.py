"""Takes gzip off a stream of pieces, in bounded memory. Knows nothing of Envelopes."""

import zlib
from collections.abc import Iterable, Iterator

from linkwright.envelopes.limits import CHUNK_BYTES

GZIP_MAGIC = b"\x1f\x8b"
# bgzip makes one member for each 64 KiB: enough for 300 GiB. Members without content are slow for their size, so
# that a small file of them would keep a job busy for hours.
MAX_MEMBERS_COUNT = 5_000_000
_WITH_GZIP_HEADER = 16 + zlib.MAX_WBITS


class BrokenGzipError(Exception):
    """The stream is no gzip, is damaged, ends early or has too many members; never shown as it stands."""


def gunzip(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Yield what gzip holds, in pieces of up to CHUNK_BYTES; all of `pieces` is read.

    There may be several members (bgzip and `cat` make such files) and zero bytes as padding behind them.

    Raises:
        BrokenGzipError: when it is found, after what was readable has been given.
    """
    member = zlib.decompressobj(_WITH_GZIP_HEADER)
    members_count = 1
    try:
        for piece in pieces:
            pending = piece
            while pending:
                if member.eof:
                    pending = pending.lstrip(b"\0")
                    if not pending:
                        break
                    members_count += 1
                    if members_count > MAX_MEMBERS_COUNT:
                        raise BrokenGzipError(f"it has over {MAX_MEMBERS_COUNT:,} members")
                    member = zlib.decompressobj(_WITH_GZIP_HEADER)
                unpacked = member.decompress(pending, CHUNK_BYTES)
                pending = member.unused_data if member.eof else member.unconsumed_tail
                if unpacked:
                    yield unpacked
        while not member.eof:
            unpacked = member.decompress(b"", CHUNK_BYTES)
            if not unpacked and not member.eof:
                raise BrokenGzipError("it ends early")
            yield unpacked
    except zlib.error as error:
        raise BrokenGzipError(str(error)) from error
