"""In CI a test that does not run is a failure; elsewhere it is a skip."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TESTS = """\
import pytest

def test_that_runs() -> None:
    assert True

def test_that_lacks_something() -> None:
    pytest.skip("no Chromium was found")

@pytest.mark.skipif(True, reason="no PostgreSQL was found")
def test_that_is_marked() -> None:
    assert True

@pytest.mark.xfail(reason="a fault that is known", strict=True)
def test_that_is_expected_to_fail() -> None:
    assert False
"""


LACKING_DATA = """\
import pytest

@pytest.mark.skipif(True, reason="figures.parquet is absent (set LINKWRIGHT_DATA)")
def test_on_data_from_elsewhere() -> None:
    assert True
"""

SKIPPED_MODULE = "import pytest\npytest.importorskip('no_such_package')\n"


def run_pytest(folder: Path, tests: str, ci: str) -> list[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    environment.update(PYTHONPATH=str(ROOT), PYTEST_DISABLE_PLUGIN_AUTOLOAD="1", CI=ci)
    (folder / "test_some.py").write_text(tests)
    (folder / "pytest.ini").write_text("[pytest]\n")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-rs", "-p", "checks.no_skips"],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout.splitlines()


def test_a_skip_fails_in_ci_and_keeps_its_reason(tmp_path: Path) -> None:
    output = run_pytest(tmp_path, TESTS, ci="true")
    assert "1 failed, 1 passed, 1 xfailed, 1 error" in output[-1]
    assert any("no Chromium was found" in line for line in output)
    assert any("no PostgreSQL was found" in line for line in output)


def test_a_module_that_skips_itself_fails_in_ci(tmp_path: Path) -> None:
    output = run_pytest(tmp_path, SKIPPED_MODULE, ci="true")
    assert "1 error" in output[-1]
    assert any("no_such_package" in line for line in output)


@pytest.mark.parametrize("tests", [TESTS, SKIPPED_MODULE])
def test_a_skip_stays_a_skip_on_a_persons_machine(tmp_path: Path, tests: str) -> None:
    output = run_pytest(tmp_path, tests, ci="")
    assert "skipped" in output[-1]
    assert "failed" not in output[-1].replace("xfailed", "")
    assert "error" not in output[-1]


def test_a_test_on_data_that_the_project_does_not_carry_may_be_skipped_anywhere(tmp_path: Path) -> None:
    assert any("1 skipped" in line for line in run_pytest(tmp_path, LACKING_DATA, ci="true"))
