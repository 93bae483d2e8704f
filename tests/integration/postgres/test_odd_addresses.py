"""An address with a character that PostgreSQL takes in no text is an address of nothing, on both databases."""

import pytest
from django.test import Client

from linkwright.store.models import User
from tests.live_system import LiveSystem

PATHS = (
    *("/projects/a%00b/", "/projects/a%00b/members/", "/reports/a%00b/", "/catalog/event-types/a%00b/"),
    *("/api/v1/projects/a%00b", "/no-such-page/%00"),
)
QUERIES = (
    *("/jobs/envelopes/?text=a%00b", "/jobs/envelopes/?project=%00&type=%00&provider=%00&action=%00&status=%00"),
    *(
        "/jobs/all/?text=%00",
        "/jobs/all/?kind=%00&project=%00&provider=%00&type=%00",
        "/jobs/queue/history/?person=%00",
    ),
    *(
        "/admin/audit-log/?text=%00&person=%00&project=%00&action=%00",
        "/search/?text=a%00b",
        "/projects/?archived=%00",
    ),
)


@pytest.fixture
def client(on_both: LiveSystem) -> Client:
    """Return an Administrator's browser, to which an error of the server is an answer."""
    del on_both
    found = Client(raise_request_exception=False)
    found.force_login(User.objects.create(username="administrator", is_superuser=True))
    return found


@pytest.mark.parametrize("path", PATHS)
def test_nothing_is_at_such_a_path(client: Client, path: str) -> None:
    assert client.get(path).status_code in ({401, 404} if path.startswith("/api/") else {404})


@pytest.mark.parametrize("address", QUERIES)
def test_a_question_with_such_a_character_is_answered(client: Client, address: str) -> None:
    assert client.get(address, follow=True).status_code in {200, 404}
