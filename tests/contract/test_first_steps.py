"""What `make` does first on a machine: finds a Python that can make the environment, and says what is missing."""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SHELL = "/bin/sh"
TOO_OLD = "exit 1"
WITHOUT_VENV = 'case "$2" in *ensurepip*) exit 1;; esac'
GOOD = "exit 0"
MISSING = "echo 'command not found' >&2; exit 127"


def find_python(folder: Path, programs: dict[str, str], **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the search with `programs` (name: what it does when called) alone on PATH."""
    for name, body in programs.items():
        (folder / name).write_text(f"#!{SHELL}\n{body}\n")
        (folder / name).chmod(0o755)
    return subprocess.run(
        [SHELL, str(ROOT / "checks" / "find_python.sh")],
        env={"PATH": str(folder), **environment},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    ("programs", "chosen"),
    [
        ({"python3": GOOD}, "python3"),
        ({"python3.11": GOOD, "python3.13": GOOD, "python3": GOOD}, "python3.13"),
        ({"python3.13": MISSING, "python3.12": TOO_OLD, "python3.11": GOOD}, "python3.11"),
        ({"python3.12": WITHOUT_VENV, "python3": GOOD}, "python3"),
    ],
)
def test_the_newest_python_that_works_is_chosen(tmp_path: Path, programs: dict[str, str], chosen: str) -> None:
    done = find_python(tmp_path, programs)
    assert (done.returncode, done.stdout.strip(), done.stderr) == (0, chosen, "")


def test_a_python_that_is_named_is_the_only_candidate(tmp_path: Path) -> None:
    done = find_python(tmp_path, {"python3": GOOD, "mine": GOOD}, PYTHON="mine")
    assert done.stdout.strip() == "mine"
    done = find_python(tmp_path, {"python3": GOOD, "mine": TOO_OLD}, PYTHON="mine")
    assert done.returncode == 1
    assert "(looked for: mine)" in done.stderr


def test_without_any_python_the_message_says_what_to_install(tmp_path: Path) -> None:
    done = find_python(tmp_path, {"python3": TOO_OLD})
    assert done.returncode == 1
    assert "No Python 3.11 or newer was found" in done.stderr
    assert "PYTHON=/path/to/python3" in done.stderr


def test_a_python_without_venv_is_named_with_the_package_that_mends_it(tmp_path: Path) -> None:
    done = find_python(tmp_path, {"python3.12": TOO_OLD, "python3.11": WITHOUT_VENV, "python3": WITHOUT_VENV})
    assert done.returncode == 1
    assert "python3.11 has no venv and ensurepip modules" in done.stderr
    assert "apt install python3-venv" in done.stderr


def test_make_alone_names_every_target() -> None:
    (phony,) = re.findall(r"^\.PHONY: (.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    done = subprocess.run(["make", "--silent"], cwd=ROOT, capture_output=True, text=True, check=True)
    named = {line.split()[1] for line in done.stdout.splitlines()}
    assert named == set(phony.split()) - {"help"}
