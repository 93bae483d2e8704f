"""Makes a picture of a page light: a PNG with a palette of 256 colours, from the one that Chromium writes.

Knows just enough of PNG for that: eight bits a channel, no interlacing. Must not know of pages.

Source: W3C PNG Specification (Third Edition), chunks IHDR, PLTE, IDAT and filter type 0 to 4.
"""

import struct
import zlib
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_CHANNELS = {2: 3, 6: 4}
_COLOURS_COUNT = 256
# the commonest are kept as they are, however near; of the others, one for each cube of so many steps
_PLAIN_COUNT = 64
_STEPS = (4, 8, 16, 32, 64)
_DEPTH = 8
Bytes = NDArray[np.uint8]
Words = NDArray[np.int16]


class PngError(Exception):
    """A PNG is none that can be read here."""


def with_palette(data: bytes) -> bytes:
    """Return a PNG with at most 256 colours: the commonest stay as they are, the others take the nearest of them.

    Raises:
        PngError: if it is no PNG of eight bits a channel, or interlaced.
    """
    pixels = _read(data)
    colours, indices, counts = np.unique(_packed(pixels), return_inverse=True, return_counts=True)
    every = np.stack([colours >> 16, colours >> 8 & 255, colours & 255], axis=1).astype(np.uint8)
    palette, place_of = _palette(every, counts)
    return _write(palette, place_of[indices].reshape(pixels.shape[:2]).astype(np.uint8))


def _palette(every: Bytes, counts: NDArray[np.int64]) -> tuple[Bytes, NDArray[np.int64]]:
    """Choose the colours; say which of them stands for each colour."""
    order = np.argsort(-counts, kind="stable")
    chosen = order
    for step in _STEPS:
        if len(chosen) <= _COLOURS_COUNT:
            break
        plain, rest = order[:_PLAIN_COUNT], order[_PLAIN_COUNT:]
        cells = _packed(every[rest] // np.uint8(step))
        chosen = np.concatenate([plain, rest[np.sort(np.unique(cells, return_index=True)[1])]])
    palette = every[chosen]
    distance = ((every[:, None, :].astype(np.int32) - palette[None, :, :].astype(np.int32)) ** 2).sum(axis=2)
    return palette, distance.argmin(axis=1)


def _packed(colours: Bytes) -> NDArray[np.uint32]:
    return colours.astype(np.uint32) @ np.array([1 << 16, 1 << 8, 1], np.uint32)


def _read(data: bytes) -> Bytes:
    """Return the pixels as rows x columns x (red, green, blue)."""
    if not data.startswith(_SIGNATURE):
        raise PngError("This is no PNG.")
    chunks = list(_chunks(data))
    width, height, depth, kind, _, _, interlaced = struct.unpack(">IIBBBBB", chunks[0][1])
    if depth != _DEPTH or kind not in _CHANNELS or interlaced:
        raise PngError(f"A PNG of {depth} bits, colour type {kind}, interlaced {interlaced} is not read here.")
    size = _CHANNELS[kind]
    raw = zlib.decompress(b"".join(body for name, body in chunks if name == b"IDAT"))
    lines = np.frombuffer(raw, np.uint8).reshape(height, 1 + width * size)
    return _unfiltered(lines[:, 0], lines[:, 1:].reshape(height, width, size))[:, :, :3]


def _unfiltered(kinds: Bytes, coded: Bytes) -> Bytes:
    """Undo the filters of the lines, one diagonal at a time: each pixel needs those on its left and above.

    Both tables have a line above and a column before them. From a pixel to the next of its diagonal, one line down
    and one column back, it is as far as an unpadded line is long.
    """
    height, width, size = coded.shape
    wide = width + 1
    given = np.zeros((height + 1, wide, size), np.int16)
    given[1:, 1:] = coded
    given = given.reshape(-1, size)
    out = np.zeros_like(given)
    for diagonal in range(height + width - 1):
        top = max(0, diagonal - width + 1)
        count = min(height, diagonal + 1) - top
        first = (top + 1) * wide + diagonal - top + 1
        here, left, up, corner = (
            slice(start, start + (count - 1) * width + 1, width)
            for start in (first, first - 1, first - wide, first - wide - 1)
        )
        guess = _guess(kinds[top : top + count, None], out[left], out[up], out[corner])
        out[here] = (given[here] + guess) & 255
    return np.ascontiguousarray(out.reshape(height + 1, wide, size)[1:, 1:].astype(np.uint8))


def _guess(kind: Bytes, left: Words, up: Words, corner: Words) -> Words:
    """Return what the filters None, Sub, Up, Average and Paeth expect."""
    nearness_left, nearness_up, nearness_corner = (
        np.abs(up - corner),
        np.abs(left - corner),
        np.abs(left + up - 2 * corner),
    )
    is_left = (nearness_left <= nearness_up) & (nearness_left <= nearness_corner)
    paeth = np.where(is_left, left, np.where(nearness_up <= nearness_corner, up, corner))
    return np.choose(kind, [np.int16(0), left, up, (left + up) // 2, paeth])


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    place = len(_SIGNATURE)
    while place < len(data):
        (length,) = struct.unpack_from(">I", data, place)
        yield data[place + 4 : place + 8], data[place + 8 : place + 8 + length]
        place += 12 + length


def _write(palette: Bytes, places: Bytes) -> bytes:
    height, width = places.shape
    lines = np.zeros((height, width + 1), np.uint8)
    lines[:, 1:] = places
    parts = (
        (b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)),
        (b"PLTE", palette.tobytes()),
        (b"IDAT", zlib.compress(lines.tobytes(), 9)),
        (b"IEND", b""),
    )
    return _SIGNATURE + b"".join(
        struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
        for name, body in parts
    )
