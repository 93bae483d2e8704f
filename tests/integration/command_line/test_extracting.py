"""`create-extraction-project`, `extract` and `rotate-key-secret` as a person meets them."""

import zipfile
from pathlib import Path

from tests.integration.command_line.test_commands import CSV, CommandLine
from tests.integration.pipeline.conftest import PROJECT_YAML

CREATE = ("create-extraction-project", "P1", "X1", "--approval", "HREC 2026/17", "--kind", "enduring")


def test_from_a_new_extraction_project_to_results_in_a_folder(tmp_path: Path) -> None:
    commands = CommandLine.with_tables(tmp_path)
    commands.run("apply", commands.write("p.yaml", PROJECT_YAML))
    commands.write("a.csv", CSV)
    commands.run("build", "a.zip", "--project", "P1", "--sender", "HOSP", "--data", "ADM=a.csv")
    commands.run("submit", "a.zip")
    refused = commands.run(*CREATE, "--name", "", "--event-type", "NONE", expect=2).stderr
    assert "The name is empty" in refused
    assert "'NONE' is not attached to P1" in refused
    columns = ("--column", "source_unique_id", "--column", "person_key=KEY")
    made = commands.run(*CREATE, "--name", "A study", "--event-type", "ADM", *columns).stdout
    assert made == "P1 has the Extraction Project X1 (Enduring).\n"
    (tmp_path / "out").mkdir()
    printed = commands.work_until_ended(commands.start("extract", "P1", "X1", "--output", "out"))
    assert "(Extract): Success" in printed
    (package,) = (tmp_path / "out").iterdir()
    assert package.name in printed
    with zipfile.ZipFile(package) as archive:
        header, *rows = archive.read("data-extract.csv").decode().splitlines()
    assert header == "source_unique_id,KEY"
    # two records of one person
    assert len({row.partition(",")[2] for row in rows}) == 1
    assert "Version 2 is there" in commands.run("rotate-key-secret").stdout
    (commands.home / "person-keys.json").unlink()
    assert "FAIL  extractions" in commands.run("doctor", expect=1).stdout
