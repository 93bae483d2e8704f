"""People, members and API keys over the API: what can be done, what cannot, and that no secret is given out."""

from typing import Any

import pytest
from django.contrib.auth import authenticate
from django.contrib.sessions.backends.db import SessionStore
from django.db.models import QuerySet
from django.test import Client
from django.utils import timezone

from linkwright.services.throttle_sign_in import WaitError, attempt_failed, begin_attempt
from linkwright.store.audit_log import COMMAND_LINE
from linkwright.store.models import ApiKey, AuditLogEntry, Invitation, Membership, ProviderIdentity, SignIn, User
from linkwright.store.settings import change_setting
from tests.integration.api.conftest import Api, KeyFor
from tests.integration.web.seed import World

GOOD = "four words without sense"


@pytest.fixture
def admin(empty_world: World, key_for: KeyFor) -> Api:
    return key_for(empty_world.admin)


@pytest.fixture
def owner(empty_world: World, key_for: KeyFor) -> Api:
    return key_for(empty_world.owner)


def done(response: Any, status: int = 200) -> Any:
    assert response.status_code == status, response.content
    return response.json()


def refused(response: Any, status: int = 409) -> str:
    return str(done(response, status)["error"]["message"])


def actions() -> list[tuple[str, str]]:
    """Return what was done and to what, the oldest first, without the keys that the tests make."""
    entries = AuditLogEntry.objects.exclude(origin="command line").order_by("number")
    return list(entries.values_list("action", "target"))


def session_of(user: User) -> SignIn:
    session = SessionStore()
    session.create()
    now = timezone.now()
    return SignIn.objects.create(
        user=user, session_key=str(session.session_key), at=now, seen_at=now, origin="10.0.0.9", browser="Firefox"
    )


def test_an_invited_person_chooses_a_password_by_the_link(admin: Api) -> None:
    form = {"user_name": "nora", "email": "nora@example.org", "project_code": "PERINATAL", "role": "Reviewer"}
    invited = done(admin.post("/people", form), 201)
    assert invited["link"].startswith("http://testserver/invitation/")
    person = done(admin.get(f"/people/{invited['person_id']}"))
    assert (person["has_password"], person["link_expires_at"]) == (False, invited["expires_at"])
    assert person["roles"] == [{"project_code": "PERINATAL", "role": "Reviewer"}]
    path = invited["link"].removeprefix("http://testserver")
    assert path.split("/")[2] not in repr([*Invitation.objects.values(), *AuditLogEntry.objects.values()])
    assert Client().post(path, {"new": GOOD, "again": GOOD})["Location"] == "/sign-in/"
    assert authenticate(username="nora", password=GOOD) is not None
    person = done(admin.get(f"/people/{invited['person_id']}"))
    assert (person["has_password"], person["link_expires_at"]) == (True, None)
    assert actions()[:2] == [("invite person", "nora"), ("add member", "nora")]


def test_links_lead_where_people_reach_the_pages(admin: Api, empty_world: World) -> None:
    change_setting("Notifications.Email.PagesAddress", "https://linkage.example.org/", COMMAND_LINE)
    first = done(admin.post(f"/people/{empty_world.viewer.pk}/link"), 201)
    assert first["link"].startswith("https://linkage.example.org/invitation/")
    done(admin.post(f"/people/{empty_world.viewer.pk}/link"), 201)
    assert Invitation.objects.filter(user=empty_world.viewer, ended_at=None).count() == 1


@pytest.mark.parametrize(
    ("form", "status", "told"),
    [
        ({"user_name": "OWNER"}, 409, "There is a person"),
        ({"user_name": "two\nlines"}, 409, "one line"),
        ({"user_name": "nora", "email": "@"}, 409, "e-mail"),
        ({"user_name": "nora", "role": "Viewer"}, 409, "project_code and role"),
        ({"user_name": "nora", "project_code": "PERINATAL"}, 409, "project_code and role"),
        ({"user_name": "nora", "project_code": "NONE", "role": "Viewer"}, 404, "no Linkage Project NONE"),
        ({"user_name": "nora", "project_code": "PERINATAL", "role": "King"}, 422, "not as described"),
        ({"user_name": " "}, 422, "not as described"),
    ],
)
def test_an_invitation_that_cannot_be_is_refused(admin: Api, form: dict[str, str], status: int, told: str) -> None:
    before = User.objects.count()
    assert told in refused(admin.post("/people", form), status)
    assert User.objects.count() == before
    assert actions() == []


def test_of_two_who_invite_one_person_at_once_the_second_is_told(
    admin: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = User.objects.count()
    # the other one commits between the look and the write
    monkeypatch.setattr(QuerySet, "exists", lambda _rows: False)
    told = refused(admin.post("/people", {"user_name": "owner"}))
    assert "There is a person owner already" in told
    assert User.objects.count() == before
    assert actions() == []


def test_people_are_listed_page_by_page(admin: Api) -> None:
    found, path = [], "/people?limit=2"
    while path:
        page = done(admin.get(path))
        assert len(page["items"]) <= 2
        found += [one["user_name"] for one in page["items"]]
        path = (page["next"] or "").removeprefix("/api/v1")
    assert found == list(User.objects.order_by("pk").values_list("username", flat=True))
    (one,) = done(admin.get("/people?user_name=owner"))["items"]
    assert one["roles"][0] == {"project_code": "PERINATAL", "role": "Owner"}


def test_no_answer_holds_a_password_or_a_hash(admin: Api, empty_world: World) -> None:
    empty_world.viewer.set_password(GOOD)
    empty_world.viewer.save()
    session = session_of(empty_world.viewer)
    done(admin.post(f"/people/{empty_world.viewer.pk}/link"), 201)
    secret = [
        empty_world.viewer.password,
        session.session_key,
        *Invitation.objects.values_list("token_sha256", flat=True),
        *ApiKey.objects.values_list("token_sha256", flat=True),
        admin.token,
    ]
    paths = ("/people", f"/people/{empty_world.viewer.pk}", "/api-keys", "/projects/PERINATAL/members")
    texts = [admin.get(path).content.decode() for path in paths]
    assert all(len(text) > 50 for text in texts)
    assert not [one for one in secret if any(one in text for text in texts)]


def test_a_person_is_shut_out_and_let_in_again(admin: Api, empty_world: World, key_for: KeyFor) -> None:
    viewer, theirs = empty_world.viewer, key_for(empty_world.viewer)
    session_of(viewer)
    person = done(admin.post(f"/people/{viewer.pk}/deactivate", {"reason": "has left"}))
    assert (person["is_active"], person["sessions"]) == (False, [])
    assert theirs.get("/me").status_code == 401
    assert "deactivated" in refused(admin.post(f"/people/{viewer.pk}/link"))
    assert AuditLogEntry.objects.get(action="deactivate person").reason == "has left"
    assert done(admin.post(f"/people/{viewer.pk}/reactivate"))["is_active"] is True
    assert theirs.get("/me").status_code == 200


def test_nobody_shuts_themselves_out_nor_ends_the_last_administrator(
    admin: Api, empty_world: World, key_for: KeyFor
) -> None:
    me = f"/people/{empty_world.admin.pk}"
    assert "yourself" in refused(admin.post(f"{me}/deactivate"))
    assert "yourself" in refused(admin.put(f"{me}/administrator", {"is_administrator": False}))
    other = f"/people/{empty_world.owner.pk}"
    assert done(admin.put(f"{other}/administrator", {"is_administrator": True}))["is_administrator"] is True
    taken = key_for(empty_world.owner).put(f"{me}/administrator", {"is_administrator": False})
    assert done(taken)["is_administrator"] is False
    assert admin.get("/people").status_code == 403


def test_one_session_ends_or_all_of_them(admin: Api, empty_world: World) -> None:
    viewer = empty_world.viewer
    first, _second, _third = (session_of(viewer) for _ in range(3))
    foreign = session_of(empty_world.owner)
    path = f"/people/{viewer.pk}"
    assert {one["browser"] for one in done(admin.get(path))["sessions"]} == {"Firefox"}
    left = done(admin.post(f"{path}/end-sessions", {"session_id": first.pk}))["sessions"]
    assert (len(left), first.pk in {one["id"] for one in left}) == (2, False)
    refused(admin.post(f"{path}/end-sessions", {"session_id": foreign.pk}), 404)
    assert done(admin.post(f"{path}/end-sessions"))["sessions"] == []
    assert len(done(admin.get(f"/people/{empty_world.owner.pk}"))["sessions"]) == 1


def test_a_wait_after_wrong_passwords_is_lifted(admin: Api, empty_world: World) -> None:
    change_setting("SignIn.Failures", 1, COMMAND_LINE)
    begin_attempt("viewer", "10.0.0.7")
    with pytest.raises(WaitError):
        attempt_failed("viewer", "10.0.0.7")
    path = f"/people/{empty_world.viewer.pk}"
    assert done(admin.get(path))["waits_until"] is not None
    assert done(admin.post(f"{path}/lift-wait"))["waits_until"] is None


def test_who_is_bound_at_a_provider_is_told_and_unbound(admin: Api, empty_world: World, key_for: KeyFor) -> None:
    bound = ProviderIdentity.objects.create(
        user=empty_world.viewer,
        issuer="https://id.health.example",
        subject="u-17",
        bound_at=timezone.now(),
        bound_by="email",
    )
    path = f"/people/{empty_world.viewer.pk}"
    (told,) = done(admin.get(path))["identities"]
    assert (told["issuer"], told["subject"], told["used_at"]) == ("https://id.health.example", "u-17", None)
    refused(admin.post(f"/people/{empty_world.owner.pk}/unbind", {"identity_id": bound.pk}), 404)
    assert done(admin.post(f"{path}/unbind", {"identity_id": bound.pk}))["identities"] == []
    refused(admin.post(f"{path}/unbind", {"identity_id": bound.pk}), 404)
    assert AuditLogEntry.objects.filter(action="unbind account from provider", target="viewer").count() == 1


def test_a_person_that_there_is_not_is_not_found(admin: Api) -> None:
    for path in ("link", "deactivate", "reactivate", "end-sessions", "lift-wait"):
        assert "There is no person 999999" in refused(admin.post(f"/people/999999/{path}"), 404)


def test_members_come_change_and_go(owner: Api, empty_world: World, key_for: KeyFor) -> None:
    newcomer = User.objects.create_user("newcomer", password=GOOD)
    theirs, here = key_for(newcomer), "/projects/PERINATAL/members"
    added = done(owner.post(here, {"user_name": "newcomer", "role": "Viewer"}), 201)
    assert (added["person_id"], added["role"], added["invitation"]) == (newcomer.pk, "Viewer", None)
    assert theirs.get("/projects/PERINATAL").status_code == 200
    assert done(owner.put(f"{here}/{newcomer.pk}", {"role": "Operator"}))["role"] == "Operator"
    assert Membership.objects.get(user=newcomer).role == "Operator"
    assert newcomer.pk in {one["person_id"] for one in done(owner.get(here))["items"]}
    assert done(owner.delete(f"{here}/{newcomer.pk}"))["user_name"] == "newcomer"
    assert theirs.get("/projects/PERINATAL").status_code == 404
    refused(owner.delete(f"{here}/{newcomer.pk}"), 404)
    # whoever is no member here is nobody, though there is such a person
    refused(owner.put(f"{here}/{empty_world.stranger.pk}", {"role": "Viewer"}), 404)
    assert [action for action, _ in actions()] == ["add member", "change role", "remove member"]


def test_whoever_is_not_there_yet_is_invited_into_the_project(owner: Api) -> None:
    form = {"user_name": "nora", "role": "Reviewer", "email": "nora@example.org"}
    added = done(owner.post("/projects/PERINATAL/members", form), 201)
    assert added["has_password"] is False
    assert "/invitation/" in added["invitation"]["link"]
    assert Membership.objects.get(user__username="nora").project.code == "PERINATAL"


def test_an_owner_does_not_change_their_own_role(owner: Api, empty_world: World) -> None:
    here = f"/projects/PERINATAL/members/{empty_world.owner.pk}"
    assert "your own role" in refused(owner.put(here, {"role": "Viewer"}))
    assert "your own role" in refused(owner.delete(here))
    assert Membership.objects.get(user=empty_world.owner).role == "Owner"


def test_members_are_listed_page_by_page(owner: Api) -> None:
    first = done(owner.get("/projects/PERINATAL/members?limit=3"))
    rest = done(owner.get(first["next"].removeprefix("/api/v1")))
    ids = [one["person_id"] for one in [*first["items"], *rest["items"]]]
    held = Membership.objects.filter(project__code="PERINATAL").order_by("user_id")
    assert ids == list(held.values_list("user_id", flat=True))


def test_a_key_is_made_used_narrowed_and_revoked(owner: Api) -> None:
    made = done(
        owner.post("/api-keys", {"name": "nightly", "lifetime_days": 30, "permissions": ["see jobs"]}), 201
    )
    theirs = Api(made["token"])
    assert done(theirs.get("/me"))["key_permissions"] == ["see jobs"]
    (listed,) = [one for one in done(owner.get("/api-keys"))["items"] if one["id"] == made["id"]]
    assert {**listed, "last_used_at": None, "last_used_from": ""} == {
        name: value for name, value in made.items() if name != "token"
    }
    assert "already" in refused(owner.post("/api-keys", {"name": "nightly"}))
    revoked = done(owner.post(f"/api-keys/{made['id']}/revoke", {"reason": "lost"}))
    assert (revoked["revoked_by"], revoked["revoked_at"] is not None) == ("owner", True)
    assert theirs.get("/me").status_code == 401
    assert actions() == [
        ("create API key", "API key nightly of owner"),
        ("revoke API key", "API key nightly of owner"),
    ]


def test_a_narrowed_key_cannot_make_itself_a_wider_one(empty_world: World, key_for: KeyFor) -> None:
    narrowed = key_for(empty_world.admin, permissions=["see jobs", "manage people"])
    key_id = ApiKey.objects.latest("pk").pk
    before = ApiKey.objects.count()
    assert "not narrowed" in refused(narrowed.post("/api-keys", {"name": "wider"}), 403)
    assert "not narrowed" in refused(narrowed.get("/api-keys"), 403)
    assert "not narrowed" in refused(narrowed.post(f"/api-keys/{key_id}/revoke"), 403)
    assert "narrowed" in refused(narrowed.post("/people", {"user_name": "nora", "is_administrator": True}), 403)
    assert ApiKey.objects.count() == before


def test_keys_of_others_are_administrators_to_see_and_revoke(admin: Api, owner: Api, empty_world: World) -> None:
    person = empty_world.owner.pk
    (key,) = done(admin.get(f"/api-keys?person_id={person}"))["items"]
    assert key["user_name"] == "owner"
    assert {one["user_name"] for one in done(owner.get("/api-keys"))["items"]} == {"owner"}
    assert done(owner.get(f"/api-keys?person_id={empty_world.admin.pk}"))["items"] == []
    done(admin.post(f"/api-keys/{key['id']}/revoke"))
    assert owner.get("/me").status_code == 401
