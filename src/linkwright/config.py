"""The process's own configuration, read from the environment: data folder, database, secrets, sign-in provider.

What an operator changes while the server runs are *Settings* (store/settings.py); what must be known before a
database can be opened stands here. Knows no Django.
"""

import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from linkwright.errors import LinkwrightError

DEFAULT_HOME = "linkwright-data"
SECRET_FILE_NAME = "secret.key"  # noqa: S105 - a file's name


class DataFolderError(LinkwrightError):
    """The data folder cannot be made, read or written."""


class DatabaseUrlError(LinkwrightError):
    """DATABASE_URL names no database that Linkwright can use."""


class EmailPasswordError(LinkwrightError):
    """The file with the password for the SMTP server cannot be read."""


class OidcConfigError(LinkwrightError):
    """A variable LINKWRIGHT_OIDC_* has a value that it cannot have, or is missing."""


# how somebody who comes for the first time finds the account that they have
BIND_BY_EMAIL, BIND_BY_USER_NAME, BIND_BY_INVITATION = BINDINGS = ("email", "user-name", "invitation")
_LOOPBACK = {"localhost", "127.0.0.1", "::1"}


@dataclass(frozen=True)
class OidcConfig:
    """The OpenID Connect provider at which people may sign in; never its secret."""

    issuer: str
    client_id: str
    label: str = "single sign-on"
    scopes: tuple[str, ...] = ("openid", "profile", "email")
    bind_by: str = BIND_BY_EMAIL
    user_name_claim: str = "preferred_username"
    allowed_domains: tuple[str, ...] = ()
    allowed_groups: tuple[str, ...] = ()
    groups_claim: str = "groups"
    makes_accounts: bool = False
    # the address to which the provider sends people back; '' for that under which the page was asked for
    redirect_uri: str = ""


@dataclass(frozen=True)
class ServerConfig:
    """Where this server keeps its data and how it may be reached."""

    home: Path
    database_url: str
    allowed_hosts: tuple[str, ...]
    https: bool

    @property
    def incoming_folder(self) -> Path:
        """Envelopes as they were received."""
        return self.home / "envelopes"

    @property
    def warehouse_folder(self) -> Path:
        """Parquet batches, one folder a project."""
        return self.home / "warehouse"

    @property
    def scratch_folder(self) -> Path:
        """Files that a running job or an upload needs for a moment."""
        return self.home / "scratch"

    @property
    def taking_folder(self) -> Path:
        """Files on their way out of the inbox, one folder each."""
        return self.home / "taking"

    @property
    def waiting_folder(self) -> Path:
        """Data files that were uploaded and wait to be confirmed, one folder each."""
        return self.home / "waiting"

    @property
    def uploads_folder(self) -> Path:
        """Files that arrive in slices, one folder each."""
        return self.home / "uploads"

    @property
    def inbox_lock_file(self) -> Path:
        """Held by the one thread that watches the inbox."""
        return self.home / "inbox.lock"

    @property
    def inbox_status_file(self) -> Path:
        """What the watch over the inbox saw last, for pages and commands."""
        return self.home / "inbox.json"

    @property
    def results_folder(self) -> Path:
        """Results of extractions, until they expire."""
        return self.home / "results"

    @property
    def backups_folder(self) -> Path:
        """Backups, unless the Setting Backup.Folder names another folder."""
        return self.home / "backups"

    @property
    def database_file(self) -> Path:
        """The embedded database, unless DATABASE_URL names another one."""
        return self.home / "linkwright.sqlite3"

    @property
    def mail_folder(self) -> Path:
        """E-mails as files, if they are not to be sent."""
        return self.home / "mail"

    @property
    def set_up_file(self) -> Path:
        """The hash of the token in the link that makes the first Administrator, while there is no account."""
        return self.home / "set-up.token"

    @property
    def lock_file(self) -> Path:
        """Held by the one worker when the database is SQLite."""
        return self.home / "worker.lock"

    @property
    def uses_sqlite(self) -> bool:
        """Whether the embedded database is in use."""
        return self.database_url.startswith("sqlite:")


def load_config(environment: Mapping[str, str] | None = None) -> ServerConfig:
    """Read the configuration from environment variables; touches no file.

    LINKWRIGHT_HOME: the data folder (default ./linkwright-data). DATABASE_URL: PostgreSQL, or SQLite in the data
    folder when unset. LINKWRIGHT_ALLOWED_HOSTS: host names, comma-separated. LINKWRIGHT_HTTPS: 1 behind TLS.
    """
    source = os.environ if environment is None else environment
    home = Path(source.get("LINKWRIGHT_HOME") or DEFAULT_HOME).resolve()
    hosts = source.get("LINKWRIGHT_ALLOWED_HOSTS", "localhost,127.0.0.1,[::1]")
    return ServerConfig(
        home=home,
        database_url=source.get("DATABASE_URL") or f"sqlite:///{home / 'linkwright.sqlite3'}",
        allowed_hosts=tuple(host.strip() for host in hosts.split(",") if host.strip()),
        https=source.get("LINKWRIGHT_HTTPS", "") == "1",
    )


def read_email_password(environment: Mapping[str, str] | None = None) -> str:
    """Return the password for the SMTP server, or ''; it is read when it is needed and kept nowhere.

    LINKWRIGHT_EMAIL_PASSWORD: the password. LINKWRIGHT_EMAIL_PASSWORD_FILE: a file that holds it.

    Raises:
        EmailPasswordError: if the file cannot be read.
    """
    return _read_secret("LINKWRIGHT_EMAIL_PASSWORD", EmailPasswordError, environment)


def load_oidc_config(environment: Mapping[str, str] | None = None) -> OidcConfig | None:
    """Read at which provider people may sign in; None if LINKWRIGHT_OIDC_ISSUER is not set. Opens nothing.

    The variables are LINKWRIGHT_OIDC_ISSUER, _CLIENT_ID, _LABEL, _SCOPES, _BIND_BY, _USER_NAME_CLAIM,
    _ALLOWED_DOMAINS, _ALLOWED_GROUPS, _GROUPS_CLAIM, _MAKE_ACCOUNTS, _REDIRECT_URI; docs/operating.md tells them.

    Raises:
        OidcConfigError: if one of them cannot be used.
    """
    source = os.environ if environment is None else environment

    def given(name: str) -> str:
        return source.get(f"LINKWRIGHT_OIDC_{name}", "").strip()

    def listed(name: str) -> tuple[str, ...]:
        return tuple(part.strip() for part in given(name).split(",") if part.strip())

    issuer = given("ISSUER")
    if not issuer:
        return None
    _demand_safe_address("LINKWRIGHT_OIDC_ISSUER", issuer)
    if not given("CLIENT_ID"):
        raise OidcConfigError(
            "LINKWRIGHT_OIDC_ISSUER is set and LINKWRIGHT_OIDC_CLIENT_ID is not. Set it to the client id that the "
            "provider gave Linkwright."
        )
    if given("REDIRECT_URI"):
        _demand_safe_address("LINKWRIGHT_OIDC_REDIRECT_URI", given("REDIRECT_URI"))
    scopes = tuple(given("SCOPES").replace(",", " ").split()) or OidcConfig.scopes
    return OidcConfig(
        issuer=issuer,
        client_id=given("CLIENT_ID"),
        label=given("LABEL") or OidcConfig.label,
        scopes=scopes if "openid" in scopes else ("openid", *scopes),
        bind_by=_one_of("BIND_BY", given("BIND_BY") or BIND_BY_EMAIL, BINDINGS),
        user_name_claim=given("USER_NAME_CLAIM") or OidcConfig.user_name_claim,
        allowed_domains=tuple(domain.lower().removeprefix("@") for domain in listed("ALLOWED_DOMAINS")),
        allowed_groups=listed("ALLOWED_GROUPS"),
        groups_claim=given("GROUPS_CLAIM") or OidcConfig.groups_claim,
        makes_accounts=_one_of("MAKE_ACCOUNTS", given("MAKE_ACCOUNTS") or "0", ("0", "1")) == "1",
        redirect_uri=given("REDIRECT_URI"),
    )


def read_oidc_client_secret(environment: Mapping[str, str] | None = None) -> str:
    """Return the secret that the provider gave Linkwright, or ''; it is read when it is needed and kept nowhere.

    LINKWRIGHT_OIDC_CLIENT_SECRET: the secret. LINKWRIGHT_OIDC_CLIENT_SECRET_FILE: a file that holds it.

    Raises:
        OidcConfigError: if the file cannot be read.
    """
    return _read_secret("LINKWRIGHT_OIDC_CLIENT_SECRET", OidcConfigError, environment)


def is_safe_address(address: str) -> bool:
    """Tell whether an address is https, or http on this machine itself."""
    try:
        parts = urlsplit(address)
        host = parts.hostname
    except ValueError:
        return False
    return bool(host) and (parts.scheme == "https" or (parts.scheme == "http" and host in _LOOPBACK))


def _demand_safe_address(name: str, address: str) -> None:
    if not is_safe_address(address) or "?" in address or "#" in address:
        raise OidcConfigError(
            f"{name} is {address!r}. Allowed is an address that begins with https:// (http:// only on this "
            "machine itself), without ? and #."
        )


def _one_of(name: str, value: str, allowed: tuple[str, ...]) -> str:
    if value not in allowed:
        raise OidcConfigError(f"LINKWRIGHT_OIDC_{name} is {value!r}. Allowed is one of {', '.join(allowed)}.")
    return value


def _read_secret(name: str, refusal: type[LinkwrightError], environment: Mapping[str, str] | None) -> str:
    source = os.environ if environment is None else environment
    if secret := source.get(name):
        return secret
    path = source.get(f"{name}_FILE")
    if not path:
        return ""
    try:
        return Path(path).read_text(encoding="utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        raise refusal(
            f"The file {path}, which {name}_FILE names, cannot be read. Give the user that "
            f"runs Linkwright the right to read it, or set {name} instead."
        ) from error


def database_url_text(config: ServerConfig) -> str:
    """Return what to tell somebody whose DATABASE_URL cannot be used; no password."""
    scheme = config.database_url.split(":", 1)[0]
    return (
        f"DATABASE_URL (which begins with {scheme!r}) names no database that can be used. Allowed is "
        "postgres://USER:PASSWORD@HOST:PORT/NAME; unset it for the built-in SQLite."
    )


def prepare_home(config: ServerConfig) -> None:
    """Make the data folder and its sub-folders, readable by their owner alone.

    Raises:
        DataFolderError: if the folder cannot be made or written.
    """
    folders = (config.incoming_folder, config.warehouse_folder, config.scratch_folder, config.results_folder)
    for folder in (config.home, *folders):
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            probe = folder / f".write-probe-{os.getpid()}"
            probe.write_bytes(b"")
            probe.unlink()
        except OSError as error:
            raise DataFolderError(
                f"The data folder {folder} cannot be written ({error.strerror}). Give the user that runs "
                "Linkwright the right to write there, or name another folder in LINKWRIGHT_HOME or with --home."
            ) from error


def read_secret_key(config: ServerConfig) -> str:
    """Return the server's secret, made on first use and kept in the data folder, readable by its owner alone."""
    path = config.home / SECRET_FILE_NAME
    # Not before the data folder was prepared: a folder that is to be filled from a backup must stay empty.
    if not path.exists() and config.scratch_folder.is_dir():
        # Two processes may start at once: whoever links its file first wins, the other reads it.
        fresh = config.home / f"{SECRET_FILE_NAME}.{os.getpid()}"
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as stream:
            stream.write(secrets.token_urlsafe(48))
        try:
            os.link(fresh, path)
        except FileExistsError:
            pass
        finally:
            fresh.unlink()
    try:
        return path.read_text()
    except (FileNotFoundError, NotADirectoryError):
        # No data folder yet (type checks, --help), or none possible: nothing is signed with this key.
        return secrets.token_urlsafe(48)
    except OSError as error:
        raise DataFolderError(
            f"The server's secret {path} cannot be read ({error.strerror}). "
            "Give the user that runs Linkwright the right to read it."
        ) from error
