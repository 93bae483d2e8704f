"""`make test` runs everything once, in three passes, and its last line and exit code speak for all."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from checks.run_tests import exit_code, planned_passes

ROOT = Path(__file__).resolve().parents[2]
INI = "[pytest]\nmarkers =\n    benchmark: measures\n    torture: kills\n"
TESTS = """\
import os
import pytest

def test_one() -> None:
    assert os.environ["PYTEST_XDIST_WORKER"]

def test_two() -> None:
    pytest.skip("not here")

@pytest.mark.benchmark
def test_three() -> None:
    assert "PYTEST_XDIST_WORKER" not in os.environ

@pytest.mark.torture
def test_four() -> None:
    assert os.environ["PYTEST_XDIST_WORKER"]
    assert {four}
"""


def run_tests(folder: Path, tests: str, *options: str) -> subprocess.CompletedProcess[str]:
    (folder / "pytest.ini").write_text(INI)
    (folder / "test_some.py").write_text(tests)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    environment.update(PYTHONPATH=str(ROOT), PYTEST_DISABLE_PLUGIN_AUTOLOAD="1")
    return subprocess.run(
        [sys.executable, "-m", "checks.run_tests", "-p", "xdist", *options],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_what_measures_runs_alone_and_the_rest_side_by_side(tmp_path: Path) -> None:
    done = run_tests(tmp_path, TESTS.format(four=True))
    assert done.stdout.splitlines()[-1] == "3 passed, 0 failed, 1 skipped"
    assert done.returncode == 0


def test_a_failure_in_any_pass_is_counted_and_fails_the_run(tmp_path: Path) -> None:
    done = run_tests(tmp_path, TESTS.format(four=False))
    assert done.stdout.splitlines()[-1] == "2 passed, 1 failed, 1 skipped"
    assert done.returncode == 1


def test_options_reach_every_pass(tmp_path: Path) -> None:
    done = run_tests(tmp_path, TESTS.format(four=True), "-k", "three")
    assert done.stdout.splitlines()[-1] == "1 passed, 0 failed, 0 skipped"
    assert done.returncode == 0


def test_a_choice_of_marks_makes_one_pass() -> None:
    assert planned_passes(["-m", "browser"]) == [["-m", "browser"]]
    assert len(planned_passes(["-k", "queue"])) == 3


@pytest.mark.parametrize(
    ("codes", "expected"), [([0, 0], 0), ([0, 5], 0), ([5, 0], 0), ([5, 5], 5), ([0, 1], 1), ([2, 0], 2)]
)
def test_a_pass_without_tests_is_no_failure_unless_both_are(codes: list[int], expected: int) -> None:
    assert exit_code(codes) == expected
