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


DEFAULT = "/default-match-configuration"


def test_the_default_of_new_projects_is_read_saved_and_set_back(world: World, people: People) -> None:
    admin, viewer = people["admin"], people["viewer"]
    built_in = viewer.get(DEFAULT).json()
    assert (built_in["version"], built_in["is_built_in"], built_in["created_at"]) == (0, True, None)
    assert built_in["definition"] == default()
    body = {"definition": default(prior=0.5), "base_version": 0, "note": "a start"}
    assert admin.put(DEFAULT, body).json() == {"version": 1}
    assert viewer.get(DEFAULT).json()["definition"] == default(prior=0.5)
    stale = admin.put(DEFAULT, {"definition": default(prior=0.4), "base_version": 0})
    assert "Version 1 was saved by admin" in stale.json()["error"]["message"]
    assert admin.put(DEFAULT, {"definition": None}).json() == {"version": 2}
    assert viewer.get(DEFAULT).json()["is_built_in"] is True
    lines = viewer.get(f"{DEFAULT}/versions").json()["items"]
    assert [(line["version"], line["source"], line["note"]) for line in lines] == [
        (2, "the API", ""),
        (1, "the API", "a start"),
        (0, "Linkwright itself", ""),
    ]
    assert viewer.get(f"{DEFAULT}?version=1").json()["definition"] == default(prior=0.5)
    assert viewer.get(f"{DEFAULT}?version=9").status_code == 404


def test_a_faulty_or_empty_default_is_refused(world: World, people: People) -> None:
    admin = people["admin"]
    assert admin.put(DEFAULT, {"definition": {}}).status_code == 409
    assert admin.put(DEFAULT, {"definition": default(prior=2)}).status_code == 409
    assert admin.put(DEFAULT, {"definition": default(prior=0.5), "base_version": 7}).status_code == 409
    assert admin.get(DEFAULT).json()["version"] == 0
    checked = admin.post(f"{DEFAULT}/validate", {"definition": default(prior=2)}).json()
    assert (checked["is_valid"], len(checked["faults"])) == (False, 1)
