"""A session on PostgreSQL reads a statement once; it plans it by its values each time, and without values once."""

from datetime import UTC, datetime

import pytest
from django.db import connection

from linkwright.services.queue_status import read_queue_status
from linkwright.store.queries.change_token import read_change_token
from tests.live_system import LiveSystem

pytestmark = pytest.mark.postgres
TIMES = 12


def _plans(part: str) -> list[tuple[int, int]]:
    """Return how often the session ran its prepared statements with this text by a general plan, and by values."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT generic_plans, custom_plans FROM pg_prepared_statements WHERE strpos(statement, %s) > 0 "
            "AND strpos(statement, 'pg_prepared_statements') = 0",
            [part],
        )
        return [(int(general), int(by_value)) for general, by_value in cursor.fetchall()]


def test_what_has_values_is_planned_by_them_and_prepared(on_postgres: LiveSystem) -> None:
    for _time in range(TIMES):
        read_queue_status()
    # the job that runs: one among a million, which a plan for any state would look for key by key
    ((general, by_value),) = _plans('"store_envelope"."received_by_id" FROM "store_job"')
    assert general == 0
    assert by_value > TIMES // 2


def test_the_one_statement_of_a_poll_is_planned_once_a_session(on_postgres: LiveSystem) -> None:
    seen_since = datetime(2026, 1, 1, tzinfo=UTC)
    tokens = {read_change_token(worker_seen_since=seen_since) for _time in range(TIMES)}
    ((general, by_value),) = _plans("SELECT MAX(changed_at)")
    assert len(tokens) == 1
    assert (general > TIMES // 2, by_value) == (True, 0)
