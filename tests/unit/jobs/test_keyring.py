"""The file of secrets: made once, for its owner alone, never made anew in silence, and told apart when damaged."""

import json
import stat
from multiprocessing import get_context
from pathlib import Path

import pytest

from linkwright.config import ServerConfig
from linkwright.jobs.keyring import (
    KeyringError,
    Secret,
    add_secret,
    keyring_path,
    newest_secret,
    secret_of_version,
)


@pytest.fixture
def config(tmp_path: Path) -> ServerConfig:
    return ServerConfig(home=tmp_path, database_url="sqlite://", allowed_hosts=(), https=False)


def test_the_first_use_makes_a_secret_that_stays_and_is_its_owners_alone(config: ServerConfig) -> None:
    secret = newest_secret(config, are_in_use=False)
    assert (secret.version, len(secret.value)) == (1, 32)
    assert newest_secret(config, are_in_use=True) == secret
    assert secret_of_version(config, 1, secret.fingerprint) == secret
    assert stat.S_IMODE(keyring_path(config).stat().st_mode) == 0o600
    assert [path.name for path in config.home.iterdir()] == ["person-keys.json"]


def test_rotation_adds_a_version_and_keeps_the_others(config: ServerConfig) -> None:
    first = newest_secret(config, are_in_use=False)
    second = add_secret(config, are_in_use=True)
    assert second.version == 2
    assert newest_secret(config, are_in_use=True) == second != first
    assert secret_of_version(config, 1, first.fingerprint) == first


def test_a_secret_that_is_gone_is_missed_and_not_made_anew(config: ServerConfig) -> None:
    secret = newest_secret(config, are_in_use=False)
    keyring_path(config).unlink()
    is_gone = r"person-keys.json, is gone. Restore the file from a backup"
    with pytest.raises(KeyringError, match=is_gone):
        newest_secret(config, are_in_use=True)
    with pytest.raises(KeyringError, match=is_gone):
        add_secret(config, are_in_use=True)
    with pytest.raises(KeyringError, match=is_gone):
        secret_of_version(config, 1, secret.fingerprint)
    assert not keyring_path(config).exists()


def test_a_version_that_lacks_or_is_another_one_is_refused(config: ServerConfig) -> None:
    secret = newest_secret(config, are_in_use=False)
    with pytest.raises(KeyringError, match="lacks version 7 of the secret for Person Keys; it has 1"):
        secret_of_version(config, 7, secret.fingerprint)
    other = Secret(1, bytes(32))
    with pytest.raises(KeyringError, match="is not the one that the Extraction Project was created with"):
        secret_of_version(config, 1, other.fingerprint)


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{",
        "[]",
        '{"secrets": {}}',
        '{"secrets": {"1": "abcd"}}',
        '{"secrets": {"x": "00"}}',
        '{"secrets": 1}',
        "\0",
    ],
)
def test_a_damaged_file_is_refused_and_left_as_it_is(config: ServerConfig, content: str) -> None:
    keyring_path(config).write_text(content)
    with pytest.raises(KeyringError, match="is damaged"):
        newest_secret(config, are_in_use=False)
    with pytest.raises(KeyringError, match="is damaged"):
        add_secret(config, are_in_use=False)
    assert keyring_path(config).read_text() == content


def test_two_processes_that_come_first_have_one_secret(config: ServerConfig) -> None:
    with get_context("fork").Pool(4) as pool:
        found = pool.starmap(_newest, [(config,)] * 8)
    assert len(set(found)) == 1
    assert len(json.loads(keyring_path(config).read_text())["secrets"]) == 1


def _newest(config: ServerConfig) -> str:
    return newest_secret(config, are_in_use=False).fingerprint
