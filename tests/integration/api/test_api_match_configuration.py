"""The match configuration through the API: history, checking, saving, and somebody who saved meanwhile."""

import json
from typing import Any

from linkwright.engine.default_configuration import default_match_definition
from linkwright.engine.fields import STANDARD_FIELDS
from linkwright.store.models import MatchConfigurationVersion
from tests.integration.api.conftest import People
from tests.integration.web.seed import World

PATH = "/projects/PERINATAL/match-configuration"


def default(**changes: Any) -> dict[str, Any]:
    made: dict[str, Any] = json.loads(json.dumps(default_match_definition(STANDARD_FIELDS)))
    return {**made, **changes}


def test_what_is_saved_is_read_back_and_stands_in_the_history(world: World, people: People) -> None:
    owner = people["owner"]
    body = {"definition": default(), "base_version": 3, "note": "a start"}
    assert owner.put(PATH, body).json() == {"version": 4}
    assert owner.get(PATH).json()["definition"] == default()
    newest = owner.get(f"{PATH}/versions").json()["items"][0]
    del newest["created_at"]
    assert newest == {
        "version": 4,
        "created_by": "owner",
        "source": "the API",
        "note": "a start",
        "has_term_frequencies": False,
    }
    assert owner.put(PATH, {"definition": default()}).json() == {"version": None}


def test_a_draft_of_an_older_version_is_refused_and_nothing_changes(world: World, people: People) -> None:
    owner = people["owner"]
    owner.put(PATH, {"definition": default(), "base_version": 3})
    refused = owner.put(PATH, {"definition": default(prior=0.5), "base_version": 3})
    assert refused.status_code == 409
    assert "Version 4 was saved by owner" in refused.json()["error"]["message"]
    assert MatchConfigurationVersion.objects.filter(project=world.perinatal).count() == 2


def test_every_fault_is_named_by_a_check_and_by_saving(world: World, people: People) -> None:
    owner = people["owner"]
    faulty = default(prior=2)
    faulty["strategies"][0]["name"] = "No"
    checked = owner.post(f"{PATH}/validate", {"definition": faulty}).json()
    assert checked["is_valid"] is False
    assert [fault.split(": ")[0] for fault in checked["faults"]] == ["prior", "strategies[0].name"]
    refused = owner.put(PATH, {"definition": faulty})
    assert refused.status_code == 409
    assert len(refused.json()["error"]["faults"]) == 2
    assert owner.post(f"{PATH}/validate", {"definition": default()}).json() == {"is_valid": True, "faults": []}
