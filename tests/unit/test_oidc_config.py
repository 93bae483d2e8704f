"""The environment's words for the sign-in provider: what is taken, and what is refused in words."""

from pathlib import Path

import pytest

from linkwright.config import OidcConfig, OidcConfigError, load_oidc_config, read_oidc_client_secret
from linkwright.services import oidc_client

GOOD = {"LINKWRIGHT_OIDC_ISSUER": "https://sso.example.org", "LINKWRIGHT_OIDC_CLIENT_ID": "linkwright"}


def test_without_an_issuer_there_is_no_provider() -> None:
    assert load_oidc_config({"LINKWRIGHT_OIDC_CLIENT_ID": "linkwright"}) is None


def test_lists_are_split_and_openid_is_always_asked_for() -> None:
    found = load_oidc_config(
        {
            **GOOD,
            "LINKWRIGHT_OIDC_SCOPES": "email, groups",
            "LINKWRIGHT_OIDC_ALLOWED_DOMAINS": "@A.example, b.example,",
            "LINKWRIGHT_OIDC_MAKE_ACCOUNTS": "1",
        }
    )
    assert found == OidcConfig(
        issuer="https://sso.example.org",
        client_id="linkwright",
        scopes=("openid", "email", "groups"),
        allowed_domains=("a.example", "b.example"),
        makes_accounts=True,
    )


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ISSUER", "http://sso.example.org"),
        ("ISSUER", "https://"),
        ("ISSUER", "https://[broken"),
        ("ISSUER", "https://sso.example.org/?x"),
        ("CLIENT_ID", ""),
        ("BIND_BY", "hope"),
        ("MAKE_ACCOUNTS", "yes"),
        ("REDIRECT_URI", "javascript:alert(1)"),
    ],
)
def test_what_cannot_be_used_is_named_with_its_variable(name: str, value: str) -> None:
    with pytest.raises(OidcConfigError, match=f"LINKWRIGHT_OIDC_{name}"):
        load_oidc_config({**GOOD, f"LINKWRIGHT_OIDC_{name}": value})


def test_the_secret_comes_from_a_file_and_is_no_part_of_the_configuration(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    path.write_text("hush-hush\n", encoding="utf-8")
    environment = {**GOOD, "LINKWRIGHT_OIDC_CLIENT_SECRET_FILE": str(path)}
    assert read_oidc_client_secret(environment) == "hush-hush"
    assert "hush" not in repr(load_oidc_config(environment))
    with pytest.raises(OidcConfigError, match="LINKWRIGHT_OIDC_CLIENT_SECRET_FILE"):
        read_oidc_client_secret({"LINKWRIGHT_OIDC_CLIENT_SECRET_FILE": str(tmp_path / "nowhere")})


def test_absent_packages_are_named_with_how_to_install_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(oidc_client, "find_spec", lambda _name: None)
    found = load_oidc_config(GOOD)
    assert found is not None
    with pytest.raises(oidc_client.OidcSetUpError, match=r"pip install 'linkwright\[oidc\]'"):
        oidc_client.open_client(found)
