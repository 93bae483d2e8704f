"""Reads of one moment: a connection of its own, on which the whole database stands still while others write."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Model, QuerySet

ROWS_AT_ONCE = 2000


@contextmanager
def open_snapshot() -> Iterator[BaseDatabaseWrapper]:
    """Open a read transaction beside the process's own connection; nobody waits for it.

    On SQLite a deferred transaction: readers of the write-ahead log see the moment of their first read. The
    connection's usual transactions are IMMEDIATE, and would shut every writer out.
    """
    own = connection.copy()
    try:
        if own.vendor == "postgresql":
            own.set_autocommit(False)
            begin = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"
        else:
            begin = "BEGIN DEFERRED"
        with own.cursor() as cursor:
            cursor.execute(begin)
            # the moment is that of the first read
            cursor.execute("SELECT COUNT(*) FROM django_migrations")
        yield own
    finally:
        own.close()


def snapshot_rows(
    rows: QuerySet[Any, tuple[Any, ...]], snapshot: BaseDatabaseWrapper
) -> Iterator[tuple[Any, ...]]:
    """Return the rows of a `values_list` as the snapshot holds them, in bounded memory."""
    compiler = rows.query.get_compiler(connection=snapshot)
    found: Iterator[tuple[Any, ...]] = compiler.results_iter(
        tuple_expected=True, chunked_fetch=True, chunk_size=ROWS_AT_ONCE
    )
    return found


def all_rows(model: type[Model]) -> QuerySet[Any, Any]:
    """Return every row of a table, whatever the model's own managers would leave out."""
    return model._base_manager.all()  # noqa: SLF001 - Django's documented model API


def table_name(model: type[Model]) -> str:
    """Return the name of a model's table."""
    return model._meta.db_table  # noqa: SLF001


def count_rows(model: type[Model], snapshot: BaseDatabaseWrapper) -> int:
    """Return how many rows a table has in the snapshot."""
    with snapshot.cursor() as cursor:
        cursor.execute(f"SELECT COUNT(*) FROM {snapshot.ops.quote_name(table_name(model))}")
        return int(cursor.fetchone()[0])
