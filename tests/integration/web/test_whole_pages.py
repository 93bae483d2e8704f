"""What holds of every whole page, whichever there are: they are derived from the routes."""

from collections import Counter
from datetime import timedelta
from html.parser import HTMLParser

from django.utils import timezone

from linkwright.store.models import QueueState
from tests.integration.web.conftest import SignIn
from tests.integration.web.seed import World
from tests.integration.web.test_routes import PAGES, path_of
from tests.integration.web.whole_pages import ELSEWHERE, whole_pages

WHOLE = b"<!doctype html>"
BANNER = b'<section class="banner" aria-label="Job Queue paused">'


class Regions(HTMLParser):
    """Collects the names of a page's regions: its sections, and the frames that scroll."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self._texts: dict[str, str] = {}
        self._names: list[tuple[str | None, str | None]] = []
        self._inside: list[str | None] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note a region, and whose text begins."""
        told = dict(attrs)
        if told.get("role") == "region" or (tag == "section" and told.get("role") is None):
            self._names.append((told.get("aria-label"), told.get("aria-labelledby")))
        if tag in {"h1", "h2", "h3"}:
            self._inside.append(told.get("id"))

    def handle_endtag(self, tag: str) -> None:
        """Note whose text ends."""
        if tag in {"h1", "h2", "h3"}:
            self._inside.pop()

    def handle_data(self, data: str) -> None:
        """Keep the text of headings."""
        for name in self._inside:
            if name:
                self._texts[name] = self._texts.get(name, "") + data

    @property
    def twice(self) -> list[str]:
        """The names that more than one region has."""
        told = Counter(label or self._texts.get(by or "", "").strip() for label, by in self._names)
        return sorted(name for name, count in told.items() if name and count > 1)


def test_no_two_regions_of_a_page_have_one_name(world: World, sign_in: SignIn) -> None:
    client = sign_in(world.admin)
    twice = {
        name: found
        for name, address in whole_pages(world).items()
        if (found := Regions(client.get(address).content.decode()).twice)
    }
    assert twice == {}


def test_regions_of_one_name_are_found() -> None:
    page = """<section aria-labelledby="a"><h2 id="a">Pairs <b>of</b> it</h2>
        <div role="region" aria-label="Pairs of it"></div></section><section><h2>Pairs</h2></section>"""
    assert Regions(page).twice == ["Pairs of it"]


def test_each_route_gives_a_whole_page_or_says_why_not(world: World, sign_in: SignIn) -> None:
    client = sign_in(world.admin)
    not_whole, paused = set(), []
    for name, (template, _) in PAGES.items():
        response = client.get(path_of(world, template))
        content = b"".join(response) if response.streaming else response.content
        if response.status_code != 200 or not content.startswith(WHOLE):
            not_whole.add(name)
        if BANNER in content:
            paused.append(name)
    assert not_whole == set(ELSEWHERE)
    # the queue goes on, and none says otherwise
    assert paused == []


def test_every_whole_page_says_that_the_queue_is_paused(world: World, sign_in: SignIn) -> None:
    client = sign_in(world.admin)
    QueueState.objects.update(
        paused_at=timezone.now() - timedelta(minutes=3), paused_by=world.owner, paused_reason="the disk is full"
    )
    silent = [
        name
        for name, address in {**whole_pages(world), "an unknown page": "/no/such/page/"}.items()
        if client.get(address).content.count(BANNER) != 1
    ]
    assert silent == []
