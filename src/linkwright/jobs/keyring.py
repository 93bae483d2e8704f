"""The server's secrets for Person Keys: a file in the data folder, made on first use, and never the database.

Each Extraction Project stays with the version that it was created with. A new secret is never made in place of one
that is gone: the keys would change without anybody's knowledge.

Source: docs/decisions/0016.
"""

import fcntl
import json
import os
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from linkwright.config import ServerConfig
from linkwright.engine.masking import secret_fingerprint
from linkwright.errors import LinkwrightError

KEYRING_NAME = "person-keys.json"
SECRET_BYTES = 32
_RESTORE = (
    "Restore the file from a backup of this server. Without it these Person Keys can never be made again; only "
    "new Extraction Projects, with other keys, can."
)


class KeyringError(LinkwrightError):
    """The secrets for Person Keys cannot be read, or are not those that were in use."""


@dataclass(frozen=True)
class Secret:
    """One version of the server's secret."""

    version: int
    value: bytes

    @property
    def fingerprint(self) -> str:
        """A text by which it is recognised."""
        return secret_fingerprint(self.value)


def keyring_path(config: ServerConfig) -> Path:
    """Return where the secrets lie."""
    return config.home / KEYRING_NAME


def newest_secret(config: ServerConfig, *, are_in_use: bool) -> Secret:
    """Return the secret for new Extraction Projects; made now if there has never been one.

    Args:
        config: of this server.
        are_in_use: whether an Extraction Project exists; then a file that is gone is missed, and not replaced.

    Raises:
        KeyringError: if the file is gone, cannot be read or written, or is damaged.
    """
    with _locked(config):
        if not keyring_path(config).exists() and not are_in_use:
            _write(config, {1: secrets.token_bytes(SECRET_BYTES)})
        found = _read(config)
    version = max(found)
    return Secret(version, found[version])


def check_newest_secret(config: ServerConfig, *, are_in_use: bool) -> None:
    """See whether `newest_secret` would find one, or may make the first; makes none.

    Raises:
        KeyringError: if the file is gone, cannot be read, or is damaged.
    """
    if are_in_use or keyring_path(config).exists():
        _read(config)


def secret_of_version(config: ServerConfig, version: int, fingerprint: str) -> Secret:
    """Return the secret that an Extraction Project was created with.

    Raises:
        KeyringError: if it is gone, damaged, or another one than it was.
    """
    found = _read(config)
    if version not in found:
        raise KeyringError(
            f"{keyring_path(config)} lacks version {version} of the secret for Person Keys; it has "
            f"{', '.join(map(str, sorted(found)))}. {_RESTORE}"
        )
    secret = Secret(version, found[version])
    if secret.fingerprint != fingerprint:
        raise KeyringError(
            f"Version {version} of the secret in {keyring_path(config)} is not the one that the Extraction "
            f"Project was created with (fingerprint {secret.fingerprint}, expected {fingerprint}). {_RESTORE}"
        )
    return secret


def add_secret(config: ServerConfig, *, are_in_use: bool) -> Secret:
    """Make a new version of the secret; the earlier ones stay, for the Extraction Projects that use them.

    Raises:
        KeyringError: as `newest_secret`.
    """
    with _locked(config):
        known = _read(config) if are_in_use or keyring_path(config).exists() else {}
        secret = Secret(max(known, default=0) + 1, secrets.token_bytes(SECRET_BYTES))
        _write(config, {**known, secret.version: secret.value})
    return secret


@contextmanager
def _locked(config: ServerConfig) -> Iterator[None]:
    """Keep two processes from making a secret at once: the second would replace the first."""
    try:
        descriptor = os.open(config.home, os.O_RDONLY)
    except OSError as error:
        raise KeyringError(f"The data folder {config.home} cannot be opened ({error.strerror}).") from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _read(config: ServerConfig) -> dict[int, bytes]:
    path = keyring_path(config)
    try:
        stored = json.loads(path.read_text(encoding="utf-8"))
        found = {int(version): bytes.fromhex(text) for version, text in stored["secrets"].items()}
    except FileNotFoundError as error:
        raise KeyringError(f"The file with the secrets for Person Keys, {path}, is gone. {_RESTORE}") from error
    except OSError as error:
        raise KeyringError(
            f"The file with the secrets for Person Keys, {path}, cannot be read ({error.strerror}). "
            "Give the user that runs Linkwright the right to read it."
        ) from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise KeyringError(f"The file with the secrets for Person Keys, {path}, is damaged. {_RESTORE}") from error
    if not found or any(len(value) != SECRET_BYTES for value in found.values()):
        raise KeyringError(f"The file with the secrets for Person Keys, {path}, is damaged. {_RESTORE}")
    return found


def _write(config: ServerConfig, found: Mapping[int, bytes]) -> None:
    path = keyring_path(config)
    fresh = path.with_suffix(".partial")
    content = {"secrets": {str(version): value.hex() for version, value in sorted(found.items())}}
    try:
        fresh.unlink(missing_ok=True)
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
            json.dump(content, stream, indent=1)
            stream.flush()
            os.fsync(stream.fileno())
        fresh.replace(path)
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    except OSError as error:
        raise KeyringError(
            f"The file with the secrets for Person Keys, {path}, cannot be written ({error.strerror}). Free "
            "space, or give the user that runs Linkwright the right to write the data folder, then try again."
        ) from error
