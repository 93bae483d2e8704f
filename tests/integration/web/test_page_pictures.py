"""The pictures of the documentation show every template of a page and of a dialog, not only every route."""

from pathlib import Path

from django.urls import resolve

from checks.picture_list import PICTURES, TEMPLATES_NOT_TAKEN
from linkwright import web
from tests.integration.web.conftest import SignIn
from tests.integration.web.seed import World
from tests.integration.web.whole_pages import whole_pages

TEMPLATES = Path(web.__file__).parent / "templates" / "web"


def test_every_template_of_a_page_or_dialog_is_shown_by_a_picture(world: World, sign_in: SignIn) -> None:
    there = {
        f"{path.parent.name}/{path.name}" for room in ("pages", "dialogs") for path in (TEMPLATES / room).iterdir()
    }
    shown = {picture.template for picture in PICTURES.values()}
    routes = {resolve(picture.address.replace("*", "1")).url_name for picture in PICTURES.values()}
    client = sign_in(world.admin)
    for name, address in whole_pages(world).items():
        if name in routes:
            shown |= {str(one.name).removeprefix("web/") for one in client.get(address).templates}
    assert there - shown == set(TEMPLATES_NOT_TAKEN)
