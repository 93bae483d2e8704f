"""Looks whether the sign-in provider answers; takes seconds at most, and signs nobody in."""

from linkwright.config import OidcConfigError, load_oidc_config, read_oidc_client_secret
from linkwright.services.oidc_client import OidcError, open_client


def check_provider() -> tuple[bool, str] | None:
    """Return whether the provider can be used, and what to say of it; None if there is none."""
    try:
        config = load_oidc_config()
        if config is None:
            return None
        kind = "with a client secret" if read_oidc_client_secret() else "without a client secret (public client)"
        return True, f"{open_client(config).look()} Client {config.client_id}, {kind}."
    except (OidcConfigError, OidcError) as error:
        return False, str(error)
