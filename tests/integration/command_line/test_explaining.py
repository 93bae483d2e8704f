"""`estimate-pairs`, `explain` and `group` as a person meets them, on the example of a clinic and a registry."""

import json
import re
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from defusedxml import ElementTree

from tests.integration.command_line.test_commands import CommandLine

# in one process: what the tests share is made once
pytestmark = pytest.mark.xdist_group("clinic")

CLINIC = Path(__file__).parents[3] / "examples" / "clinic"
VISITS, BIRTHS = str(CLINIC / "visits.csv"), str(CLINIC / "births.csv")
ESTIMATE = ("estimate-pairs", "--project", "CHILDREN", "--event-type")


def match_statistics(home: Path, envelope_id: int) -> dict[str, Any]:
    """Read the statistics of an Envelope's Match job from the database."""
    with closing(sqlite3.connect(home / "linkwright.sqlite3")) as database:
        ((text,),) = database.execute(
            "SELECT statistics FROM store_job WHERE kind = 'Match' AND envelope_id = ?", [envelope_id]
        ).fetchall()
    statistics: dict[str, Any] = json.loads(text)
    return statistics


def files_of(home: Path) -> set[tuple[str, int]]:
    """Return every file of records, pairs and scratch in a data folder, with its size."""
    return {
        (str(path.relative_to(home)), path.stat().st_size)
        for folder in ("warehouse", "envelopes", "scratch")
        for path in (home / folder).rglob("*")
    }


@pytest.fixture(scope="module")
def clinic(tmp_path_factory: pytest.TempPathFactory) -> CommandLine:
    """Return a data folder with the visits and the births, linked, and with what was expected before."""
    commands = CommandLine.with_tables(tmp_path_factory.mktemp("clinic"))
    commands.run("apply", str(CLINIC / "project.yaml"))
    for name, sender, data in (
        ("visits", "CLINIC", f"VISITS={VISITS}"),
        ("births", "REGISTRY", f"BIRTHS={BIRTHS}"),
    ):
        event_type, path = data.split("=")
        before = files_of(commands.home)
        estimated = commands.run(*ESTIMATE, event_type, path, "--json")
        commands.write(f"{name}.json", estimated.stdout)
        assert files_of(commands.home) == before
        commands.run("build", f"{name}.zip", "--project", "CHILDREN", "--sender", sender, "--data", data)
        commands.run("submit", f"{name}.zip")
        commands.run("worker", "--until-idle")
    return commands


@pytest.mark.parametrize(("name", "envelope_id", "held"), [("visits", 1, 0), ("births", 2, 8)])
def test_estimate_pairs_counts_what_match_then_compares(
    clinic: CommandLine, name: str, envelope_id: int, held: int
) -> None:
    estimated = json.loads((clinic.folder / f"{name}.json").read_text())
    matched = match_statistics(clinic.home, envelope_id)
    assert estimated["held_records"] == held == matched["held_records_count"]
    assert estimated["records"] == matched["new_records_count"]
    assert estimated["candidate_pairs"] == matched["candidate_pairs_count"] > 0
    assert [(one["strategy"], one["rule"], one["candidate_pairs"]) for one in estimated["rules"]] == [
        (one["strategy"], one["rule"], one["candidate_pairs_count"]) for one in matched["rules"]
    ]
    assert estimated["largest_blocks"] == matched["largest_blocks"]


def test_estimate_pairs_says_it_in_words(clinic: CommandLine) -> None:
    clinic.write(
        "more.csv", "visit_id,first_name,last_name,born,sex,postcode\nV9,[b]Anna,Berg,02/01/2019,f,2000\n"
    )
    told = clinic.run(*ESTIMATE, "VISITS", "more.csv").stdout
    assert told.startswith("1 records against 14: ")
    assert "person    surname (soundex) and given_name (initial)" in told
    assert "2019-01-02" in told


def test_estimate_pairs_ends_with_2_where_nothing_can_be_counted(clinic: CommandLine) -> None:
    absent = clinic.run(*ESTIMATE, "VISITS", "absent.csv", expect=2)
    assert "There is no file absent.csv. Name a data file of the Event Type VISITS." in absent.stderr


def test_explain_shows_how_a_weight_comes_about(clinic: CommandLine) -> None:
    told = clinic.run("explain", "CHILDREN", "VISITS:V003", "BIRTHS:B-19-0001").stdout
    lines = [" ".join(line.split()) for line in told.splitlines()]
    assert "Match configuration version 1: it matched the later record's Envelope 2 (births)." in lines
    assert "Strategy person: match" in lines
    assert "prior 0.005 -7.6366 -7.6366" in lines
    assert "surname bergstrom bergström similarity (at least 0.9) 0.1 0.005 +4.3219 +3.0072" in lines
    assert "Match weight +17.8683; match from 4, review from 0" in lines
    assert "Match kept the pair: accepted, by the strategy person." in lines
    assert "They are in one group today, 1: their own pair joins them." in lines
    with closing(sqlite3.connect(clinic.home / "linkwright.sqlite3")) as database:
        rows = database.execute(
            "SELECT DISTINCT target, origin FROM store_auditlogentry WHERE action = 'see identifying values'"
        ).fetchall()
    assert [(re.sub(r"\d+", "N", target), origin) for target, origin in rows] == [
        ("records N and N", "command line")
    ]


def test_explain_gives_the_same_as_data_and_as_a_drawing(clinic: CommandLine) -> None:
    pair = ("VISITS:V003", "BIRTHS:B-19-0001")
    told = json.loads(clinic.run("explain", "CHILDREN", *pair, "--json", "--svg", "weight.svg").stdout)
    (strategy,) = told["strategies"]
    parts = [part["weight"] + part["frequency_weight"] for part in strategy["comparisons"]]
    assert strategy["prior_weight"] + sum(parts) == pytest.approx(strategy["match_weight"], abs=1e-9)
    assert strategy["match_weight"] == pytest.approx(told["stored_pair"]["match_weight"], abs=1e-9)
    drawing = ElementTree.fromstring((clinic.folder / "weight.svg").read_text())
    assert drawing.attrib["aria-label"] == "Match weight by the strategy person"
    missing = clinic.run("explain", "CHILDREN", *pair, "--svg", "no/such/folder.svg", expect=2)
    assert "cannot be written: No such file or directory" in missing.stderr


def test_explain_names_what_is_wrong(clinic: CommandLine) -> None:
    done = clinic.run("explain", "CHILDREN", "V003", "VISITS:V001", expect=2)
    assert "'V003' is not EVENT_TYPE:SOURCE_UNIQUE_ID" in done.stderr
    done = clinic.run("explain", "CHILDREN", "VISITS:V003", "VISITS:V999", expect=2)
    assert "Error: CHILDREN holds no record VISITS:V999." in done.stderr


def test_group_shows_records_pairs_and_history(clinic: CommandLine) -> None:
    by_record = clinic.run("group", "CHILDREN", "BIRTHS:B-19-0001").stdout
    assert by_record.startswith("Group 1 of CHILDREN: 3 records")
    assert "created with VISITS:V001, VISITS:V003" in by_record
    assert "joined by BIRTHS:B-19-0001" in by_record
    told = json.loads(clinic.run("group", "CHILDREN", "--id", "1", "--json").stdout)
    assert [member["record"] for member in told["members"]] == ["VISITS:V001", "VISITS:V003", "BIRTHS:B-19-0001"]
    assert len(told["links"]) == 3


def test_group_wants_a_record_or_an_id(clinic: CommandLine) -> None:
    for arguments in (["CHILDREN"], ["CHILDREN", "VISITS:V001", "--id", "1"]):
        assert "one of the two" in clinic.run("group", *arguments, expect=2).stderr
