"""Whatever is sent to the API, described or not: no server error, and every answer is as the document says.

schemathesis makes the requests from the OpenAPI document and checks the answers; the API runs in this process.
"""

import os
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis.strategies import tuples
from schemathesis import Case, GenerationMode

from linkwright.api.rights import failed_keys
from linkwright.api.urls import openapi_document
from linkwright.config import load_config
from linkwright.services.begin_upload import begin_upload
from linkwright.services.create_api_key import create_api_key
from linkwright.store.audit_log import COMMAND_LINE, Actor
from linkwright.store.models import JobKind
from tests.integration.api.conftest import KeyFor
from tests.integration.web.seed import World

# more of them, at random: LINKWRIGHT_API_EXAMPLES=100
EXAMPLES = int(os.environ.get("LINKWRIGHT_API_EXAMPLES", "8"))
OPERATIONS = [
    (method, path) for path, item in sorted(openapi_document()["paths"].items()) for method in sorted(item)
]


def _known(world: World, path: str) -> dict[str, Any] | None:
    """Return what there is, so that not every request ends in 404."""
    known = {
        "envelope_id": world.envelopes["BIRTHS-2025-late"].pk,
        "job_id": world.job("BIRTHS-2025-late", JobKind.LOAD).pk,
        "estimation_id": world.estimation.pk if world.estimation else 0,
        "result_id": world.result.pk if world.result else 0,
        "event_type_code": "DEATHS",
        "person_id": world.viewer.pk,
        "record_id": 1,
        "other_record_id": 2,
        "group_id": 1,
        "extraction_code": "DIABETES",
        "code": {"providers": "WAHEALTH", "event-types": "BIRTHS", "import-formats": "CSV"}.get(
            path.split("/")[3], "PERINATAL"
        ),
    }
    if "{upload_id}" in path:
        known["upload_id"] = begin_upload("births.zip", 9, Actor(world.admin, "tests"), load_config()).id
    if "{key_id}" in path:
        known["key_id"] = create_api_key(world.viewer, "theirs", COMMAND_LINE).key.pk
    known["name"] = "Backup.Keep"
    found = {name: value for name, value in known.items() if f"{{{name}}}" in path}
    return found or None


def _sends_all(case: Case[Any]) -> bool:
    """Tell whether the whole query is sent: an empty list is not, and with it goes what was wrong."""
    return not any(value in ([], {}) for value in (case.query or {}).values())


def _closing(application: Any) -> Any:
    """Close each response as a server does; the client of the tests leaves that to chance."""

    def call(environ: Any, start_response: Any) -> list[bytes]:
        response = application(environ, start_response)
        try:
            return [b"".join(response)]
        finally:
            response.close()

    return call


@pytest.fixture(autouse=True)
def _one_connection() -> Iterator[None]:
    """Keep the test's connection open: Django closes it after each request of a real server."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


@pytest.mark.parametrize(("method", "path"), OPERATIONS, ids=str)
def test_no_request_makes_an_answer_that_is_not_described(
    world: World, key_for: KeyFor, method: str, path: str
) -> None:
    schema = schemathesis.openapi.from_dict(openapi_document())
    schema.app = _closing(get_wsgi_application())
    headers = key_for(world.admin).headers
    operation = schema[path][method.upper()]
    # a checksum that is well formed is still not that of the file
    described = operation.as_strategy(path_parameters=_known(world, path), headers={"Content-SHA256": ""})
    undescribed = operation.as_strategy(generation_mode=GenerationMode.NEGATIVE).filter(_sends_all)

    @settings(
        max_examples=EXAMPLES,
        derandomize="LINKWRIGHT_API_EXAMPLES" not in os.environ,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(cases=tuples(described, undescribed))
    def ask(cases: tuple[Case[Any], Case[Any]]) -> None:
        # the requests with wrong keys come on purpose
        failed_keys.forget()
        for case in cases:
            with transaction.atomic():
                case.call_and_validate(headers=headers)
                # every request meets the same world
                transaction.set_rollback(True)

    ask()
