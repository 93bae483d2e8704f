"""The tests of the queue, run once more on PostgreSQL: they are written for no database in particular."""

import os
import re
import subprocess
import sys

import pytest

from tests.live_system import ROOT
from tests.servers import new_postgres_database

SUITES = (
    "tests/integration/queue",
    "tests/integration/worker/test_housekeeping.py",
    "tests/integration/services/test_migrations.py",
    "tests/integration/services/test_audit_chain.py",
)


@pytest.mark.postgres
def test_the_tests_of_the_queue_pass_on_postgres() -> None:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *SUITES],
        env={**kept, "DATABASE_URL": new_postgres_database()},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    summary = done.stdout.splitlines()[-1]
    assert re.fullmatch(r"\d+ passed in .*", summary), summary
