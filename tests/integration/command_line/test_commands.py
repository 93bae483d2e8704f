"""The command line as a person meets it: real processes, real exit codes, and what they print."""

import json
import os
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from linkwright.config import load_config
from tests.integration.pipeline.conftest import PROJECT_YAML
from tests.live_system import COMMANDS, lay_tables

CSV = "id,given,surname,dob,postcode\na1,Anna,Berg,1980-01-02,2000\na2,Anna,Berg,1980-01-02,2000\n"


class CommandLine:
    """Runs `linkwright` on a data folder of its own, which is not there yet."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.home = folder / "home"
        environment = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
        self.environment = {**environment, "LINKWRIGHT_HOME": str(self.home)}

    @classmethod
    def with_tables(cls, folder: Path) -> "CommandLine":
        """Make the data folder, with a database of all tables and no rows, as a first command leaves it."""
        made = cls(folder)
        lay_tables(load_config(made.environment))
        return made

    def run(self, *arguments: str, expect: int = 0) -> subprocess.CompletedProcess[str]:
        """Run one command to its end and check its exit code."""
        done = COMMANDS.run(arguments, environment=self.environment, folder=self.folder)
        assert done.returncode == expect, (done.stdout, done.stderr)
        assert "Traceback" not in done.stderr
        return done

    def start(self, *arguments: str) -> "subprocess.Popen[str]":
        """Start one command that waits for a worker."""
        return subprocess.Popen(
            [sys.executable, "-m", "linkwright", *arguments],
            cwd=self.folder,
            env=self.environment,
            stdout=subprocess.PIPE,
            text=True,
        )

    def work_until_ended(self, waiting: "subprocess.Popen[str]") -> str:
        """Let a worker work until the command has ended well; returns what that printed."""
        while waiting.poll() is None:
            self.run("worker", "--until-idle")
        printed, _nothing = waiting.communicate()
        assert waiting.returncode == 0, printed
        return printed

    def write(self, name: str, text: str) -> str:
        """Write a file beside the data folder."""
        (self.folder / name).write_text(text)
        return name


@pytest.fixture
def commands(tmp_path: Path) -> CommandLine:
    return CommandLine.with_tables(tmp_path)


@pytest.fixture
def nowhere(tmp_path: Path) -> CommandLine:
    """Return commands whose data folder is not there yet."""
    return CommandLine(tmp_path)


@pytest.fixture
def busy_port() -> Iterator[int]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield int(listener.getsockname()[1])


def test_from_a_project_file_and_a_csv_to_groups(nowhere: CommandLine) -> None:
    applied = nowhere.run("apply", nowhere.write("project.yaml", PROJECT_YAML))
    assert "create project P1" in applied.stdout
    again = nowhere.run("apply", "project.yaml")
    assert again.stdout == "Nothing differs; nothing was changed.\n"
    nowhere.write("adm.csv", CSV)
    built = nowhere.run("build", "one.zip", "--project", "P1", "--sender", "HOSP", "--data", "ADM=adm.csv")
    assert "1 data file" in built.stdout
    submitted = nowhere.run("submit", "one.zip")
    assert submitted.stdout == "Envelope 1 (one): Queued\n"
    nowhere.run("worker", "--until-idle")
    status = json.loads(nowhere.run("status", "--json").stdout)
    assert status["queued_jobs"] == 0
    envelope = status["envelopes"][0]
    assert (envelope["name"], envelope["status"], envelope["records"]) == ("one", "Success", 2)
    assert set(envelope["seconds_per_job_kind"]) == {"Validate", "Load", "Match", "Group", "Report"}
    assert "Success" in nowhere.run("status").stdout


def test_parameters_are_estimated_applied_and_given_term_frequencies(commands: CommandLine) -> None:
    commands.run("apply", commands.write("project.yaml", PROJECT_YAML))
    done = commands.run("estimate", "P1", expect=2)
    assert "Project P1 holds fewer than 2 records" in done.stderr
    assert "There is no Linkage Project 'P9'. There are: P1." in commands.run("estimate", "P9", expect=2).stderr
    rows = [f"r{number},Anna,Name{number % 20},19{number % 50 + 50}-01-02,2000" for number in range(60)]
    commands.write("adm.csv", "\n".join(["id,given,surname,dob,postcode", *rows, ""]))
    commands.run("build", "one.zip", "--project", "P1", "--sender", "HOSP", "--data", "ADM=adm.csv")
    commands.run("submit", "one.zip")
    commands.run("worker", "--until-idle")
    waiting = commands.start("estimate", "P1", "--wait")
    told = commands.work_until_ended(waiting)
    assert "Job 6 (Estimate): Queued\nJob 6 (Estimate): Success\nEstimation 1: 60 records; prior 0.001" in told
    assert "To apply it: linkwright apply-estimation 1" in told
    asking = PROJECT_YAML.replace("field: surname\n", "field: surname\n              term_frequency: {}\n")
    commands.run("apply", commands.write("project.yaml", asking))
    told = commands.work_until_ended(commands.start("build-frequencies", "P1", "--wait"))
    assert "P1 has version 3 of its match configuration, with term frequencies." in told
    assert "What it changed would be lost." in commands.run("apply-estimation", "1", expect=2).stderr
    applied = commands.run("apply-estimation", "1", "--replace-version", "3").stdout
    assert applied == "P1 has version 4 of its match configuration; later Envelopes use it.\n"
    assert "There is no estimation 2." in commands.run("apply-estimation", "2", expect=2).stderr


def test_a_bad_project_file_ends_in_its_faults_and_exit_code_2(commands: CommandLine) -> None:
    file = commands.write("bad.yaml", "projects:\n  - code: P1\n    nme: One\n")
    done = commands.run("apply", file, expect=2)
    assert "Error: bad.yaml is refused" in done.stderr
    assert "line 3: projects[0].nme: the key is unknown. Did you mean name?" in done.stderr


def test_a_corrupt_envelope_is_told_at_once_with_exit_code_1(commands: CommandLine) -> None:
    commands.write("letter.zip", "Dear Sir or Madam")
    done = commands.run("submit", "letter.zip", expect=1)
    assert "Envelope 1 (letter): Corrupt" in done.stdout
    assert "error: letter" in done.stdout


def test_a_file_that_is_absent_is_named(commands: CommandLine) -> None:
    done = commands.run("submit", "absent.zip", expect=2)
    assert "absent.zip could not be taken in: No such file or directory" in done.stderr
    assert not list((commands.home / "envelopes").iterdir())


def test_a_data_file_that_is_absent_is_named(nowhere: CommandLine) -> None:
    done = nowhere.run("build", "o.zip", "--project", "P", "--sender", "S", "--data", "ADM=absent.csv", expect=2)
    assert "absent.csv" in done.stderr
    assert not (nowhere.folder / "o.zip").exists()


def test_a_port_in_use_is_named_before_anything_starts(commands: CommandLine, busy_port: int) -> None:
    done = commands.run("serve", "--port", str(busy_port), expect=2)
    assert f"cannot listen on 127.0.0.1:{busy_port} (Address already in use)" in done.stderr
    assert "--port" in done.stderr


def test_a_data_folder_that_cannot_be_written_is_named(commands: CommandLine) -> None:
    commands.write("occupied", "a file, not a folder")
    done = commands.run("--home", str(commands.folder / "occupied"), "status", expect=2)
    assert "occupied" in done.stderr
    assert "cannot be written" in done.stderr


def test_a_database_of_a_newer_version_is_refused_unchanged(commands: CommandLine) -> None:
    commands.run("status")
    database = commands.home / "linkwright.sqlite3"
    with sqlite3.connect(database) as connection:
        connection.execute(
            "INSERT INTO django_migrations (app, name, applied) VALUES ('store', '9999_later', '2030-01-01')"
        )
    connection.close()
    for command in (["status"], ["worker", "--until-idle"], ["web"]):
        done = commands.run(*command, expect=2)
        assert "made by a newer version of Linkwright" in done.stderr
        assert "9999_later" in done.stderr


def test_a_database_that_is_damaged_is_named(nowhere: CommandLine) -> None:
    nowhere.home.mkdir()
    (nowhere.home / "linkwright.sqlite3").write_bytes(b"this is no database at all" * 100)
    done = nowhere.run("status", expect=2)
    assert "linkwright.sqlite3 cannot be used" in done.stderr


def test_a_new_administrator_gets_a_password_once(commands: CommandLine) -> None:
    first = commands.run("create-administrator", "alice").stdout
    second = commands.run("create-administrator", "alice").stdout
    assert first.startswith("user name: alice\npassword:  ")
    assert first != second
    assert "there is an Administrator" in commands.run("doctor").stdout


@pytest.mark.parametrize("url", ["garbage", "mysql://a/b", "postgres://u:p@127.0.0.1:notaport/x"])
def test_a_database_url_that_cannot_be_used_is_told(nowhere: CommandLine, url: str) -> None:
    nowhere.environment["DATABASE_URL"] = url
    done = nowhere.run("status", expect=2)
    assert "DATABASE_URL" in done.stderr
    assert "postgres://USER:PASSWORD@HOST:PORT/NAME" in done.stderr


def test_a_database_that_does_not_answer_is_told(nowhere: CommandLine) -> None:
    nowhere.environment["DATABASE_URL"] = "postgres://nobody@127.0.0.1:1/x"
    for command in (["status"], ["worker", "--until-idle"]):
        done = nowhere.run(*command, expect=2)
        assert "x on 127.0.0.1 cannot be used" in done.stderr


def test_a_person_called_demo_is_made_in_the_data_folder_at_hand(nowhere: CommandLine) -> None:
    nowhere.run("create-administrator", "demo")
    assert (nowhere.home / "linkwright.sqlite3").exists()
    del nowhere.environment["LINKWRIGHT_HOME"]
    nowhere.run("create-administrator", "demo")
    assert (nowhere.folder / "linkwright-data" / "linkwright.sqlite3").exists()
    assert not (nowhere.folder / "linkwright-demo").exists()


def test_a_single_data_file_becomes_an_envelope_or_is_refused_with_all_faults(commands: CommandLine) -> None:
    commands.run("apply", commands.write("project.yaml", PROJECT_YAML))
    file = commands.write("adm.csv", CSV)
    to_project = ("submit-file", file, "--project", "P1")
    done = commands.run(*to_project, "--event-type", "ADM", "--name", "MARCH")
    assert done.stdout == "Envelope 1 (MARCH): Queued\n"
    refused = commands.run(*to_project, "--event-type", "BIRTH", expect=2)
    assert "'BIRTH' is not attached to P1; attached: ADM" in refused.stderr


def test_a_file_name_that_is_no_utf_8_is_taken_in(commands: CommandLine) -> None:
    path = os.fsencode(commands.folder) + b"/n\xff.zip"
    with open(path, "wb") as stream:  # noqa: PTH123 - a name of bytes
        stream.write(b"no zip")
    done = commands.run("submit", os.fsdecode(b"n\xff.zip"), expect=1)
    assert "Corrupt" in done.stdout


def test_a_member_gets_a_role_and_a_new_account_a_password(commands: CommandLine) -> None:
    commands.run("apply", commands.write("project.yaml", PROJECT_YAML))
    first = commands.run("add-member", "bob", "--project", "P1", "--role", "Viewer").stdout
    assert first.startswith("bob is Viewer of P1.\npassword:  ")
    assert commands.run("add-member", "bob", "--project", "P1", "--role", "Operator").stdout == (
        "bob is Operator of P1.\n"
    )
    done = commands.run("add-member", "bob", "--project", "P9", "--role", "Owner", expect=2)
    assert "Linkage Project 'P9' is unknown. Known: P1." in done.stderr


def test_the_doctor_ends_with_1_where_something_is_wrong(nowhere: CommandLine) -> None:
    done = nowhere.run("doctor", expect=1)
    assert "does not exist" in done.stdout
    assert not nowhere.home.exists()
