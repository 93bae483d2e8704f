"""Who a person is at the sign-in provider: shown to Administrators, and unbound by them."""

from html import unescape

import pytest
from django.test import Client
from django.utils import timezone

from linkwright.config import OidcConfig
from linkwright.services.find_provider_person import PersonNotTakenError, find_provider_person
from linkwright.services.oidc_client import Identity
from linkwright.services.unbind_identity import unbind_identity
from linkwright.store.audit_log import COMMAND_LINE
from linkwright.store.models import AuditLogEntry, ProviderIdentity, User
from tests.integration.web.conftest import SignIn
from tests.integration.web.seed import World

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"


def bind(person: User, subject: str = "u-17", issuer: str = "https://id.health.example") -> ProviderIdentity:
    return ProviderIdentity.objects.create(
        user=person, issuer=issuer, subject=subject, bound_at=timezone.now(), bound_by="email"
    )


@pytest.fixture
def admin(empty_world: World, sign_in: SignIn) -> Client:
    return sign_in(empty_world.admin)


def page(client: Client, person: User) -> str:
    return unescape(client.get(f"/admin/people/{person.pk}/").content.decode())


def test_a_person_who_is_bound_is_shown_with_issuer_and_last_use(admin: Client, empty_world: World) -> None:
    assert "At the sign-in provider" not in page(admin, empty_world.viewer)
    identity = bind(empty_world.viewer)
    shown = page(admin, empty_world.viewer)
    assert all(
        text in shown for text in ("https://id.health.example", "u-17", "by the e-mail address", "not noted")
    )
    identity.used_at = timezone.now()
    identity.save()
    assert "not noted" not in page(admin, empty_world.viewer)


def test_unbinding_ends_the_sessions_and_stands_in_the_audit_log(
    admin: Client, empty_world: World, sign_in: SignIn
) -> None:
    viewer, identity = sign_in(empty_world.viewer), bind(empty_world.viewer)
    viewer.get("/projects/")
    path = f"/admin/people/{empty_world.viewer.pk}/unbind/"
    asked = unescape(admin.get(path, {"identity": identity.pk}).content.decode())
    assert "Unbind viewer from the provider?" in asked
    assert f'name="identity" value="{identity.pk}"' in asked
    assert admin.post(path, {"identity": identity.pk}).status_code == 302
    assert not ProviderIdentity.objects.exists()
    assert viewer.get("/projects/").status_code == 302
    entry = AuditLogEntry.objects.get(action="unbind account from provider")
    assert (entry.user, entry.target) == (empty_world.admin, "viewer")
    assert entry.detail == {"issuer": "https://id.health.example", "subject": "u-17", "sessions_count": 1}


def test_nothing_of_another_person_is_unbound(admin: Client, empty_world: World, sign_in: SignIn) -> None:
    identity = bind(empty_world.operator)
    for key in (str(identity.pk), "", "x"):
        admin.post(f"/admin/people/{empty_world.viewer.pk}/unbind/", {"identity": key})
    owner = sign_in(empty_world.owner)
    refused = owner.post(f"/admin/people/{empty_world.operator.pk}/unbind/", {"identity": identity.pk})
    assert refused.status_code == 403
    assert ProviderIdentity.objects.filter(pk=identity.pk).exists()
    assert not AuditLogEntry.objects.filter(action="unbind account from provider").exists()


def test_a_session_is_told_in_a_few_words_with_the_whole_text_behind_them(
    empty_world: World, sign_in: SignIn
) -> None:
    viewer = sign_in(empty_world.viewer)
    viewer.get("/projects/", headers={"User-Agent": FIREFOX})
    shown = unescape(viewer.get("/account/password/", headers={"User-Agent": FIREFOX}).content.decode())
    assert f'<span title="{FIREFOX}">Firefox on Linux</span>' in shown


def test_each_sign_in_by_the_provider_notes_when_and_after_unbinding_the_next_one_binds_anew(
    empty_world: World,
) -> None:
    User.objects.filter(pk=empty_world.viewer.pk).update(email="vera@health.example")
    claims = {"email": "vera@health.example", "email_verified": True}
    config = OidcConfig("https://id.health.example", "linkwright")
    first = Identity(config.issuer, "u-17", claims, "", "")
    assert find_provider_person(first, config, "10.0.0.7", "") == empty_world.viewer
    bound = ProviderIdentity.objects.get(subject="u-17")
    assert bound.used_at == bound.bound_at
    find_provider_person(first, config, "10.0.0.7", "")
    used_at = ProviderIdentity.objects.get(subject="u-17").used_at
    assert used_at is not None
    assert used_at > bound.bound_at
    second = Identity(config.issuer, "u-18", claims, "", "")
    with pytest.raises(PersonNotTakenError, match="bound to another person"):
        find_provider_person(second, config, "10.0.0.7", "")
    assert unbind_identity(empty_world.viewer, COMMAND_LINE, bound.pk)
    assert find_provider_person(second, config, "10.0.0.7", "") == empty_world.viewer
