"""People: invited by a link that works once, given roles, shut out and let in; sessions end when they should."""

import re
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from django.contrib.auth import authenticate
from django.test import Client
from django.utils import timezone

from linkwright.services.list_sessions import list_sessions
from linkwright.store.audit_log import COMMAND_LINE
from linkwright.store.models import AuditLogEntry, Invitation, Mail, MailEvent, Membership, Role, SignIn, User
from linkwright.store.settings import change_setting
from tests.integration.web.conftest import SignIn as SignInClient
from tests.integration.web.seed import PASSWORD, World

GOOD = "four words without sense"


def link_in(response: Any) -> str:
    found = re.search(r'value="http://testserver(/invitation/[^"]+)"', response.content.decode())
    assert found is not None
    return found[1]


def choose(link: str, password: str = GOOD, again: str | None = None) -> Any:
    return Client().post(link, {"new": password, "again": password if again is None else again})


def act(client: Client, person: User, what: str, **given: str) -> tuple[int, str]:
    response = client.post(f"/admin/people/{person.pk}/{what}/", given)
    return response.status_code, unescape(response.content.decode())


def actions() -> list[str]:
    return list(AuditLogEntry.objects.order_by("number").values_list("action", flat=True))


def test_an_invited_person_chooses_a_password_once_and_signs_in(empty_world: World, sign_in: SignInClient) -> None:
    form = {"username": "nora", "email": "nora@example.org", "project": "PERINATAL", "role": "Reviewer"}
    shown = sign_in(empty_world.admin).post("/admin/people/invite/", form)
    link = link_in(shown)
    assert shown["Cache-Control"].startswith("max-age=0")
    nora = User.objects.get(username="nora")
    assert Membership.objects.get(user=nora).role == Role.REVIEWER
    assert link.split("/")[2] not in repr([*Invitation.objects.values(), *AuditLogEntry.objects.values()])
    assert "nora" in Client().get(link).content.decode()
    for password, again, told in (
        ("short", "short", "at least 12 characters"),
        ("password1234", "password1234", "too common"),
        ("Nora@Example.org", "Nora@Example.org", "too similar to the email address"),
        (GOOD, "another", "differ"),
    ):
        refused = choose(link, password, again)
        assert (refused.status_code, told in refused.content.decode()) == (409, True)
    assert choose(link)["Location"] == "/sign-in/"
    assert authenticate(username="nora", password=GOOD) == nora
    again = choose(link, "yet another good one")
    assert (again.status_code, "This link is over" in again.content.decode()) == (404, True)
    assert authenticate(username="nora", password=GOOD) == nora
    assert actions() == ["invite person", "add member", "choose password"]
    assert AuditLogEntry.objects.latest("pk").user == nora


def test_a_link_ends_when_it_expires_is_renewed_or_its_person_is_shut_out(
    empty_world: World, sign_in: SignInClient
) -> None:
    admin = sign_in(empty_world.admin)
    first = link_in(admin.post("/admin/people/invite/", {"username": "nora"}))
    nora = User.objects.get(username="nora")
    second = link_in(admin.post(f"/admin/people/{nora.pk}/link/"))
    assert choose(first).status_code == 404
    Invitation.objects.filter(ended_at=None).update(expires_at=timezone.now() - timedelta(seconds=1))
    assert choose(second).status_code == 404
    third = link_in(admin.post(f"/admin/people/{nora.pk}/link/"))
    act(admin, nora, "deactivate")
    assert choose(third).status_code == 404
    assert act(admin, nora, "link")[0] == 409
    act(admin, nora, "reactivate")
    assert choose(third).status_code == 404


def test_a_link_is_mailed_past_the_outbox(empty_world: World, sign_in: SignInClient, tmp_path: Any) -> None:
    for name, value in (("Enabled", True), ("Delivery", "file"), ("PagesAddress", "https://linkage.example.org")):
        change_setting(f"Notifications.Email.{name}", value, COMMAND_LINE)
    form = {"username": "nora", "email": "nora@example.org"}
    html = sign_in(empty_world.admin).post("/admin/people/invite/", form).content.decode()
    assert 'value="https://linkage.example.org/invitation/' in html
    assert "Mailed to nora@example.org" in html
    assert not Mail.objects.exists()
    assert not MailEvent.objects.exists()


def test_owners_add_who_is_there_invite_who_is_not_and_change_roles_of_their_project(
    empty_world: World, sign_in: SignInClient
) -> None:
    owner, page = sign_in(empty_world.owner), "/projects/PERINATAL/people/"
    added = owner.post(f"{page}add/", {"username": "stranger", "role": "Viewer"})
    assert added["Location"] == page
    assert choose(link_in(owner.post(f"{page}add/", {"username": "nora", "role": "Operator"}))).status_code == 302
    html = owner.get(page).content.decode()
    assert "nora" in html
    assert "admin/people" not in html
    viewer, own = empty_world.viewer, empty_world.owner
    assert owner.post(f"{page}{viewer.pk}/", {"role": "Operator"}).status_code == 302
    assert Membership.objects.get(user=viewer).role == Role.OPERATOR
    assert owner.post(f"{page}{viewer.pk}/", {"role": ""}).status_code == 302
    assert not Membership.objects.filter(user=viewer).exists()
    refused = owner.post(f"{page}{own.pk}/", {"role": "Viewer"})
    assert (refused.status_code, "cannot change your own role" in refused.content.decode()) == (409, True)
    assert owner.post(f"{page}{empty_world.operator.pk}/", {"role": "King"}).status_code == 409
    assert actions()[-2:] == ["change role", "remove member"]
    # an Owner cannot take over somebody's account
    assert owner.post(f"/admin/people/{empty_world.admin.pk}/link/").status_code == 403
    assert owner.post(f"{page}add/", {"username": "ADMIN", "role": "Viewer"}).status_code == 409


def test_nobody_shuts_out_themselves_or_the_last_administrator(empty_world: World, sign_in: SignInClient) -> None:
    admin = sign_in(empty_world.admin)
    for what in ("deactivate", "administrator"):
        status, html = act(admin, empty_world.admin, what)
        assert (status, "Ask another Administrator" in html) == (409, True)
    act(admin, empty_world.owner, "administrator")
    owner = User.objects.get(pk=empty_world.owner.pk)
    assert owner.is_superuser
    assert act(sign_in(owner), empty_world.admin, "administrator")[0] == 302
    assert list(User.objects.filter(is_superuser=True)) == [owner]
    assert actions() == ["make Administrator", "unmake Administrator"]


def test_who_is_deactivated_is_out_at_once_and_may_come_back(empty_world: World, sign_in: SignInClient) -> None:
    admin, viewer = sign_in(empty_world.admin), sign_in(empty_world.viewer)
    assert viewer.get("/projects/").status_code == 200
    assert act(admin, empty_world.viewer, "deactivate", reason="left us")[0] == 302
    assert viewer.get("/projects/").status_code == 302
    assert authenticate(username="viewer", password=PASSWORD) is None
    assert AuditLogEntry.objects.get(action="deactivate person").reason == "left us"
    act(admin, empty_world.viewer, "reactivate")
    assert authenticate(username="viewer", password=PASSWORD) == empty_world.viewer
    assert viewer.get("/projects/").status_code == 302


def test_sessions_are_listed_and_ended_one_or_all(empty_world: World, sign_in: SignInClient) -> None:
    admin, clients = sign_in(empty_world.admin), [sign_in(empty_world.viewer) for _ in range(3)]
    for number, client in enumerate(clients):
        client.get("/projects/", headers={"User-Agent": f"Browser {number}"})
    found = list_sessions(empty_world.viewer)
    assert [one.browser for one in found] == ["Browser 2", "Browser 1", "Browser 0"]
    html = admin.get(f"/admin/people/{empty_world.viewer.pk}/").content.decode()
    assert "Browser 1" in html
    assert found[1].session_key not in html
    act(admin, empty_world.viewer, "sessions", session=str(found[1].pk))
    assert [client.get("/projects/").status_code for client in clients] == [200, 302, 200]
    # of another person's session nothing ends
    own = list_sessions(empty_world.admin)[0]
    act(admin, empty_world.viewer, "sessions", session=str(own.pk))
    assert admin.get("/projects/").status_code == 200
    act(admin, empty_world.viewer, "sessions")
    assert [client.get("/projects/").status_code for client in clients] == [302, 302, 302]
    assert AuditLogEntry.objects.filter(action="end sessions").count() == 2


@pytest.mark.parametrize(("path", "counts"), [("/projects/", True), ("/jobs/all/live/", False)])
def test_an_idle_session_ends_and_a_page_that_polls_keeps_none_open(
    empty_world: World, sign_in: SignInClient, monkeypatch: pytest.MonkeyPatch, path: str, counts: bool
) -> None:
    change_setting("Sessions.IdleMinutes", 10, COMMAND_LINE)
    client, now_s = sign_in(empty_world.viewer), 1_000_000.0
    monkeypatch.setattr("linkwright.web.session_limits.time.time", lambda: now_s)
    client.get("/projects/")
    for _ in range(3):
        now_s += 299
        client.get(path)
    assert client.get("/projects/").status_code == (200 if counts else 302)
    now_s += 601
    assert client.get("/projects/").status_code == 302


def test_a_session_ends_after_its_longest_time_however_it_is_used(
    empty_world: World, sign_in: SignInClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    change_setting("Sessions.MaxHours", 1, COMMAND_LINE)
    client, now_s = sign_in(empty_world.viewer), 1_000_000.0
    monkeypatch.setattr("linkwright.web.session_limits.time.time", lambda: now_s)
    for _ in range(7):
        assert client.get("/projects/").status_code == 200
        now_s += 599
    assert client.get("/projects/").status_code == 302


def test_a_new_password_needs_the_present_one_and_ends_the_other_sessions(
    empty_world: World, sign_in: SignInClient
) -> None:
    client, other = sign_in(empty_world.viewer), sign_in(empty_world.viewer)
    other.get("/projects/")
    form = {"present": PASSWORD, "new": GOOD, "again": GOOD}
    for wrong, told in (({"present": "no"}, "not your present password"), ({"again": "no"}, "differ")):
        refused = client.post("/account/password/", {**form, **wrong})
        assert (refused.status_code, told in refused.content.decode()) == (409, True)
    assert client.post("/account/password/", form).status_code == 302
    assert authenticate(username="viewer", password=GOOD) == empty_world.viewer
    assert client.get("/account/password/").status_code == 200
    assert other.get("/projects/").status_code == 302
    assert actions() == ["change password"]
    assert SignIn.objects.filter(user=empty_world.viewer).count() == 2
    assert len(list_sessions(empty_world.viewer)) == 1


def test_what_there_is_not_is_not_found(empty_world: World, sign_in: SignInClient) -> None:
    assert sign_in(empty_world.admin).get("/admin/people/987654/").status_code == 404
