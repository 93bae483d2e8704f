"""Signing in at a provider and out again in a real browser: the Content-Security-Policy is not in the way."""

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import OpenPage
from tests.integration.web.seed import World
from tests.oidc_provider import CLIENT_ID, CLIENT_SECRET, running_provider


def test_a_person_signs_in_at_the_provider_and_out_of_it(
    empty_world: World, open_page: OpenPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    with running_provider() as provider:
        monkeypatch.setenv("LINKWRIGHT_OIDC_ISSUER", provider.issuer)
        monkeypatch.setenv("LINKWRIGHT_OIDC_CLIENT_ID", CLIENT_ID)
        monkeypatch.setenv("LINKWRIGHT_OIDC_CLIENT_SECRET", CLIENT_SECRET)
        monkeypatch.setenv("LINKWRIGHT_OIDC_LABEL", "Ministry account")
        monkeypatch.setenv("LINKWRIGHT_OIDC_BIND_BY", "user-name")
        provider.person["preferred_username"] = "viewer"
        page = open_page("/projects/PERINATAL/")
        page.get_by_role("link", name="Sign in with Ministry account").click()
        expect(page.get_by_role("heading", name="Perinatal outcomes")).to_be_visible()
        page.locator("#person-menu summary").click()
        page.get_by_role("button", name="Sign out").click()
        expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
        assert "/end_session" in provider.asked
        page.goto("/projects/")
        expect(page.get_by_label("Password")).to_be_visible()
