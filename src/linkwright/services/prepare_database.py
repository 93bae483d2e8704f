"""Brings the database to this version's tables, or says that it belongs to a newer version."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager

from django.core.management import call_command
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.recorder import MigrationRecorder

from linkwright import __version__
from linkwright.config import ServerConfig, prepare_home
from linkwright.errors import LinkwrightError
from linkwright.queue.order import queue_state


class DatabaseVersionError(LinkwrightError):
    """The database was made by a newer version of Linkwright."""


class DatabaseUnreachableError(LinkwrightError):
    """The database cannot be opened or asked."""


def prepare_database(config: ServerConfig) -> None:
    """Make the data folder, and create or update the tables; two processes that start at once do it once.

    Raises:
        DataFolderError: if the data folder cannot be written.
        DatabaseVersionError: if the database is newer than this program.
        DatabaseUnreachableError: if it cannot be opened.
    """
    prepare_home(config)
    try:
        if needs_migration():
            with _one_at_a_time(config):
                if needs_migration():
                    call_command("migrate", verbosity=0, interactive=False)
        queue_state()
    except DatabaseError as error:
        raise DatabaseUnreachableError(
            f"The database {database_name()} cannot be used: {str(error).strip()}. Check DATABASE_URL, that the "
            "server runs, and that the data folder is readable and not full."
        ) from error


def needs_migration() -> bool:
    """Tell whether the tables are older than this program.

    Raises:
        DatabaseVersionError: if they are newer.
    """
    executor = MigrationExecutor(connection)
    known = set(executor.loader.disk_migrations)
    applied = set(MigrationRecorder(connection).applied_migrations())
    newer = sorted(name for app, name in applied if app == "store" and (app, name) not in known)
    if newer:
        raise DatabaseVersionError(
            f"The database {database_name()} was made by a newer version of Linkwright: it holds "
            f"{newer[-1]}, which version {__version__} does not know. "
            "Install that version or a newer one, or name another data folder with --home. Nothing was changed."
        )
    return bool(executor.migration_plan(executor.loader.graph.leaf_nodes()))


def database_name() -> str:
    """Return what to call the database in a message; no password."""
    settings = connection.settings_dict
    if connection.vendor == "sqlite":
        return str(settings["NAME"])
    return f"{settings['NAME']} on {settings.get('HOST') or 'localhost'}"


@contextmanager
def _one_at_a_time(config: ServerConfig) -> Iterator[None]:
    with (config.home / "migrate.lock").open("w") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        yield
