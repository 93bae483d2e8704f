"""Makes a new version of the server's secret for Person Keys: Extraction Projects created from now on use it."""

from linkwright.config import load_config
from linkwright.jobs.keyring import Secret, add_secret
from linkwright.store.audit_log import Actor, record_action
from linkwright.store.models import ExtractionProject


def rotate_key_secret(actor: Actor) -> Secret:
    """Add a version; the keys of Extraction Projects that exist stay as they are.

    Raises:
        KeyringError: if the file of the secrets is missed, damaged, or cannot be written.
    """
    secret = add_secret(load_config(), are_in_use=ExtractionProject.objects.exists())
    record_action(actor, "rotate the secret of Person Keys", f"version {secret.version}")
    return secret
