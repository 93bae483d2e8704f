"""`make check` runs every check, shows what failed, and cannot reach a real data folder."""

import os
import sys
from pathlib import Path

import pytest

from checks.__main__ import CHECKS, Check, check_environment, main, run_checks

GOOD = Check("good", (sys.executable, "-c", "print('all is well')"))
BAD = Check("bad", (sys.executable, "-c", "print('line 3 is too long'); raise SystemExit(1)"))


def test_a_failed_check_shows_its_output_and_does_not_stop_the_others(capsys: pytest.CaptureFixture[str]) -> None:
    outcomes = run_checks([BAD, GOOD])
    assert [(outcome.check.name, outcome.passed) for outcome in outcomes] == [("bad", False), ("good", True)]
    output = capsys.readouterr().out
    assert "line 3 is too long" in output
    assert "all is well" not in output


def test_the_exit_code_says_whether_all_passed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("checks.__main__.CHECKS", (GOOD, BAD))
    assert main([]) == 1
    assert "1 of 2 checks failed: bad." in capsys.readouterr().out
    assert main(["good"]) == 0


def test_an_unknown_name_is_refused_with_the_names_that_there_are(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["typos"]) == 2
    output = capsys.readouterr().out
    assert "no check named typos" in output
    assert all(check.name in output for check in CHECKS)


def test_checks_never_see_a_real_database_or_data_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgres://real")
    monkeypatch.setenv("LINKWRIGHT_HOME", "/srv/real")
    environment = check_environment(tmp_path)
    assert "DATABASE_URL" not in environment
    assert environment["LINKWRIGHT_HOME"] == str(tmp_path)
    assert environment["PATH"] == os.environ["PATH"]
