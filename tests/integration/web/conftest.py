"""A seeded database, and a signed-in client for each person."""

from collections.abc import Callable

import pytest
from django.test import Client

from linkwright.config import load_config, prepare_home
from linkwright.store.models import User
from tests.integration.web.kept_seed import lay
from tests.integration.web.seed import World, seed_people_and_projects, seed_world

SignIn = Callable[[User | None], Client]


@pytest.fixture(autouse=True)
def _data_folder() -> None:
    prepare_home(load_config())


@pytest.fixture
def world(db: None) -> World:
    """Return a busy morning: Envelopes in every status."""
    return lay(seed_world)


@pytest.fixture
def empty_world(db: None) -> World:
    """Return people and projects, and no Envelope."""
    return lay(seed_people_and_projects)


@pytest.fixture
def sign_in() -> SignIn:
    """Return a function that makes a client for a person, or for nobody."""

    def make(user: User | None) -> Client:
        client = Client(enforce_csrf_checks=False)
        if user is not None:
            client.force_login(user)
        return client

    return make
