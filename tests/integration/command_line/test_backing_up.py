"""`backup`, `restore` and `cancel-job` as a person meets them."""

import re
from pathlib import Path

import pytest

from linkwright.cli.bootstrap import choose_home
from tests.integration.command_line.test_commands import CommandLine
from tests.integration.pipeline.conftest import PROJECT_YAML


@pytest.fixture
def cli(tmp_path: Path) -> CommandLine:
    return CommandLine.with_tables(tmp_path)


def test_a_system_is_backed_up_and_restored_by_command(cli: CommandLine) -> None:
    (cli.folder / "project.yaml").write_text(PROJECT_YAML)
    cli.run("apply", "project.yaml")
    queued = cli.run("backup").stdout
    assert "Job 1 (Backup): Queued" in queued
    assert "No worker is running: the job waits until one is started with `linkwright worker`." in queued
    assert cli.run("cancel-job", "1", "--reason", "once more").stdout == "Job 1 (Backup) is cancelled.\n"
    told = cli.work_until_ended(cli.start("backup", "--wait"))
    form = r"^(\S+/home/backups/backup-\d{8}T\d{6}Z): \d+ file\(s\), \d+ row\(s\), [\d,]+ bytes$"
    found = re.search(form, told, re.MULTILINE)
    assert found, told
    new = cli.folder / "new"
    restored = cli.run("restore", found[1], "--home", str(new)).stdout
    assert f"To go on with it: linkwright --home {new} serve" in restored
    changed = cli.run("--home", str(new), "apply", "project.yaml").stdout
    assert changed == "Nothing differs; nothing was changed.\n"
    assert "is not an empty folder" in cli.run("--home", str(new), "restore", found[1], expect=2).stderr


@pytest.mark.parametrize(
    ("arguments", "home"),
    [
        (["--home", "a", "restore", "b"], "a"),
        (["restore", "b", "--home", "a"], "a"),
        (["restore", "--home=a", "b"], "a"),
        (["restore", "--home", "a", "b"], "a"),
        (["restore", "b"], None),
        (["submit", "b", "--home", "a"], None),
    ],
)
def test_the_data_folder_of_a_restore_may_stand_behind_the_command(arguments: list[str], home: str | None) -> None:
    environment: dict[str, str] = {}
    choose_home(arguments, environment)
    assert environment.get("LINKWRIGHT_HOME") == home
