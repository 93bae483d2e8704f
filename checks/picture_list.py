"""Which pictures of the pages there are, which are not taken and why, and the text that shows them.

    python -m checks.picture_list

writes docs/pictures.md. Must not know how a picture is taken.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from checks.picture_rooms import ROOMS, Room

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "docs" / "pictures"
TEXT = ROOT / "docs" / "pictures.md"
THEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")


PICTURES = {picture.name: picture for room in ROOMS for picture in room.pictures}
# routes that give a page or a dialog of their own, and why there is no picture of it
NOT_TAKEN = {
    "person-unbind": "the same dialog as person-deactivate; it needs an identity provider",
}
# templates that none of the pictures shows, and why
TEMPLATES_NOT_TAKEN = {
    "pages/sign_out_provider.html": "is left at once; it needs an identity provider",
}
_INTRODUCTION = """# Pictures

Taken by `python -m checks.pictures`: a server is set up in the browser as a person would, with two files; then the
demo project, a deletion, a review, files with faults, a rollback, an extraction, people who come and go; then half
a million rows that run while the last pictures are taken. Every page follows the system's theme, or the switch at
the top. `python -m checks.picture_list` writes this text; a test fails for a page of Linkwright without a picture.
"""


def text() -> str:
    """Return docs/pictures.md."""
    return "\n".join([_INTRODUCTION, *(line for room in ROOMS for line in _lines(room))])


def _lines(room: Room) -> Iterator[str]:
    yield f"## {room.heading}\n"
    if room.says:
        yield f"{room.says}\n"
    for picture in room.pictures:
        yield f"{picture.says}\n"
        shown = picture.says.removesuffix(".").replace("`", "").replace("*", "")
        cells = [f"![{shown}, {theme}](pictures/{picture.name}-{theme}.png)" for theme in THEMES]
        yield "| light | dark |\n|---|---|"
        yield f"| {' | '.join(cells)} |\n"


if __name__ == "__main__":
    TEXT.write_text(text())
