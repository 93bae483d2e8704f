"""The rows of every table, out of a snapshot into files and back: plain values that either database takes.

Left out are tables that say what goes on in a moment (sessions, workers), and the web framework's own tables of
groups and permissions, which Linkwright does not use.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from pathlib import Path, PurePosixPath
from typing import Any

from django.apps import apps
from django.apps.registry import Apps
from django.db import connection
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.loader import MigrationLoader
from django.db.models import BooleanField, CharField, Field, ForeignKey, IntegerField, Model, TextField

from linkwright.store.backup.manifest import DATABASE_FOLDER, BackupError, TablePart
from linkwright.store.backup.parts import read_raw_lines, write_lines
from linkwright.store.backup.snapshot import all_rows, snapshot_rows, table_name
from linkwright.store.models import SignIn, SignInThrottle, WorkerPresence

APP = "store"
ROWS_AT_ONCE = 2000
# what goes on in a moment
_PASSING = {table_name(model) for model in (SignIn, SignInThrottle, WorkerPresence)}
# PostgreSQL takes every character in a text but this one
_WRITTEN_NUL = b"\\u0000"
_SHOWN_NUL = "\ufffd"


# numbers, texts and keys: both databases take what JSON gives. Most columns are of these
_TAKEN_AS_THEY_ARE = (BooleanField, CharField, IntegerField, TextField)


def columns_of(model: type[Model]) -> "list[Field[Any, Any]]":
    """Return the fields that are columns of a model's table, in a fixed order."""
    return list(model._meta.concrete_fields)  # noqa: SLF001 - Django's documented model API


def newest_migration(snapshot: BaseDatabaseWrapper) -> str:
    """Return the name of the newest migration of the tables.

    Raises:
        BackupError: if the tables are not those of this program.
    """
    loader = MigrationLoader(None)
    known = {name for app, name in loader.disk_migrations if app == APP}
    with snapshot.cursor() as cursor:
        cursor.execute("SELECT name FROM django_migrations WHERE app = %s", [APP])
        applied = {str(row[0]) for row in cursor.fetchall()}
    if applied != known:
        raise BackupError(
            "The database is no longer of the version of this worker: another version has changed its tables. "
            "Start the worker of that version, then retry."
        )
    ((_app, name),) = loader.graph.leaf_nodes(APP)
    return str(name)


def backed_up_models(registry: Apps | None = None) -> list[type[Model]]:
    """Return the models whose rows belong into a backup; `registry` is that of another state of the tables."""
    of_state = registry or apps
    return [
        model
        for model in of_state.get_app_config(APP).get_models(include_auto_created=True)
        if table_name(model) not in _PASSING and not _joins_framework(model)
    ]


def write_table(
    model: type[Model], snapshot: BaseDatabaseWrapper, folder: Path, advance: Callable[[int], None]
) -> TablePart:
    """Write all rows of a table into a backup's folder.

    `advance` is called with the rows since its last call.

    Raises:
        OSError: if the disk is full.
    """
    fields, table = columns_of(model), table_name(model)
    rows = all_rows(model).order_by("pk").values_list(*(field.attname for field in fields))
    found = snapshot_rows(rows, snapshot)
    with write_lines(folder / DATABASE_FOLDER, f"{table}.jsonl.gz") as lines:
        while piece := list(islice(found, ROWS_AT_ONCE)):
            for row in piece:
                lines.add(row)
            advance(len(piece))
    part = lines.written.model_copy(update={"name": f"{DATABASE_FOLDER}/{lines.written.name}"})
    columns = tuple(str(field.column) for field in fields)
    return TablePart(table=table, columns=columns, rows_count=lines.lines_count, part=part)


def load_table(model: type[Model], table: TablePart, backup: Path, advance: Callable[[int], None]) -> int:
    """Insert the rows of a backup into an empty table, inside the caller's transaction; returns how many.

    Raises:
        DatabaseError: if the database does not take them.
        ValueError, ValidationError, OSError, EOFError: if the file is not what `write_table` wrote.
    """
    quote = connection.ops.quote_name
    # the same columns, in another order where they were added one by one
    by_column = {str(field.column): field for field in columns_of(model)}
    fields = [by_column[column] for column in table.columns]
    columns = ", ".join(map(quote, table.columns))
    places = ", ".join(["%s"] * len(fields))
    statement = f"INSERT INTO {quote(table_name(model))} ({columns}) VALUES ({places})"
    rows_count = 0
    prepare = [None if _is_taken_as_it_is(field) else _preparing(field) for field in fields]
    with connection.cursor() as cursor:
        for piece in _pieces(backup / PurePosixPath(table.part.name)):
            cursor.executemany(statement, [_prepared(prepare, row) for row in piece])
            rows_count += len(piece)
            advance(len(piece))
    return rows_count


def _pieces(path: Path) -> Iterator[list[list[Any]]]:
    rows = map(_row, read_raw_lines(path))
    while piece := list(islice(rows, ROWS_AT_ONCE)):
        yield piece


def _row(line: bytes) -> list[Any]:
    row: list[Any] = json.loads(line)
    if _WRITTEN_NUL in line and connection.vendor == "postgresql":
        return [_shown(value) for value in row]
    return row


def _is_taken_as_it_is(field: "Field[Any, Any]") -> bool:
    return isinstance(field.target_field if isinstance(field, ForeignKey) else field, _TAKEN_AS_THEY_ARE)


def _preparing(field: "Field[Any, Any]") -> Callable[[Any], Any]:
    """Return what turns a plain value into what the database in use takes for a column."""
    return lambda value: field.get_db_prep_save(field.to_python(value), connection)


def _prepared(prepare: Sequence[Callable[[Any], Any] | None], row: Sequence[Any]) -> list[Any]:
    return [
        value if turn is None or value is None else turn(value) for turn, value in zip(prepare, row, strict=True)
    ]


def _shown(value: Any) -> Any:
    """Return a value without the character that PostgreSQL refuses."""
    if isinstance(value, str):
        return value.replace("\0", _SHOWN_NUL)
    if isinstance(value, list):
        return [_shown(one) for one in value]
    if isinstance(value, dict):
        return {_shown(key): _shown(one) for key, one in value.items()}
    return value


def _joins_framework(model: type[Model]) -> bool:
    """Tell whether a table joins ours to one of the framework's."""
    related = [field.related_model for field in columns_of(model) if field.is_relation]
    return any(not isinstance(one, str) and one is not None and not _is_ours(one) for one in related)


def _is_ours(model: type[Model]) -> bool:
    return model._meta.app_label == APP  # noqa: SLF001
