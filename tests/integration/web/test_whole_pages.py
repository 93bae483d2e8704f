"""What holds of every whole page, whichever there are: they are derived from the routes."""

from datetime import timedelta

from django.utils import timezone

from linkwright.store.models import QueueState
from tests.integration.web.conftest import SignIn
from tests.integration.web.seed import World
from tests.integration.web.test_routes import PAGES, path_of
from tests.integration.web.whole_pages import ELSEWHERE, whole_pages

WHOLE = b"<!doctype html>"
BANNER = b'<section class="banner" aria-label="Job Queue paused">'


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
