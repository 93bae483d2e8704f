"""Runs every check, two at a time, and says which failed. `python -m checks NAME` runs one.

Owns the list of checks; the rules themselves stand in pyproject.toml and in the files beside this one.
"""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

PYTHON = (sys.executable,)
ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Check:
    """One command that must exit with 0."""

    name: str
    command: tuple[str, ...]


@dataclass(frozen=True)
class Outcome:
    """How one check ended."""

    check: Check
    passed: bool
    output: str
    duration_s: float


# mypy takes longest, so it starts first
CHECKS = (
    Check("types", (*PYTHON, "-m", "mypy")),
    Check("format", (*PYTHON, "-m", "ruff", "format", "--check", "--output-format=concise", ".")),
    Check("lint", (*PYTHON, "-m", "ruff", "check", "--no-cache", "--output-format=concise", ".")),
    Check("imports", (str(Path(sys.executable).parent / "lint-imports"), "--no-cache", "--no-logo")),
    Check("layout", (*PYTHON, "-m", "checks.layout")),
    Check("lock", (*PYTHON, "-m", "checks.lock")),
    Check("migrations", (*PYTHON, "-m", "django", "makemigrations", "--check", "--dry-run")),
    Check("commands", (*PYTHON, "-m", "checks.documented_commands")),
    Check("reference", (*PYTHON, "-m", "checks.match_reference")),
    Check("api", (*PYTHON, "-m", "checks.api_reference")),
)


def run_check(check: Check, environment: Mapping[str, str]) -> Outcome:
    """Run one check to its end and keep what it printed."""
    started = time.monotonic()
    done = subprocess.run(
        check.command,
        cwd=ROOT,
        env=dict(environment),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return Outcome(check, done.returncode == 0, done.stdout, time.monotonic() - started)


def check_environment(home: Path) -> dict[str, str]:
    """Return an environment in which no check can touch a real data folder or database."""
    environment = dict(os.environ)
    environment.pop("DATABASE_URL", None)
    environment.update(DJANGO_SETTINGS_MODULE="linkwright.django_settings", LINKWRIGHT_HOME=str(home))
    return environment


def run_checks(checks: Sequence[Check]) -> list[Outcome]:
    """Run the checks, print each outcome as its turn comes, and return all of them."""
    outcomes = []
    with tempfile.TemporaryDirectory() as home, ThreadPoolExecutor(max_workers=2) as pool:
        environment = check_environment(Path(home))
        for outcome in pool.map(lambda check: run_check(check, environment), checks):
            word = "ok" if outcome.passed else "FAILED"
            print(f"{outcome.check.name:<12} {word:<7} {outcome.duration_s:5.1f} s", flush=True)
            if not outcome.passed:
                print(outcome.output.rstrip(), flush=True)
            outcomes.append(outcome)
    return outcomes


def main(names: Sequence[str]) -> int:
    """Run the named checks, or all; return the exit code."""
    known = {check.name: check for check in CHECKS}
    unknown = [name for name in names if name not in known]
    if unknown:
        print(f"There is no check named {', '.join(unknown)}. There are: {', '.join(known)}.")
        return 2
    outcomes = run_checks([known[name] for name in names] or CHECKS)
    failed = [outcome.check.name for outcome in outcomes if not outcome.passed]
    if failed:
        print(f"{len(failed)} of {len(outcomes)} checks failed: {', '.join(failed)}.")
        print(f"One alone runs with '{sys.executable} -m checks {failed[0]}'.")
        return 1
    print(f"All {len(outcomes)} checks are satisfied.")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
