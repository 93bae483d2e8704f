"""Signing in at an OpenID Connect provider: the way there and back, whose account it is, and answers that lie."""

import time
from collections.abc import Callable, Iterator
from html import unescape
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
import requests
from django.test import Client

from linkwright.services.check_provider import check_provider
from linkwright.services.invite_person import invite_person, renew_invitation
from linkwright.store.audit_log import COMMAND_LINE
from linkwright.store.models import AuditLogEntry, Membership, ProviderIdentity, SignIn, User
from tests.integration.web.seed import World
from tests.oidc_provider import CLIENT_ID, CLIENT_SECRET, OTHER_KEY, Provider, running_provider

BEGIN, BACK = "/sign-in/provider/", "/sign-in/provider/back/"


@pytest.fixture
def provider(monkeypatch: pytest.MonkeyPatch) -> Iterator[Provider]:
    """Return a provider that Linkwright knows."""
    with running_provider() as one:
        for name, value in {
            "ISSUER": one.issuer,
            "CLIENT_ID": CLIENT_ID,
            "CLIENT_SECRET": CLIENT_SECRET,
            "LABEL": "Ministry account",
        }.items():
            monkeypatch.setenv(f"LINKWRIGHT_OIDC_{name}", value)
        yield one


@pytest.fixture
def viewer(empty_world: World, provider: Provider) -> User:
    """Return somebody whom the provider knows as well."""
    person = empty_world.viewer
    person.email = "Vera@health.example"
    person.save()
    provider.person |= {"email": "vera@health.example", "email_verified": True, "preferred_username": "vera"}
    return person


def go(client: Client, query: str = "") -> str:
    """Begin; returns the address with which the provider sends the browser back."""
    begun = client.get(f"{BEGIN}{query}")
    assert begun.status_code == 302, begun.content.decode()
    sent = requests.get(begun["Location"], allow_redirects=False, timeout=5)
    return sent.headers["Location"].removeprefix("http://testserver")


def come(client: Client | None = None, query: str = "") -> Any:
    """Go there and come back; returns the answer."""
    client = client or Client()
    return client.get(go(client, query))


def text(answer: Any) -> str:
    return unescape(answer.content.decode())


def who(client: Client) -> str:
    """Return the user name of whoever is signed in, '' for nobody."""
    found = client.session.get("_auth_user_id")
    return User.objects.get(pk=found).username if found else ""


def actions() -> list[str]:
    return list(AuditLogEntry.objects.order_by("number").values_list("action", flat=True))


def test_the_button_leads_to_the_provider_with_everything_that_keeps_an_answer_from_being_misused(
    viewer: User, provider: Provider
) -> None:
    html = text(Client().get("/sign-in/?next=/projects/"))
    assert 'href="/sign-in/provider/?next=/projects/"' in html.replace("%2F", "/")
    assert "Sign in with Ministry account" in html
    client = Client()
    sent = urlsplit(client.get(BEGIN)["Location"])
    given = {name: values[0] for name, values in parse_qs(sent.query).items()}
    assert f"{sent.scheme}://{sent.netloc}" == provider.issuer
    assert given["redirect_uri"] == f"http://testserver{BACK}"
    assert given["code_challenge_method"] == "S256"
    assert given["scope"] == "openid profile email"
    assert min(len(given[name]) for name in ("state", "nonce", "code_challenge")) >= 43
    assert CLIENT_SECRET not in sent.query
    again = parse_qs(urlsplit(client.get(BEGIN)["Location"]).query)
    assert again["state"][0] != given["state"]
    assert again["nonce"][0] != given["nonce"]


def test_without_a_provider_there_is_no_button_and_no_route(empty_world: World) -> None:
    assert "provider" not in text(Client().get("/sign-in/"))
    assert [Client().get(path).status_code for path in (BEGIN, BACK)] == [404, 404]


def test_who_comes_first_is_bound_by_a_verified_address_and_later_by_issuer_and_subject_alone(
    viewer: User, provider: Provider
) -> None:
    client = Client(headers={"User-Agent": "Browser 7"})
    assert come(client, "?next=/projects/PERINATAL/")["Location"] == "/projects/PERINATAL/"
    assert client.get("/projects/PERINATAL/").status_code == 200
    assert who(client) == "viewer"
    assert SignIn.objects.get().browser == "Browser 7"
    bound = ProviderIdentity.objects.get()
    assert (bound.user, bound.issuer, bound.subject, bound.bound_by) == (
        viewer,
        provider.issuer,
        "subject-1",
        "email",
    )
    provider.person = {"sub": "subject-1", "email": "owner@health.example", "email_verified": True}
    User.objects.filter(username="owner").update(email="owner@health.example")
    assert (come(second := Client())["Location"], who(second)) == ("/jobs/envelopes/", "viewer")
    # the address now belongs to somebody else there
    provider.person = {"sub": "subject-2", "email": "vera@health.example", "email_verified": True}
    refused = come(third := Client())
    assert (refused.status_code, who(third)) == (409, "")
    assert "bound to another person" in text(refused)
    assert actions() == [
        "bind account to provider",
        "sign in by provider",
        "sign in by provider",
        "refuse sign-in by provider",
    ]
    entry = AuditLogEntry.objects.filter(action="sign in by provider")[0]
    assert (entry.user, entry.target, entry.origin) == (viewer, "viewer", "127.0.0.1")


@pytest.mark.parametrize("verified", [False, None, "yes", 1])
def test_an_address_that_the_provider_does_not_vouch_for_binds_nobody(
    viewer: User, provider: Provider, verified: object
) -> None:
    provider.person["email_verified"] = verified
    refused = come(client := Client())
    assert (refused.status_code, who(client)) == (409, "")
    assert "knows you as vera / vera@health.example, and Linkwright does not" in text(refused)
    assert "as somebody else" in text(refused)
    assert not ProviderIdentity.objects.exists()
    assert AuditLogEntry.objects.get().detail["why"] == "there is no account for them"


def test_two_accounts_with_one_address_are_not_guessed_between(viewer: User, provider: Provider) -> None:
    User.objects.filter(username="owner").update(email="vera@HEALTH.example")
    assert "More than one account" in text(come())
    assert not ProviderIdentity.objects.exists()


def test_a_user_name_binds_only_where_that_is_configured(
    viewer: User, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    provider.person = {"sub": "subject-1", "login": "VIEWER"}
    monkeypatch.setenv("LINKWRIGHT_OIDC_USER_NAME_CLAIM", "login")
    assert come().status_code == 409
    monkeypatch.setenv("LINKWRIGHT_OIDC_BIND_BY", "user-name")
    assert (come(client := Client()).status_code, who(client)) == (302, "viewer")
    assert ProviderIdentity.objects.get().bound_by == "user-name"


def test_an_invitation_binds_whoever_follows_its_link_once(
    viewer: User, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LINKWRIGHT_OIDC_BIND_BY", "invitation")
    assert come().status_code == 409
    token = invite_person("nora", COMMAND_LINE).token
    link = f"{BEGIN}?invitation={token}"
    assert link in text(Client().get(f"/invitation/{token}/"))
    late = Client()
    late_back = go(late, f"?invitation={token}")
    client = Client()
    assert come(client, f"?invitation={token}").status_code == 302
    assert who(client) == "nora"
    assert token not in repr([*AuditLogEntry.objects.values(), client.session.items(), late.session.items()])
    assert Client().get(f"/invitation/{token}/").status_code == 404
    provider.person = {"sub": "subject-2"}
    assert "was used, has expired or was replaced" in text(come(Client(), f"?invitation={token}"))
    # a fresh link binds anew
    token = renew_invitation(User.objects.get(username="nora"), COMMAND_LINE).token
    assert (come(again := Client(), f"?invitation={token}").status_code, who(again)) == (302, "nora")
    assert ProviderIdentity.objects.get().subject == "subject-2"
    provider.person = {"sub": "subject-3"}
    # begun before the link was used
    assert (late.get(late_back).status_code, who(late)) == (409, "")


def test_who_is_deactivated_stays_out_bound_or_not(viewer: User, provider: Provider) -> None:
    for _ in range(2):
        User.objects.filter(pk=viewer.pk).update(is_active=False)
        refused = come(client := Client())
        assert (refused.status_code, who(client)) == (409, "")
        assert "The account viewer is deactivated" in text(refused)
        User.objects.filter(pk=viewer.pk).update(is_active=True)
        assert come().status_code == 302
    assert AuditLogEntry.objects.filter(action="refuse sign-in by provider", target="viewer").count() == 2


def test_accounts_are_made_only_where_that_is_configured_and_without_any_role(
    viewer: User, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    provider.person = {"sub": "s", "preferred_username": "nora", "email": "n@x.example", "email_verified": True}
    assert come().status_code == 409
    monkeypatch.setenv("LINKWRIGHT_OIDC_MAKE_ACCOUNTS", "1")
    assert (come(client := Client()).status_code, who(client)) == (302, "nora")
    nora = User.objects.get(username="nora")
    assert (nora.email, nora.is_superuser, nora.has_usable_password()) == ("n@x.example", False, False)
    assert not Membership.objects.filter(user=nora).exists()
    assert client.get("/projects/PERINATAL/").status_code == 404
    for name, told in (("ADMIN", "There is an account ADMIN"), ("", "no user name"), ("x" * 151, "no user name")):
        provider.person = {"sub": f"another {name}", "preferred_username": name}
        assert told in text(come())
    assert "make account" in actions()


def test_domains_and_groups_keep_others_out_at_every_sign_in(
    viewer: User, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert come().status_code == 302
    monkeypatch.setenv("LINKWRIGHT_OIDC_ALLOWED_DOMAINS", "other.example")
    assert "of no domain that may sign in" in text(come())
    monkeypatch.setenv("LINKWRIGHT_OIDC_ALLOWED_DOMAINS", "other.example, @Health.example")
    assert come().status_code == 302
    monkeypatch.setenv("LINKWRIGHT_OIDC_ALLOWED_GROUPS", "linkage, data")
    assert "in no group" in text(come())
    # it is not in the ID token, and asked for
    provider.userinfo = {"sub": "subject-1", "groups": ["linkage"]}
    assert come().status_code == 302
    provider.userinfo = {"sub": "another", "groups": ["linkage"]}
    assert "another person" in text(come())


LIES: dict[str, tuple[Callable[[Provider], object], str]] = {
    "another nonce": (lambda one: setattr(one, "claims", lambda told: told.update(nonce="x")), "nonce"),
    "no nonce": (lambda one: setattr(one, "claims", lambda told: told.pop("nonce")), "nonce"),
    "another audience": (lambda one: setattr(one, "claims", lambda told: told.update(aud="other")), "aud"),
    "a second audience": (
        lambda one: setattr(one, "claims", lambda told: told.update(aud=[CLIENT_ID, "other"])),
        "azp",
    ),
    "another party": (lambda one: setattr(one, "claims", lambda told: told.update(azp="other")), "azp"),
    "another issuer": (
        lambda one: setattr(one, "claims", lambda told: told.update(iss="https://x.example")),
        "iss",
    ),
    "no subject": (lambda one: setattr(one, "claims", lambda told: told.pop("sub")), "sub"),
    "a subject that is a number": (lambda one: setattr(one, "claims", lambda told: told.update(sub=7)), "sub"),
    "an old token": (
        lambda one: setattr(one, "claims", lambda told: told.update(iat=1_700_000_000, exp=1_700_000_300)),
        "made at 2023-11-14 22:13:20 UTC",
    ),
    "a token from the future": (
        lambda one: setattr(one, "claims", lambda told: told.update(iat=int(time.time()) + 900)),
        "set both clocks",
    ),
    "a time that is none": (
        lambda one: setattr(one, "claims", lambda told: told.update(exp="soon")),
        "ID token",
    ),
    "another access token": (lambda one: setattr(one, "claims", lambda told: told.update(at_hash="x")), "at_hash"),
    "no signature": (lambda one: setattr(one, "algorithm", "none"), "ID token"),
    "the public key as a secret": (lambda one: setattr(one, "algorithm", "HS256"), "ID token"),
    "another key": (lambda one: setattr(one, "key", OTHER_KEY), "ID token"),
}


@pytest.mark.parametrize("lie", LIES)
def test_a_token_that_lies_signs_nobody_in(viewer: User, provider: Provider, lie: str) -> None:
    tell, told = LIES[lie]
    tell(provider)
    refused = come(client := Client())
    assert (refused.status_code, who(client)) == (502, "")
    assert told in text(refused)
    assert not ProviderIdentity.objects.exists()
    assert actions() == ["refuse sign-in by provider"]


def test_a_state_works_once_in_the_browser_that_began_and_not_for_long(
    viewer: User, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    client, other = Client(), Client()
    back = go(client)
    go(other)
    for stranger in (other, Client()):
        refused = stranger.get(back)
        assert (refused.status_code, who(stranger)) == (400, "")
        assert "was not begun in this browser" in text(refused)
    assert client.get(back).status_code == 302
    client.logout()
    assert client.get(back).status_code == 400
    # the code of one, put under the state of another
    mine, theirs = (parse_qs(urlsplit(go(one)).query) for one in (client, other))
    mixed = client.get(f"{BACK}?{urlencode({'state': mine['state'][0], 'code': theirs['code'][0]})}")
    assert (mixed.status_code, who(client)) == (400, "")
    assert "refused: invalid_grant" in text(mixed)
    slow = go(client)
    later = time.time() + 601
    monkeypatch.setattr("linkwright.web.pages.provider_sign_in.time.time", lambda: later)
    assert client.get(slow).status_code == 400


def test_an_answer_of_another_provider_and_one_without_a_code_are_refused(
    viewer: User, provider: Provider
) -> None:
    for changed, told in (({"iss": "https://x.example"}, "another provider"), ({"code": ""}, "without a code")):
        client = Client()
        given = {name: values[0] for name, values in parse_qs(urlsplit(go(client)).query).items()}
        refused = client.get(f"{BACK}?{urlencode({**given, **changed})}")
        assert (told in text(refused), who(client)) == (True, "")


def test_what_the_provider_refuses_is_told_in_its_words_without_markup(viewer: User, provider: Provider) -> None:
    provider.refusal = "access_denied"
    refused = come()
    assert refused.status_code == 400
    assert "Ministry account did not let you in" in text(refused)
    assert b"<b>so" not in refused.content


@pytest.mark.parametrize(
    "wanted",
    ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)", "", "http:///x"],
)
def test_nobody_is_led_elsewhere_afterwards(viewer: User, provider: Provider, wanted: str) -> None:
    assert come(Client(), f"?{urlencode({'next': wanted})}")["Location"] == "/jobs/envelopes/"


def test_a_provider_that_is_down_slow_or_set_up_wrongly_is_told_on_the_page_and_by_doctor(
    viewer: User, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert check_provider() == (
        True,
        f"{provider.issuer} answers, with 1 key(s). Client linkwright, with a client secret.",
    )

    def answers() -> str:
        found = check_provider()
        assert found is not None
        assert not found[0]
        return found[1]

    provider.metadata = lambda told: told.update(issuer=f"{provider.issuer}/")
    assert "They must be the same" in answers()
    provider.metadata = lambda told: told.update(token_endpoint="http://x.example/token")
    assert "no safe address for token_endpoint" in answers()
    monkeypatch.setenv("LINKWRIGHT_OIDC_CLIENT_SECRET", "wrong")
    provider.metadata = dict.copy
    assert "invalid_client" in text(come())
    monkeypatch.setenv("LINKWRIGHT_OIDC_ISSUER", f"{provider.issuer}/nowhere")
    assert "status 404" in answers()
    # nothing listens there
    monkeypatch.setenv("LINKWRIGHT_OIDC_ISSUER", "http://127.0.0.1:9")
    assert "there was no connection" in answers()
    refused = Client().get(BEGIN)
    assert (refused.status_code, "Try again in a while" in text(refused)) == (502, True)
    assert "User name" in text(refused)
    monkeypatch.setenv("LINKWRIGHT_OIDC_ISSUER", "http://sso.example")
    assert "begins with https://" in answers()
    assert "begins with https://" in text(Client().get(BEGIN))
    assert Client().get("/sign-in/").status_code == 200


def test_new_keys_of_the_provider_are_fetched_when_they_are_needed(viewer: User, provider: Provider) -> None:
    assert come().status_code == 302
    provider.key = provider.published = OTHER_KEY
    assert come().status_code == 302
    assert provider.asked.count("/keys") == 2


def test_signing_out_leads_to_the_provider_for_those_who_came_by_it(viewer: User, provider: Provider) -> None:
    client = Client()
    come(client)
    left = client.post("/sign-out/")
    assert (left.status_code, who(client)) == (200, "")
    found = text(left).split('content="0; url=')[1].split('"')[0]
    sent = urlsplit(found)
    given = parse_qs(sent.query)
    assert found.startswith(f"{provider.issuer}/end_session?")
    assert given["post_logout_redirect_uri"] == ["http://testserver/sign-in/"]
    assert len(given["id_token_hint"][0].split(".")) == 3
    by_password = Client()
    by_password.force_login(viewer)
    assert by_password.post("/sign-out/")["Location"] == "/sign-in/"


def test_who_is_signed_in_is_not_sent_away(viewer: User, provider: Provider) -> None:
    client = Client()
    client.force_login(viewer)
    assert client.get(f"{BEGIN}?next=/projects/")["Location"] == "/projects/"
