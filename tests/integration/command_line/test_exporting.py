"""`linkwright export`: to a file or the terminal, everything or one project; and what `apply` makes of it."""

from pathlib import Path

import pytest

from linkwright.cli.bootstrap import EXIT_REFUSED
from tests.integration.command_line.test_commands import CommandLine
from tests.integration.pipeline.conftest import PROJECT_YAML


@pytest.fixture
def cli(tmp_path: Path) -> CommandLine:
    return CommandLine.with_tables(tmp_path)


def test_an_export_makes_the_same_in_an_empty_data_folder(cli: CommandLine) -> None:
    cli.write("project.yaml", PROJECT_YAML)
    cli.run("apply", "project.yaml")
    assert cli.run("export", "first.yaml").stdout == "wrote first.yaml\n"
    first = (cli.folder / "first.yaml").read_text()
    assert cli.run("apply", "first.yaml").stdout == "Nothing differs; nothing was changed.\n"
    other = str(cli.folder / "other")
    cli.run("--home", other, "apply", "first.yaml")
    assert cli.run("--home", other, "export").stdout == first


def test_an_export_that_cannot_be_made_says_why(cli: CommandLine) -> None:
    cli.write("project.yaml", PROJECT_YAML)
    cli.run("apply", "project.yaml")
    assert "REG" not in cli.run("export", "--project", "P1").stdout
    assert "Known: P1" in cli.run("export", "--project", "P9", expect=EXIT_REFUSED).stderr
    assert "Name another file" in cli.run("export", "none/file.yaml", expect=EXIT_REFUSED).stderr
