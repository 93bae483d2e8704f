"""API keys in the person menu: made, shown once, listed, revoked; Administrators see everybody's."""

import re

from linkwright.services.create_api_key import create_api_key, token_hash
from linkwright.store.audit_log import COMMAND_LINE
from linkwright.store.models import ApiKey, AuditLogEntry
from tests.integration.web.conftest import SignIn
from tests.integration.web.seed import World

NEW = "/account/api-keys/new/"
LIST = "/account/api-keys/"


def test_a_new_key_is_shown_once_and_in_no_list(empty_world: World, sign_in: SignIn) -> None:
    client = sign_in(empty_world.owner)
    response = client.post(NEW, {"name": "nightly", "days": "30", "permission": ["submit"]})
    found = re.search(r'value="(lw_[\w-]{43})"', response.content.decode())
    assert found is not None
    assert "no-store" in response["Cache-Control"]
    key = ApiKey.objects.get()
    assert (key.token_sha256, key.permissions) == (token_hash(found[1]), ["submit"])
    assert (key.expires_at - key.created_at).days == 30
    listed = client.get(LIST).content.decode()
    assert found[1] not in listed
    assert f"{key.token_start}…" in listed
    assert AuditLogEntry.objects.get(action="create API key").user == empty_world.owner


def test_a_form_that_cannot_be_meant_is_shown_again_with_the_reason(empty_world: World, sign_in: SignIn) -> None:
    client = sign_in(empty_world.owner)
    for values, reason in (
        ({"name": "", "days": "30"}, "cannot name an API key"),
        ({"name": "x", "days": "9999"}, "allowed are 1 to 730"),
        ({"name": "x", "days": "soon"}, "allowed are 1 to 730"),
        ({"name": "x", "days": "9", "permission": ["fly"]}, "no such permission"),
    ):
        response = client.post(NEW, values)
        assert response.status_code == 409
        assert reason in response.content.decode()
    assert not ApiKey.objects.exists()


def test_sending_the_form_twice_makes_one_key(empty_world: World, sign_in: SignIn) -> None:
    client = sign_in(empty_world.owner)
    assert client.post(NEW, {"name": "nightly", "days": "30"}).status_code == 200
    assert client.post(NEW, {"name": "nightly", "days": "30"}).status_code == 409
    assert ApiKey.objects.count() == 1


def test_a_person_is_offered_only_permissions_that_they_hold(empty_world: World, sign_in: SignIn) -> None:
    offered = {
        name: set(re.findall(r'name="permission" value="([^"]+)"', sign_in(user).get(NEW).content.decode()))
        for name, user in (("viewer", empty_world.viewer), ("admin", empty_world.admin))
    }
    assert offered["viewer"] == {"see jobs"}
    assert "clear" in offered["admin"]


def test_each_sees_their_own_keys_and_an_administrator_all(empty_world: World, sign_in: SignIn) -> None:
    for user in (empty_world.owner, empty_world.viewer):
        create_api_key(user, f"of {user.username}", COMMAND_LINE)
    own = sign_in(empty_world.owner).get(LIST).content.decode()
    assert ("of owner" in own, "of viewer" in own, "Keys of others" in own) == (True, False, False)
    everybodys = sign_in(empty_world.admin).get(LIST).content.decode()
    assert all(text in everybodys for text in ("of owner", "of viewer", "Keys of others"))


def test_a_key_is_revoked_through_its_dialog(empty_world: World, sign_in: SignIn) -> None:
    key = create_api_key(empty_world.owner, "nightly", COMMAND_LINE).key
    path = f"/account/api-keys/{key.pk}/revoke/"
    client = sign_in(empty_world.admin)
    assert "It is a key of owner." in client.get(path, headers={"HX-Request": "true"}).content.decode()
    assert ApiKey.objects.get().revoked_at is None
    response = client.post(path, {"reason": "left us"}, headers={"HX-Request": "true"})
    assert (response.status_code, response["HX-Redirect"]) == (204, LIST)
    listed = client.get(LIST).content.decode()
    assert "The key nightly is revoked." in listed
    assert f'id="key-{key.pk}-revoke"' not in listed
    assert AuditLogEntry.objects.get(action="revoke API key").reason == "left us"
