"""The pictures of the documentation: every page and dialog has two, those that are linked are there, all light."""

import re
import struct
import zlib
from pathlib import Path

import pytest
from django.urls import resolve

from checks import picture_stage
from checks.palette_png import PngError, with_palette
from checks.picture_list import FOLDER, NOT_TAKEN, PICTURES, ROOT, TEXT, THEMES, text
from checks.picture_rooms import ROOMS
from tests.integration.web.whole_pages import page_routes

TEXTS = (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))
LINK = re.compile(r"\]\((?!\w+:|#)([^)#\s]+)")
FOLDER_MAY_HAVE_BYTES = 9_000_000
ERROR_PAGE = "pages/error.html"
SIGNATURE = b"\x89PNG\r\n\x1a\n"


@pytest.mark.parametrize("text", TEXTS, ids=lambda text: text.name)
def test_what_a_text_links_is_there(text: Path) -> None:
    links = LINK.findall(text.read_text())
    assert [link for link in links if not (text.parent / link).exists()] == []


def test_every_page_and_dialog_that_a_route_shows_has_a_picture() -> None:
    pictures = [picture for picture in PICTURES.values() if picture.template != ERROR_PAGE]
    shown = {resolve(picture.address.replace("*", "1")).url_name for picture in pictures}
    assert page_routes() - shown == set(NOT_TAKEN)
    assert shown <= page_routes()


def test_no_two_pictures_have_one_name() -> None:
    assert len(PICTURES) == sum(len(room.pictures) for room in ROOMS)


def test_every_picture_is_taken_by_a_scene() -> None:
    scenes = "".join(path.read_text() for path in Path(picture_stage.__file__).parent.glob("picture_*.py"))
    assert [name for name in PICTURES if scenes.count(f'"{name}"') < 2] == []


def test_the_text_of_the_pictures_is_written_from_the_list() -> None:
    assert TEXT.read_text() == text(), "Run 'python -m checks.picture_list'."


def test_every_picture_is_there_in_both_themes_and_no_other_lies_there() -> None:
    wanted = {f"{name}-{theme}.png" for name in PICTURES for theme in THEMES}
    assert {path.name for path in FOLDER.iterdir()} == wanted


def test_the_pictures_are_light() -> None:
    assert sum(path.stat().st_size for path in FOLDER.iterdir()) < FOLDER_MAY_HAVE_BYTES
    for path in FOLDER.iterdir():
        # colour type 3: a palette
        assert path.read_bytes()[25] == 3, path.name


def png_of(rows: list[list[tuple[int, ...]]], filters: list[int]) -> bytes:
    """Write pixels as Chromium would: unfiltered values, each line under the filter type of its own."""
    size = len(rows[0][0])
    raw, above = b"", [0] * (len(rows[0]) * size)
    for kind, row in zip(filters, rows, strict=True):
        line = [value for pixel in row for value in pixel]
        coded = []
        for place, value in enumerate(line):
            left = line[place - size] if place >= size else 0
            corner = above[place - size] if place >= size else 0
            up = above[place]
            nearest = min((left, up, corner), key=lambda one: abs(left + up - corner - one))
            guess = (0, left, up, (left + up) // 2, nearest)[kind]
            coded.append((value - guess) & 255)
        raw += bytes([kind, *coded])
        above = line
    header = struct.pack(">IIBBBBB", len(rows[0]), len(rows), 8, {3: 2, 4: 6}[size], 0, 0, 0)
    parts = ((b"IHDR", header), (b"IDAT", zlib.compress(raw)), (b"IEND", b""))
    return SIGNATURE + b"".join(
        struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
        for name, body in parts
    )


def pixels_of(data: bytes) -> list[list[tuple[int, ...]]]:
    """Read a PNG with a palette, unfiltered."""
    width, height = struct.unpack(">II", data[16:24])
    palette_at, body_at = data.index(b"PLTE") + 4, data.index(b"IDAT") + 4
    raw = zlib.decompress(data[body_at:])
    lines = [raw[place + 1 : place + 1 + width] for place in range(0, height * (width + 1), width + 1)]
    return [[tuple(data[palette_at + 3 * one : palette_at + 3 * one + 3]) for one in line] for line in lines]


@pytest.mark.parametrize("alpha", [(), (255,)])
def test_few_colours_stay_as_they_are_whatever_the_filters(alpha: tuple[int, ...]) -> None:
    rows = [[(line * 40, column * 30, 200 - line * column, *alpha) for column in range(7)] for line in range(6)]
    made = with_palette(png_of(rows, [0, 1, 2, 3, 4, 4]))
    assert pixels_of(made) == [[pixel[:3] for pixel in row] for row in rows]


def test_of_many_colours_the_commonest_stay_and_the_others_come_near() -> None:
    paper, ink = (250, 251, 252), (20, 21, 22)
    fades = [(line * 8 % 256, column * 4, 90) for line in range(32) for column in range(64)]
    rows = [[paper] * 64 + [ink] * 64 + fades[64 * line : 64 * line + 64] for line in range(32)]
    made = pixels_of(with_palette(png_of([[tuple(pixel) for pixel in row] for row in rows], [0] * 32)))
    assert all(row[0] == paper and row[64] == ink for row in made)
    worst = max(
        abs(one - other)
        for before, after in zip(rows, made, strict=True)
        for pixels in zip(before, after, strict=True)
        for one, other in zip(*pixels, strict=True)
    )
    # 2,050 colours, of which the palette holds 256 at most
    assert worst <= 32
    assert len({pixel for row in made for pixel in row}) <= 256


def test_what_is_no_png_is_refused() -> None:
    with pytest.raises(PngError):
        with_palette(b"GIF89a")
