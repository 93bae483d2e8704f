"""The process's own configuration, read once from the environment: data folder, database, secret key.

What an operator changes while the server runs are *Settings* (store/settings.py); what must be known before a
database can be opened stands here. Knows no Django.
"""

import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from linkwright.errors import LinkwrightError

DEFAULT_HOME = "linkwright-data"
SECRET_FILE_NAME = "secret.key"  # noqa: S105 - a file's name


class DataFolderError(LinkwrightError):
    """The data folder cannot be made, read or written."""


class DatabaseUrlError(LinkwrightError):
    """DATABASE_URL names no database that Linkwright can use."""


class EmailPasswordError(LinkwrightError):
    """The file with the password for the SMTP server cannot be read."""


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
    source = os.environ if environment is None else environment
    if password := source.get("LINKWRIGHT_EMAIL_PASSWORD"):
        return password
    path = source.get("LINKWRIGHT_EMAIL_PASSWORD_FILE")
    if not path:
        return ""
    try:
        return Path(path).read_text(encoding="utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        raise EmailPasswordError(
            f"The file {path}, which LINKWRIGHT_EMAIL_PASSWORD_FILE names, cannot be read. Give the user that "
            "runs Linkwright the right to read it, or set LINKWRIGHT_EMAIL_PASSWORD instead."
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
