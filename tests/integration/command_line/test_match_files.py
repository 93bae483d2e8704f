"""Match configurations carried in and out by commands: as YAML, and as models that Splink trained and loads."""

import json
import logging
import sqlite3
from pathlib import Path
from typing import Any

import duckdb
import pytest
import splink.comparison_library as library
from splink import DuckDBAPI, Linker, SettingsCreator, block_on

from tests.integration.command_line.test_commands import CommandLine
from tests.integration.pipeline.conftest import PROJECT_YAML

SECOND_STRATEGY = """\
        - name: same_birth
          blocking_rules: [[date_of_birth]]
          match_threshold: -4
          comparisons:
            - field: surname
              method: exact
              levels:
                - {when: exact, m_probability: 0.9, u_probability: 0.01}
                - {when: else, m_probability: 0.1, u_probability: 0.99}
"""


@pytest.fixture
def commands(tmp_path: Path) -> CommandLine:
    made = CommandLine.with_tables(tmp_path)
    made.run("apply", made.write("project.yaml", PROJECT_YAML))
    return made


def model() -> dict[str, Any]:
    """Let Splink write a model with columns of its own, trained by hand."""
    logging.getLogger("splink").setLevel(logging.ERROR)
    name = library.JaroWinklerAtThresholds("Family Name", [0.9]).configure(
        m_probabilities=[0.8, 0.15, 0.05], u_probabilities=[0.01, 0.02, 0.97]
    )
    birth = library.ExactMatch("dob").configure(m_probabilities=[0.95, 0.05], u_probabilities=[0.00001, 0.99999])
    creator = SettingsCreator(
        link_type="dedupe_only",
        comparisons=[name, birth],
        blocking_rules_to_generate_predictions=[block_on("Family Name"), block_on("dob")],
        probability_two_random_records_match=1e-05,
    )
    with duckdb.connect() as con:
        con.execute('CREATE TABLE people (unique_id INTEGER, "Family Name" VARCHAR, dob VARCHAR)')
        saved: dict[str, Any] = Linker(DuckDBAPI(con).register("people"), creator).misc.save_model_to_json()
    return saved


MAPPED = ("--column", "Family Name=surname", "--column", "dob=date_of_birth")


def test_a_splink_model_becomes_the_next_version_once(commands: CommandLine) -> None:
    file = commands.write("model.json", json.dumps(model(), indent=4))
    would = commands.run("import-match", "P1", file, *MAPPED, "--dry-run")
    assert would.stdout == "would create match configuration P1 version 2\n"
    done = commands.run("import-match", "P1", file, *MAPPED, "--strategy", "names", "--match-threshold", "3.5")
    assert done.stdout == "create match configuration P1 version 2\n"
    again = commands.run("import-match", "P1", file, *MAPPED, "--strategy", "names", "--match-threshold", "3.5")
    assert again.stdout == "Nothing differs; nothing was changed.\n"
    exported = commands.run("export-match", "P1").stdout
    assert exported.startswith("# match configuration of P1, version 2\nprior: 1.0e-05\n")
    assert "match_threshold: 3.5\n  review_threshold: -0.5\n" in exported
    with sqlite3.connect(commands.home / "linkwright.sqlite3") as database:
        entries = database.execute(
            "SELECT action, target, project_code, detail, origin FROM store_auditlogentry ORDER BY id DESC LIMIT 1"
        ).fetchall()
    told = json.dumps({"from": "Splink model model.json"})
    assert entries == [("create match configuration", "P1 version 2", "P1", told, "command line")]


def test_what_splink_can_load_comes_back_as_the_same_configuration(commands: CommandLine) -> None:
    done = commands.run("export-match", "P1", "--splink", "--output", "strategy.json")
    assert done.stdout == "wrote strategy.json\n"
    written = json.loads((commands.folder / "strategy.json").read_text())
    assert written["unique_id_column_name"] == "record_id"
    back = ("import-match", "P1", "strategy.json", "--match-threshold", "2", "--review-threshold", "-3")
    assert commands.run(*back).stdout == "Nothing differs; nothing was changed.\n"


def test_the_yaml_of_one_project_is_taken_by_another(commands: CommandLine) -> None:
    commands.run("export-match", "P1", "--output", "match.yaml")
    other = PROJECT_YAML.split("    match:")[0].replace("code: P1", "code: P2")
    commands.run("apply", commands.write("other.yaml", other))
    # a project that is created without a configuration has the default one
    assert commands.run("export-match", "P2").stdout.startswith("# match configuration of P2, version 1\n")
    done = commands.run("import-match", "P2", "match.yaml")
    assert done.stdout == "create match configuration P2 version 2\n"
    first, second = (commands.run("export-match", code).stdout.split("\n", 1)[1] for code in ("P1", "P2"))
    assert first == second


def test_every_fault_of_a_model_is_told_with_its_line_and_nothing_changes(commands: CommandLine) -> None:
    bad = model()
    bad["comparisons"][0]["comparison_levels"][2]["sql_condition"] = (
        'array_cosine_similarity("Family Name_l", "Family Name_r") >= 0.9'
    )
    del bad["comparisons"][1]["comparison_levels"][1]["m_probability"]
    bad["blocking_rules_to_generate_predictions"][1]["blocking_rule"] = "levenshtein(l.dob, r.dob) <= 1"
    file = commands.write("bad.json", json.dumps(bad, indent=4))
    done = commands.run("import-match", "P1", file, *MAPPED, "--column", "sux=sex", expect=2)
    assert "bad.json is refused; nothing was changed." in done.stderr
    faults = [line for line in done.stderr.splitlines() if line.startswith("- ")]
    assert len(faults) == 4
    line = next(number for number, text in enumerate(json.dumps(bad, indent=4).splitlines(), 1) if "leven" in text)
    # a rule is a mapping, which starts in the line before its first key
    assert any(
        fault.startswith(f"- line {line - 1}: blocking_rules_to_generate_predictions[1]") for fault in faults
    )
    assert any("array_cosine_similarity" in fault and "Supported for it: " in fault for fault in faults)
    assert any("it has no m_probability: the model is not trained" in fault for fault in faults)
    assert any("the model has no column 'sux'" in fault for fault in faults)
    assert "version 1" in commands.run("export-match", "P1").stdout


def test_which_strategy_becomes_a_model_must_be_clear(commands: CommandLine) -> None:
    commands.run("apply", commands.write("two.yaml", PROJECT_YAML.rstrip() + "\n" + SECOND_STRATEGY))
    done = commands.run("export-match", "P1", "--splink", expect=2)
    assert "there are 2: person, same_birth" in done.stderr
    written = json.loads(commands.run("export-match", "P1", "--splink", "--strategy", "same_birth").stdout)
    assert [item["output_column_name"] for item in written["comparisons"]] == ["surname"]
    assert "no strategy 'x'" in commands.run("export-match", "P1", "--splink", "--strategy", "x", expect=2).stderr
    assert "--splink" in commands.run("export-match", "P1", "--strategy", "person", expect=2).stderr


def test_an_unknown_project_and_a_bad_column_are_named(commands: CommandLine) -> None:
    file = commands.write("model.json", json.dumps(model()))
    assert "'P9' is unknown. Known: P1." in commands.run("import-match", "P9", file, expect=2).stderr
    done = commands.run("import-match", "P1", file, "--column", "surname", expect=2)
    assert "--column 'surname' is not COLUMN=FIELD" in done.stderr


def test_a_file_becomes_the_default_for_new_projects_once(commands: CommandLine) -> None:
    assert commands.run("export-default-match").stdout.startswith("# default match configuration, built in\n")
    file = commands.write("model.json", json.dumps(model()))
    would = commands.run("import-default-match", file, *MAPPED, "--dry-run")
    assert would.stdout == "would create default match configuration version 1\n"
    done = commands.run("import-default-match", file, *MAPPED)
    assert done.stdout == "create default match configuration version 1\n"
    exported = commands.run("export-default-match", "--output", "default.yaml")
    assert exported.stdout == "wrote default.yaml\n"
    again = commands.run("import-default-match", "default.yaml")
    assert again.stdout == "Nothing differs; nothing was changed.\n"
    assert json.loads(commands.run("export-default-match", "--splink").stdout)["comparisons"]

    other = PROJECT_YAML.split("    match:")[0].replace("code: P1", "code: P2")
    commands.run("apply", commands.write("other.yaml", other))
    text = (commands.folder / "default.yaml").read_text()
    assert commands.run("export-match", "P2").stdout.split("\n", 1)[1] == text.split("\n", 1)[1]
    # the project that was there keeps its own
    assert commands.run("export-match", "P1").stdout.startswith("# match configuration of P1, version 1\n")
