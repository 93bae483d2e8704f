"""Records, groups and pairs over the API: what each role sees, what the audit log says, decisions about groups."""

from typing import Any

import pytest

from linkwright.store.models import AuditLogEntry, Envelope, Role, User
from linkwright.store.permissions import Permission
from tests.integration.api.conftest import Api, KeyFor
from tests.integration.linked_system import FIRST, VALUES, linked, looks, member, system, without_drawing
from tests.integration.pipeline.conftest import System

__all__ = ["linked", "system", "without_drawing"]

pytestmark = pytest.mark.usefixtures("without_drawing")

LOOKS = ("/projects/P1/groups/1", "/projects/P1/records/1", "/projects/P1/pairs/1/2")
WHY = "they are Anna Berg and her sister"


@pytest.fixture
def reviewer(linked: System, key_for: KeyFor) -> Api:
    """Return the key of somebody who may see values and review."""
    return key_for(member(Role.REVIEWER))


@pytest.fixture
def viewer(linked: System, key_for: KeyFor) -> Api:
    """Return the key of somebody who may see neither."""
    return key_for(member(Role.VIEWER))


def read(api: Api, path: str, **query: Any) -> Any:
    response = api.get(path, **query)
    assert response.status_code == 200, response.content
    return response.json()


def error(response: Any, status: int) -> str:
    assert response.status_code == status, response.content
    return str(response.json()["error"]["message"])


def decide(api: Api, decision: str, **more: Any) -> Any:
    body = {"decision": decision, "seen_record_ids": [1, 2], "reason": WHY, **more}
    return api.post("/projects/P1/groups/1/review", body)


def test_who_may_see_values_sees_them_and_each_look_is_logged(reviewer: Api) -> None:
    group, record, pair = (read(reviewer, path) for path in LOOKS)
    assert group["members"][1]["values"]["fields"]["given_name"] == "annalie"
    assert record["values"]["fields"]["surname"] == "berg"
    (strategy,) = pair["strategies"]
    dates = next(one for one in strategy["comparisons"] if one["comparison"] == "date_of_birth")
    assert dates["values"][0] == {"field": "date_of_birth", "left": "1980-01-02", "right": "1980-01-02"}
    assert looks() == [("reviewer", "group 1"), ("reviewer", "record 1"), ("reviewer", "records 1 and 2")]


@pytest.mark.parametrize("path", LOOKS)
def test_who_may_not_see_values_gets_the_structure(viewer: Api, path: str) -> None:
    text = viewer.get(path).content.decode().lower()
    assert not [value for value in VALUES if value in text]
    assert '"a1"' in text
    assert looks() == []


@pytest.mark.parametrize("path", LOOKS)
def test_a_narrowed_key_shows_no_more_than_it_was_given(linked: System, key_for: KeyFor, path: str) -> None:
    person = member(Role.REVIEWER)
    text = key_for(person, permissions=[Permission.SEE_JOBS]).get(path).content.decode().lower()
    assert not [value for value in VALUES if value in text]
    assert looks() == []
    error(key_for(person, permissions=[Permission.SEE_IDENTIFYING_VALUES]).get(path), 403)


def test_a_group_shows_links_levels_and_history(viewer: Api) -> None:
    group = read(viewer, "/projects/P1/groups/1")
    assert group["record_ids"] == [1, 2]
    (link,), (pair,) = group["links"], group["pairs"]
    assert (link["record_id_l"], link["record_id_r"], link["strategy"]) == (1, 2, "person")
    assert pair["match_weight"] == link["match_weight"] > 2
    assert pair["is_match"] is True
    assert {"comparison": "given_name", "level": 1, "text": "similarity (at least 0.9)"} in pair["levels"]
    (event,) = group["history"]
    assert (event["event"], event["records_count"]) == ("created", 2)
    assert event["envelope"]["name"] == "first"


def test_the_waterfall_of_a_pair_adds_up(viewer: Api) -> None:
    pair = read(viewer, "/projects/P1/pairs/2/1")
    (strategy,) = pair["strategies"]
    parts = [one["weight"] + one["frequency_weight"] for one in strategy["comparisons"]]
    assert strategy["prior_weight"] + sum(parts) == pytest.approx(strategy["match_weight"])
    assert (strategy["verdict"], pair["in_one_group"], pair["values_shown"]) == ("match", True, False)
    assert pair["stored_pair"]["match_weight"] == pytest.approx(strategy["match_weight"])
    assert [one["record_id"] for one in pair["records"]] == [1, 2]
    assert len(pair["path"]) == 1


def test_a_record_says_where_it_came_from(viewer: Api) -> None:
    record = read(viewer, "/projects/P1/records/2")
    assert record["record"] == {"event_type_code": "ADM", "source_unique_id": "a2"}
    assert (record["envelope"]["name"], record["place"], record["loaded_count"]) == ("first", 2, 3)
    assert [one["group_id"] for one in record["stays"]] == [1]
    assert record["values"] is None


def test_records_are_found_by_source_unique_id(viewer: Api) -> None:
    found = read(viewer, "/projects/P1/records", source_unique_id="a2", event_type_code="ADM")
    name = {"event_type_code": "ADM", "source_unique_id": "a2"}
    assert found == {
        "items": [{"record_id": 2, "record": name, "group_id": 1, "has_ended": False}],
        "has_more": False,
    }
    assert read(viewer, "/projects/P1/records", source_unique_id="A2")["items"] == []
    assert read(viewer, "/projects/P1/records", source_unique_id="a2", event_type_code="BIRTH")["items"] == []
    assert looks() == []


def test_a_search_by_values_shows_them_and_keeps_what_was_searched_for_out_of_the_log(reviewer: Api) -> None:
    assert "surname" in read(reviewer, "/projects/P1/records/search")["fields"]
    asked = {"values": {"given_name": "Annalie", "date_of_birth": "1980-01-02", "surname": " "}}
    found = reviewer.post("/projects/P1/records/search", asked).json()
    assert [one["record_id"] for one in found["items"]] == [2]
    assert found["values"]["2"]["fields"]["given_name"] == "annalie"
    entry = AuditLogEntry.objects.get(action="see identifying values")
    assert entry.target == "search by given_name, date_of_birth"
    assert entry.detail == {"fields": ["given_name", "date_of_birth"], "records": ["ADM:a2"], "has_more": False}


def test_a_search_that_cannot_be_made_says_what_can(reviewer: Api) -> None:
    for values in ({}, {"surname": "  "}, {"shoe_size": "44"}):
        told = error(reviewer.post("/projects/P1/records/search", {"values": values}), 409)
        assert "Fields to search by: given_name, surname" in told
    assert looks() == []


@pytest.mark.parametrize(
    "path", ["/projects/P1/groups/9", "/projects/P1/records/9", "/projects/P1/pairs/1/9", "/projects/P2/groups/1"]
)
def test_what_is_not_there_is_not_found(reviewer: Api, path: str) -> None:
    error(reviewer.get(path), 404)
    assert looks() == []


@pytest.mark.parametrize(
    "path", [*LOOKS, "/projects/P1/records?source_unique_id=a1", "/projects/P1/records/search"]
)
def test_a_project_of_others_does_not_exist(linked: System, key_for: KeyFor, path: str) -> None:
    stranger = key_for(User.objects.create(username="stranger"))
    assert "There is no Linkage Project P1" in error(stranger.get(path), 404)


def test_one_record_twice_is_no_pair(viewer: Api) -> None:
    assert "named twice" in error(viewer.get("/projects/P1/pairs/1/1"), 409)
    assert "no version 7" in error(viewer.get("/projects/P1/pairs/1/2?version=7"), 409)


def test_a_decision_goes_through_the_queue_and_is_kept_with_its_reason(
    linked: System, reviewer: Api, viewer: Api
) -> None:
    sent = decide(reviewer, "take_out", chosen_record_ids=[2])
    assert sent.status_code == 202
    envelope = sent.json()
    assert (envelope["request_type"], envelope["name"]) == ("SubmitQualityReview", "Review of group 1")
    assert [one["id"] for one in read(viewer, "/projects/P1/groups/1")["waiting_reviews"]] == [envelope["id"]]
    linked.drain()
    assert Envelope.objects.get(pk=envelope["id"]).state == "Success"
    group = read(reviewer, "/projects/P1/groups/1")
    assert group["record_ids"] == [1]
    (review,) = group["reviews"]
    assert (review["made_by"], review["reason"]) == ("reviewer", WHY)
    (decision,) = review["decisions"]
    assert (decision["record_id"], decision["other_record_id"]) == (1, 2)
    assert (decision["is_together"], decision["holds"]) == (False, True)
    assert read(viewer, "/projects/P1/groups/1")["reviews"][0]["reason"] is None
    entry = AuditLogEntry.objects.get(action="review group")
    assert (entry.reason, entry.detail["decision"]) == (WHY, "take_out")


def test_a_decision_about_a_group_that_has_changed_is_refused(reviewer: Api) -> None:
    before = Envelope.objects.count()
    told = error(decide(reviewer, "take_out", chosen_record_ids=[2], seen_record_ids=[1, 2, 3]), 409)
    assert "has changed since you looked at it" in told
    assert "Choose the records" in error(decide(reviewer, "each_apart"), 409)
    assert "no other group 9" in error(decide(reviewer, "together", other_group_id=9), 409)
    error(decide(reviewer, "asunder"), 422)
    said = {"other_group_id": 2, "chosen_record_ids": [2]}
    assert "chosen_record_ids says nothing" in error(decide(reviewer, "together", **said), 409)
    assert "other_group_id says nothing" in error(decide(reviewer, "take_out", **said), 409)
    error(decide(reviewer, "together", reason="  "), 422)
    assert Envelope.objects.count() == before


def test_only_who_may_review_decides(viewer: Api) -> None:
    assert "'review'" in error(decide(viewer, "take_out", chosen_record_ids=[2]), 403)


def test_a_draft_is_tried_on_the_records_and_shows_no_values_without_the_permission(
    linked: System, key_for: KeyFor
) -> None:
    owner, path = member(Role.OWNER), "/projects/P1/match-configuration"
    draft = {"definition": key_for(owner).get(path).json()["definition"]}
    tried = key_for(owner).post(f"{path}/try", draft).json()
    assert (tried["sampled_count"], tried["linked_count"], tried["values_shown"]) == (3, 1, True)
    assert looks() == [("owner", "a trial of the match configuration")]
    narrowed = key_for(owner, permissions=[Permission.CONFIGURE_PROJECTS])
    text = narrowed.post(f"{path}/try", draft).content.decode().lower()
    assert '"a2"' in text
    assert not [value for value in VALUES if value in text]
    assert len(looks()) == 1
    refused = key_for(owner).post(f"{path}/try", {"definition": {"prior": 2}})
    assert "The draft has faults" in error(refused, 409)
    assert refused.json()["error"]["faults"]


def test_a_file_is_read_as_a_definition_and_nothing_is_saved(linked: System, key_for: KeyFor) -> None:
    owner, path = key_for(member(Role.OWNER)), "/projects/P1/match-configuration"
    held = owner.get(path).json()
    splink = {"link_type": "dedupe_only", "comparisons": []}
    for text, status in ((str(held["definition"]).replace("'", '"'), 200), ("a: [", 409), (str(splink), 409)):
        response = owner.post(f"{path}/read-file", {"text": text, "file_name": "model.json"})
        assert response.status_code == status, response.content
        if status == 200:
            assert response.json() == {"definition": held["definition"], "notes": []}
        else:
            assert "model.json" in error(response, 409)
    assert owner.get(path).json()["version"] == held["version"]


def test_an_infinite_weight_is_a_word_that_json_has(system: System, key_for: KeyFor) -> None:
    owner, path = key_for(member(Role.OWNER)), "/projects/P1/match-configuration"
    rules = [["surname", "date_of_birth"]]
    definition = {"prior": 0.001, "strategies": [{"name": "same", "blocking_rules": rules}]}
    assert owner.put(path, {"definition": definition}).status_code == 200
    assert system.load("first", FIRST).state == "Success"
    pair, group = read(owner, "/projects/P1/pairs/1/2"), read(owner, "/projects/P1/groups/1")
    (strategy,) = pair["strategies"]
    found = (strategy, pair["stored_pair"], *pair["path"], *group["links"], *group["pairs"])
    assert [one["match_weight"] for one in found] == ["infinity"] * 5
    assert (strategy["match_threshold"], strategy["comparisons"]) == (None, [])
