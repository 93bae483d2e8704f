"""Explaining pairs and groups of a project that was processed: versions, groups, values and who may see them."""

import json
from pathlib import Path

import pytest
import yaml

from linkwright.engine.explanation import Verdict
from linkwright.errors import LinkwrightError
from linkwright.services.apply_project_file import apply_project_file
from linkwright.services.explain_group import ExplainedGroup, explain_group, group_of_record
from linkwright.services.explain_pair import ExplainedPair, explain_pair
from linkwright.services.project_file import read_project_file
from linkwright.store.audit_log import COMMAND_LINE, Actor
from linkwright.store.models import AuditLogEntry, LinkageProject, Membership, Role, User
from linkwright.warehouse.live_files import RecordKey
from tests.integration.pipeline.conftest import PROJECT_YAML, Row, System, system

__all__ = ["system"]

# a1 and a2 agree in all; a3 is a2 with another surname; a4 shares a birthday with nobody's name
FIRST: list[Row] = [
    ("a1", "Anna", "Berg", "1980-01-02", "2000"),
    ("a2", "Anna", "Berg", "1980-01-02", "2000"),
    ("a4", "Zoe", "Quist", "1980-01-02", ""),
    ("a5", "Ben", "Low", "1971-05-06", "2010"),
]
SECOND: list[Row] = [("b3", "Anna", "Holm", "1980-01-02", "2000"), ("b6", "Ada", "Low", "1990-07-08", "2010")]


@pytest.fixture
def linked(system: System) -> System:
    """Return a project with two Envelopes, processed."""
    for name, rows in (("first", FIRST), ("second", SECOND)):
        assert system.load(name, rows).state == "Success"
    return system


def pair(
    system: System, one: str, other: str, actor: Actor = COMMAND_LINE, version: int | None = None
) -> ExplainedPair:
    keys = (RecordKey("ADM", one), RecordKey("ADM", other))
    return explain_pair(system.config, actor, "P1", keys, version)


def group(system: System, source_unique_id: str, actor: Actor = COMMAND_LINE) -> ExplainedGroup:
    group_id = group_of_record(system.config, actor, "P1", RecordKey("ADM", source_unique_id))
    return explain_group(system.config, actor, "P1", group_id)


def person(role: str | None, name: str = "alice") -> Actor:
    user = User.objects.create(username=name)
    if role is not None:
        Membership.objects.create(user=user, project=LinkageProject.objects.get(code="P1"), role=role)
    return Actor(user, "192.0.2.7")


def apply_changed(system: System, old: str, new: str) -> None:
    """Apply the project file with a change of its text."""
    assert old in PROJECT_YAML
    path = system.folder / "changed.yaml"
    path.write_text(PROJECT_YAML.replace(old, new))
    apply_project_file(read_project_file(path), COMMAND_LINE)


def test_a_pair_shows_its_envelopes_its_version_and_the_stored_weight(linked: System) -> None:
    told = pair(linked, "b3", "a2")
    assert [str(record.key) for record in told.records] == ["ADM:a2", "ADM:b3"]
    assert [record.envelope.name for record in told.records] == ["first", "second"]
    assert told.version == 1
    assert told.version_origin == "it matched the later record's Envelope 2 (second)"
    (strategy,) = told.strategies
    assert strategy.rules == ("date_of_birth",)
    assert [part.level for part in strategy.parts] == ["exact", "else", "exact"]
    assert strategy.parts[0].values is not None
    assert (strategy.parts[0].values[0].left, strategy.parts[0].values[0].right) == ("anna", "anna")
    assert told.stored is not None
    assert strategy.match_weight == pytest.approx(told.stored.match_weight, abs=1e-9)
    assert told.stored_text == "Match kept the pair: accepted, by the strategy person."
    assert told.drawn is strategy


def test_two_records_that_no_rule_brings_together_are_explained_too(linked: System) -> None:
    told = pair(linked, "a1", "a5")
    assert told.strategies[0].verdict is Verdict.NOT_COMPARED
    assert told.stored is None
    assert told.stored_text == "Match kept no such pair."
    one, other = told.records
    assert told.group_text == f"They are in different groups today: {one.group_id} and {other.group_id}."
    assert told.path is None
    assert told.drawn is told.strategies[0]


def test_a_pair_for_review_stays_in_two_groups(linked: System) -> None:
    apply_changed(linked, "match_threshold: 2", "match_threshold: 6")
    linked.load("third", [("c7", "Anna", "Vik", "1980-01-02", "2000")])
    told = pair(linked, "a1", "c7")
    assert told.version == 2
    assert told.strategies[0].verdict is Verdict.REVIEW
    assert told.stored_text == (
        "Match kept the pair: kept for review, under the match threshold, by the strategy person."
    )
    assert not told.in_one_group


def test_another_version_can_be_asked_for(linked: System) -> None:
    apply_changed(linked, "m_probability: 0.95", "m_probability: 0.99")
    old, new = pair(linked, "a1", "a2"), pair(linked, "a1", "a2", version=2)
    assert (old.version, new.version, new.version_origin) == (1, 2, "it was asked for")
    assert old.strategies[0].match_weight != new.strategies[0].match_weight
    with pytest.raises(
        LinkwrightError, match=r"P1 has no version 7 of its match configuration. There are: 1, 2\."
    ):
        pair(linked, "a1", "a2", version=7)


def test_a_version_that_would_keep_what_match_did_not_is_told(linked: System) -> None:
    apply_changed(linked, "[[surname], [date_of_birth]]", "[[surname], [date_of_birth], [postcode]]")
    told = pair(linked, "a5", "b6", version=2)
    assert told.strategies[0].rules == ("surname", "postcode")
    assert told.stored is None
    apply_changed(linked, "review_threshold: -3", "review_threshold: -30")
    told = pair(linked, "a5", "b6", version=3)
    assert told.strategies[0].verdict is Verdict.REVIEW
    assert told.stored_text.startswith("Match kept no such pair, though version 3 would: another version was")


def test_a_chain_through_a_third_record_holds_two_records_together(system: System) -> None:
    apply_changed(system, "match_threshold: 2", "match_threshold: -2")
    # d2 shares a surname with d1 and a birthday with d3, which no rule brings together
    rows = [
        ("d1", "Ida", "Moe", "1960-02-03", ""),
        ("d2", "Ida", "Moe", "1961-09-09", ""),
        ("d3", "Ida", "Nygard", "1961-09-09", ""),
    ]
    system.load("chain", rows)
    told = pair(system, "d3", "d1")
    assert told.strategies[0].verdict is Verdict.NOT_COMPARED
    assert told.in_one_group
    assert told.path is not None
    assert [(str(link.start), str(link.end)) for link in told.path] == [("ADM:d1", "ADM:d2"), ("ADM:d2", "ADM:d3")]
    weights = {one: pair(system, "d2", one).strategies[0].match_weight for one in ("d1", "d3")}
    assert [link.match_weight for link in told.path] == pytest.approx([weights["d1"], weights["d3"]], abs=1e-9)
    assert told.group_text.endswith(
        f"a chain of 2 accepted pairs joins them, the weakest of weight {weights['d1']:.2f}."
    )
    assert pair(system, "d1", "d2").group_text.endswith("their own pair joins them.")


def test_a_rule_of_grouping_that_keeps_an_accepted_pair_apart_is_told(system: System) -> None:
    path = system.folder / "strict.yaml"
    content = yaml.safe_load(PROJECT_YAML)
    content["event_types"][0]["authoritative"] = True
    content["projects"][0]["grouping"] = {"one_per_authoritative": True}
    path.write_text(yaml.safe_dump(content, sort_keys=False))
    apply_project_file(read_project_file(path), COMMAND_LINE)
    system.load("first", FIRST)
    told = pair(system, "a1", "a2")
    assert told.stored is not None
    assert told.stored.is_match
    assert not told.in_one_group
    assert "a rule of grouping keeps the groups apart" in told.group_text


def test_a_deterministic_strategy_is_told_beside_one_that_weighs(system: System) -> None:
    apply_changed(
        system,
        "      strategies:\n",
        "      strategies:\n        - {name: same, blocking_rules: [[surname, date_of_birth]]}\n",
    )
    system.load("first", FIRST)
    told = pair(system, "a1", "a2")
    same, weighed = told.strategies
    assert (same.verdict, weighed.verdict) == (Verdict.MATCH, Verdict.MATCH)
    assert told.stored is not None
    assert (told.stored.strategy, told.stored.match_weight) == ("same", float("inf"))
    assert told.drawn is weighed
    plain = json.loads(json.dumps(told.as_plain(), allow_nan=False))
    assert plain["stored_pair"]["match_weight"] == plain["path"][0]["match_weight"] == "infinity"


@pytest.mark.parametrize(
    ("one", "other", "text"),
    [
        ("a1", "a1", "ADM:a1 is named twice. Name two different records."),
        ("a1", "a9", "P1 holds no record ADM:a9. What stands behind the colon"),
        ("a8", "a9", "P1 holds no record ADM:a8 and no record ADM:a9."),
    ],
)
def test_records_that_cannot_be_explained_are_named(linked: System, one: str, other: str, text: str) -> None:
    with pytest.raises(LinkwrightError) as refused:
        pair(linked, one, other)
    assert str(refused.value).startswith(text)


def test_unknown_projects_and_event_types_are_named_with_those_there_are(linked: System) -> None:
    keys = (RecordKey("ADN", "a1"), RecordKey("ADM", "a2"))
    with pytest.raises(LinkwrightError, match=r"'ADN' is no Event Type of P1\. There are: ADM\."):
        explain_pair(linked.config, COMMAND_LINE, "P1", keys)
    with pytest.raises(LinkwrightError, match=r"There is no Linkage Project 'P2'\. There are: P1\."):
        explain_pair(linked.config, COMMAND_LINE, "P2", keys)


def test_a_project_without_data_holds_no_record(system: System) -> None:
    with pytest.raises(LinkwrightError, match="P1 holds no record ADM:a1 and no record ADM:a2"):
        pair(system, "a1", "a2")


@pytest.mark.parametrize("role", [Role.OWNER, Role.REVIEWER, None])
def test_who_may_see_values_is_in_the_audit_log_when_they_do(linked: System, role: str | None) -> None:
    actor = COMMAND_LINE if role is None else person(role)
    told = pair(linked, "b3", "a1", actor)
    assert told.values_shown
    assert told.strategies[0].parts[0].values
    entry = AuditLogEntry.objects.get(action="see identifying values")
    assert (entry.user, entry.origin) == (actor.user, actor.origin)
    numbers = [record.record_id for record in told.records]
    assert (entry.target, entry.project_code) == (f"records {numbers[0]} and {numbers[1]}", "P1")
    assert entry.detail == {"records": numbers}


@pytest.mark.parametrize("role", [Role.VIEWER, Role.OPERATOR])
def test_who_may_not_see_values_sees_levels_and_weights(linked: System, role: str) -> None:
    shown, hidden = pair(linked, "b3", "a1"), pair(linked, "b3", "a1", person(role))
    assert not hidden.values_shown
    text = json.dumps(hidden.as_plain())
    for value in ("anna", "berg", "holm", "1980-01-02"):
        assert value not in text
    assert hidden.strategies[0].match_weight == shown.strategies[0].match_weight
    assert [part.level for part in hidden.strategies[0].parts] == [
        part.level for part in shown.strategies[0].parts
    ]
    assert AuditLogEntry.objects.filter(action="see identifying values").count() == 1


def test_for_a_stranger_the_project_does_not_exist(linked: System) -> None:
    stranger = person(None, "mallory")
    for ask in (lambda: pair(linked, "a1", "a2", stranger), lambda: group(linked, "a1", stranger)):
        with pytest.raises(LinkwrightError, match=r"There is no Linkage Project 'P1'\. There are: none yet\."):
            ask()
    assert not AuditLogEntry.objects.filter(action="see identifying values").exists()


def test_a_group_shows_its_members_its_links_and_its_history(linked: System) -> None:
    told = group(linked, "b3")
    assert [(str(one.key), one.envelope.name) for one in told.members] == [
        ("ADM:a1", "first"),
        ("ADM:a2", "first"),
        ("ADM:b3", "second"),
    ]
    keys = told.keys
    assert {(str(keys[link.record_id_l]), str(keys[link.record_id_r])) for link in told.links} == {
        ("ADM:a1", "ADM:a2"),
        ("ADM:a1", "ADM:b3"),
        ("ADM:a2", "ADM:b3"),
    }
    assert [
        (entry.event.kind.value, [str(key) for key in entry.records], entry.by.partition(" ")[2])
        for entry in told.history
    ] == [("created", ["ADM:a1", "ADM:a2"], "(first)"), ("joined", ["ADM:b3"], "(second)")]
    assert told.history[0].at < told.history[1].at
    plain = json.loads(json.dumps(told.as_plain(), allow_nan=False))
    assert plain["history"][1]["envelope"] == {"id": 2, "name": "second"}
    assert plain["links"][0]["strategy"] == "person"


def test_a_group_that_was_merged_away_keeps_its_history(system: System) -> None:
    apply_changed(system, "match_threshold: 2", "match_threshold: -2")
    rows = [("a1", "Ida", "Moe", "1960-02-03", ""), ("a2", "Ida", "Nygard", "1961-09-09", "")]
    system.load("first", rows)
    before = system.group_ids()
    assert before["a1"] != before["a2"]
    # one that agrees with the first in the surname, with the second in the birthday
    system.load("second", [("b1", "Ida", "Moe", "1961-09-09", "")])
    gone = explain_group(system.config, COMMAND_LINE, "P1", before["a2"])
    assert (gone.members, gone.links) == ((), ())
    assert [(entry.event.kind.value, entry.event.other_group_id) for entry in gone.history] == [
        ("created", None),
        ("absorbed_into", before["a1"]),
    ]
    kept = explain_group(system.config, COMMAND_LINE, "P1", before["a1"])
    assert [entry.event.kind.value for entry in kept.history] == ["created", "joined", "absorbed"]


def test_a_group_says_why_it_is_flagged(system: System) -> None:
    path = system.folder / "flags.yaml"
    content = yaml.safe_load(PROJECT_YAML)
    content["event_types"][0]["authoritative"] = True
    content["projects"][0]["grouping"] = {"largest_expected_group": 2, "flag_links_under": 12}
    path.write_text(yaml.safe_dump(content, sort_keys=False))
    apply_project_file(read_project_file(path), COMMAND_LINE)
    system.load("all", [*FIRST, *SECOND])
    told = group(system, "a1")
    (weakest,) = {round(min(link.match_weight for link in told.links), 2)}
    assert set(told.flags) == {
        "more than one record of an authoritative Event Type: 3 of ADM",
        "more records than expected",
        f"held together by a weak link, of weight {weakest:.2f}",
    }
    assert group(system, "a5").flags == ()


def test_a_group_that_never_was_is_refused(linked: System) -> None:
    with pytest.raises(LinkwrightError, match=r"P1 has no group 99, and never had\."):
        explain_group(linked.config, COMMAND_LINE, "P1", 99)


def test_nothing_is_left_on_disk(linked: System, tmp_path: Path) -> None:
    scratch = linked.config.scratch_folder
    before = sorted(scratch.rglob("*"))
    pair(linked, "a1", "a2")
    group(linked, "a1")
    assert sorted(scratch.rglob("*")) == before
