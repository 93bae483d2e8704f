"""What the API does with parameters that an operation does not know."""

from tests.integration.api.conftest import People
from tests.integration.api.test_api_routes import READS, _path
from tests.integration.web.seed import World


def test_a_name_that_no_read_knows_is_refused_and_not_passed_over(world: World, people: People) -> None:
    passed = {}
    for name, (template, _) in READS.items():
        path = _path(world, template)
        response = people["admin"].get(f"{path}{'&' if '?' in path else '?'}no_such_name=1")
        if response.status_code != 422 or "no_such_name" not in response.json()["error"]["message"]:
            passed[name] = response.status_code
    assert passed == {}
