"""The demo from the command line, as anybody runs it first."""

import json
from pathlib import Path

from tests.integration.command_line.test_commands import CommandLine


def test_the_demo_links_febrl_and_can_be_run_again(tmp_path: Path) -> None:
    commands = CommandLine(tmp_path)
    for _run in range(2):
        result = json.loads(commands.run("demo", "--once", "--json").stdout)
        assert [envelope["status"] for envelope in result["envelopes"]] == ["Success", "Success"]
        assert set(result["seconds_per_job_kind"]) == {"Validate", "Load", "Match", "Group", "Report"}
        assert result["records"] == 10_000
        assert result["precision"] >= 0.999
        assert result["recall"] >= 0.999
        assert result["f1"] >= 0.999


def test_the_demo_prints_its_figures_for_people(tmp_path: Path) -> None:
    commands = CommandLine(tmp_path)
    out = commands.run("demo", "--once").stdout
    assert "dataset4a" in out
    assert "Success" in out
    assert "10,000 records in 5,001 groups" in out
    assert "precision 1.0000, recall 0.9998, F1 0.9999" in out
    # its e-mails go into the data folder and nowhere else
    assert (commands.home / "mail").is_dir()


def test_the_demo_never_empties_a_folder_that_is_not_its_own(tmp_path: Path) -> None:
    commands = CommandLine(tmp_path)
    commands.home.mkdir()
    (commands.home / "thesis.odt").write_text("years of work")
    done = commands.run("demo", "--once", expect=2)
    assert "holds data that is not a demo's" in done.stderr
    assert (commands.home / "thesis.odt").read_text() == "years of work"
