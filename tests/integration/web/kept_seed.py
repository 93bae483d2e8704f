"""Lays a seeded database into a test: made once by the models, then put down again row by row.

Seeding by the models takes most of the time of a test of a page, and hundreds of tests ask for the same rows. What
is kept is a few seconds old at most, so that 'two minutes ago' stays true; where the database holds anything, and
on PostgreSQL, everything is seeded anew.
"""

import pickle
import sqlite3
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from linkwright.config import load_config
from linkwright.store.models import WorkerPresence
from tests.integration.web.seed import World

KEPT_S = 15.0
_DATABASE = "test.sqlite3"
Rows = Sequence[tuple[Any, ...]]


@dataclass(frozen=True)
class _Kept:
    made_at_s: float
    # how many rows each table held before, and what the changed ones held then
    counts: Mapping[str, int]
    tables: Mapping[str, Rows]
    files: Mapping[str, bytes]
    world: bytes


_KEPT: dict[Callable[[], World], _Kept] = {}


def lay(seed: Callable[[], World]) -> World:
    """Return the world that a function seeds, with its rows and files in place."""
    if connection.vendor != "sqlite":
        return seed()
    counts = _counts()
    kept = _KEPT.get(seed)
    if kept is None or kept.counts != counts or time.monotonic() - kept.made_at_s > KEPT_S:
        return _seeded(seed, counts)
    raw = _raw()
    # keys of other tables are looked at when it ends
    with transaction.atomic():
        for table, rows in kept.tables.items():
            raw.execute(f'DELETE FROM "{table}"')
            raw.executemany(_insert(table), rows)
    home = load_config().home
    for name, content in kept.files.items():
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        (home / name).write_bytes(content)
    WorkerPresence.objects.update(started_at=timezone.now(), seen_at=timezone.now())
    world = pickle.loads(kept.world)  # noqa: S301 - made by this process
    assert isinstance(world, World)
    return world


def _seeded(seed: Callable[[], World], counts: Mapping[str, int]) -> World:
    before = {table: _rows(table) for table, count in counts.items() if count}
    files = _files()
    world = seed()
    tables = {table: _rows(table) for table in counts}
    changed = {table: rows for table, rows in tables.items() if rows != before.get(table, [])}
    made = {name: content for name, content in _files().items() if name not in files}
    _KEPT[seed] = _Kept(time.monotonic(), counts, changed, made, pickle.dumps(world))
    return world


def _raw() -> sqlite3.Connection:
    connection.ensure_connection()
    raw: sqlite3.Connection = connection.connection
    return raw


@cache
def _columns() -> Mapping[str, Sequence[str]]:
    """Return the columns of every table; SQLite's own keep count by themselves."""
    tables = _raw().execute("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%'")
    return {
        table: [str(column[1]) for column in _raw().execute(f'PRAGMA table_info("{table}")')]
        for (table,) in tables.fetchall()
    }


def _counts() -> dict[str, int]:
    parts = (f"SELECT '{table}', COUNT(*) FROM \"{table}\"" for table in _columns())
    return dict(_raw().execute(" UNION ALL ".join(parts)).fetchall())


def _rows(table: str) -> list[tuple[Any, ...]]:
    # as expressions they have no declared type, and come as they are stored
    columns = ", ".join(f'+"{column}"' for column in _columns()[table])
    return _raw().execute(f'SELECT {columns} FROM "{table}"').fetchall()


def _insert(table: str) -> str:
    columns = _columns()[table]
    names, places = ", ".join(f'"{column}"' for column in columns), ", ".join("?" * len(columns))
    return f'INSERT INTO "{table}" ({names}) VALUES ({places})'


def _files() -> dict[str, bytes]:
    home = load_config().home
    found = (path for path in home.rglob("*") if path.is_file() and not path.name.startswith(_DATABASE))
    return {str(Path(path).relative_to(home)): path.read_bytes() for path in found}
