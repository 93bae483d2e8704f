"""Whoever sends a cookie that no session can have is nobody, on both databases."""

from django.test import Client

from linkwright.store.models import User
from tests.live_system import LiveSystem


def test_a_session_key_that_no_database_takes_is_nobodys(on_both: LiveSystem) -> None:
    del on_both
    # so that there is somebody to sign in
    User.objects.create(username="administrator", is_superuser=True)
    odd = {"cookie": 'sessionid="\\000abcdefghijk"'}
    assert Client().get("/health", headers=odd).status_code == 200
    assert Client().get("/projects/", headers=odd).status_code == 302
    assert Client().post("/sign-in/", headers=odd).status_code == 200
