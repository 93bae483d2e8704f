"""`make test` runs everything in three passes, and its last line and exit code speak for all.

A few tests that fail get a second chance (docs/decisions/0032-a-second-chance-for-tests.md).
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from checks.run_tests import MAX_SECOND_CHANCES, Counts, deserves_second_chance, exit_code, planned_passes

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


# what a test finds of its own first run
AGAIN = """\
from pathlib import Path
import pytest

def comes_again(name: str) -> bool:
    seen = Path(__file__).with_name(name)
    if seen.exists():
        return True
    seen.touch()
    return False

"""
UNSTEADY = """\
@pytest.mark.parametrize("value", ["a b", "@"])
def test_unsteady(value: str) -> None:
    assert comes_again(f"call {value}")

@pytest.fixture
def unclean():
    yield
    assert comes_again("teardown")

@pytest.mark.xdist_group("some")
def test_fails_twice_at_once(unclean: None) -> None:
    assert comes_again("double")

def test_steady() -> None:
    assert not comes_again("steady")
"""
WRONG = """\
def test_wrong() -> None:
    raise AssertionError

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


def test_tests_that_pass_alone_are_counted_and_named_and_run_only_then(tmp_path: Path) -> None:
    done = run_tests(tmp_path, AGAIN + UNSTEADY)
    names = ("test_fails_twice_at_once", "test_unsteady[@]", "test_unsteady[a b]")
    told = ", ".join(f"test_some.py::{name}" for name in names)
    assert done.stdout.splitlines()[-1] == f"4 passed, 0 failed, 0 skipped; 3 unsteady: {told}"
    assert done.returncode == 0


def test_a_test_that_fails_again_fails_the_run_beside_an_unsteady_one(tmp_path: Path) -> None:
    done = run_tests(tmp_path, AGAIN + WRONG + UNSTEADY, "-k", "wrong or test_unsteady")
    told = "test_some.py::test_unsteady[@], test_some.py::test_unsteady[a b]"
    assert done.stdout.splitlines()[-1] == f"2 passed, 1 failed, 0 skipped; 2 unsteady: {told}"
    assert done.returncode == 1


def test_many_failures_are_not_run_again(tmp_path: Path) -> None:
    tests = f"""\
@pytest.mark.parametrize("number", range({MAX_SECOND_CHANCES + 1}))
def test_unsteady(number: int) -> None:
    assert comes_again(f"call {{number}}")
"""
    done = run_tests(tmp_path, AGAIN + tests)
    assert done.stdout.splitlines()[-1] == f"0 passed, {MAX_SECOND_CHANCES + 1} failed, 0 skipped"
    assert done.returncode == 1


def test_what_is_no_test_has_no_second_chance(tmp_path: Path) -> None:
    done = run_tests(tmp_path, "import nothing_of_this_name\n")
    assert "Once more" not in done.stdout
    assert done.returncode != 0
    died = "import os\n\ndef test_dies() -> None:\n    os._exit(7)\n"
    done = run_tests(tmp_path, died)
    assert done.stdout.splitlines()[-1] == "0 passed, 1 failed, 0 skipped"
    assert done.returncode == 1


@pytest.mark.parametrize(
    ("counts", "codes", "expected"),
    [
        (Counts(failed={"a"}), [1, 0, 5], True),
        (Counts(), [0, 0, 0], False),
        (Counts(failed={"a"}, lost_count=1), [1, 0, 0], False),
        (Counts(failed={"a"}), [1, 2, 0], False),
        (Counts(failed={"a"}), [1, -9, 0], False),
        (Counts(failed=set("abcde")), [1, 0, 0], True),
        (Counts(failed=set("abcdef")), [1, 0, 0], False),
    ],
)
def test_a_second_chance_is_for_a_few_failures_and_nothing_else(
    counts: Counts, codes: list[int], expected: bool
) -> None:
    assert deserves_second_chance(counts, codes) is expected


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
