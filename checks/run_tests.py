"""Runs the tests in three passes: those that share the machine, those that kill, and those that measure, alone.

A pass that fails does not keep the other from running. A few tests that failed are run once more, alone (decision
0032): those that pass then are unsteady, are named, and do not fail the run. The last line counts the tests of all
passes, whatever the interpreter still prints when it ends. With a -m of the caller's there is one pass, as pytest
would make it.
"""

import math
import os
import subprocess
import sys
import tempfile
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from xml.etree import ElementTree as ET

from checks.second_chance import ID_PROPERTY, ONLY_VARIABLE

# half as many again as there are processors: a fifth of the time tests wait for workers, browsers and disks
PROCESSES_COUNT = min(6, math.ceil(1.5 * (os.cpu_count() or 1)))
SIDE_BY_SIDE = ("-n", str(PROCESSES_COUNT), "--dist", "loadgroup")
PASSES = (
    (*SIDE_BY_SIDE, "-m", "not (benchmark or torture)"),
    # one test for each database, and each of them mostly waits
    (*SIDE_BY_SIDE, "-m", "torture"),
    ("-m", "benchmark"),
)
TESTS_FAILED, NO_TESTS_COLLECTED = 1, 5
# more than so many have one cause, and it is not a busy second
MAX_SECOND_CHANCES = 5


@dataclass
class Counts:
    """How tests ended; by node id as far as they can be run again."""

    passed: set[str] = field(default_factory=set)
    failed: set[str] = field(default_factory=set)
    skipped_count: int = 0
    lost_count: int = 0
    """Failures of no test that could be run again: a module that cannot be read, a process that died."""

    def add(self, other: "Counts") -> None:
        """Add the counts of another pass."""
        self.passed |= other.passed
        self.failed |= other.failed
        self.skipped_count += other.skipped_count
        self.lost_count += other.lost_count


def planned_passes(options: Sequence[str]) -> list[list[str]]:
    """Return pytest's options of each pass."""
    if any(option.startswith("-m") for option in options):
        return [list(options)]
    return [[*options, *passing] for passing in PASSES]


def read_counts(report: Path) -> Counts:
    """Count the tests of one pass by how they ended, from pytest's JUnit report; none, if it was not written."""
    counts = Counts()
    if not report.is_file():
        return counts
    # a test that fails, and whose clearing up fails too, has two elements, and the last one its id
    failed, ids = set(), {}
    for case in ET.parse(report).getroot().iter("testcase"):  # noqa: S314 - pytest has just written it
        name = f"{case.get('classname')} {case.get('name')}"
        for found in case.iter("property"):
            if found.get("name") == ID_PROPERTY:
                ids[name] = str(found.get("value"))
        if case.find("failure") is not None or case.find("error") is not None:
            failed.add(name)
        elif case.find("skipped") is not None:
            counts.skipped_count += 1
            ids.pop(name, None)
    counts.failed = {ids[name] for name in failed & ids.keys()}
    counts.lost_count = len(failed - ids.keys())
    counts.passed = {ids[name] for name in ids.keys() - failed}
    return counts


def exit_code(codes: Sequence[int]) -> int:
    """Return 0 if every pass that had tests passed and one had some, else the first code that says otherwise."""
    if all(code == NO_TESTS_COLLECTED for code in codes):
        return NO_TESTS_COLLECTED
    return next((code for code in codes if code not in {0, NO_TESTS_COLLECTED}), 0)


def deserves_second_chance(counts: Counts, codes: Sequence[int]) -> bool:
    """Tell whether nothing went wrong but a few tests that can be run again."""
    few = 0 < len(counts.failed) <= MAX_SECOND_CHANCES and counts.lost_count == 0
    return few and set(codes) <= {0, TESTS_FAILED, NO_TESTS_COLLECTED}


def summary(counts: Counts, unsteady: Collection[str]) -> str:
    """Return the last line."""
    failed_count = len(counts.failed) + counts.lost_count
    line = f"{len(counts.passed)} passed, {failed_count} failed, {counts.skipped_count} skipped"
    return f"{line}; {len(unsteady)} unsteady: {', '.join(sorted(unsteady))}" if unsteady else line


def _run_pass(options: Sequence[str], only: Collection[str] = ()) -> tuple[int, Counts]:
    # hundreds of the tests' processes would each compile the whole program anew
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    if only:
        environment[ONLY_VARIABLE] = "\n".join(sorted(only))
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        command = [sys.executable, "-m", "pytest", "-p", "checks.second_chance", *options, f"--junit-xml={report}"]
        code = subprocess.run(command, env=environment, check=False).returncode
        return code, read_counts(report)


def main(options: Sequence[str]) -> int:
    """Run the passes; return the exit code."""
    counts, codes, unsteady = Counts(), [], set[str]()
    for passing in planned_passes(options):
        code, of_pass = _run_pass(passing)
        codes.append(code)
        counts.add(of_pass)
    if deserves_second_chance(counts, codes):
        print(f"Once more, alone: {', '.join(sorted(counts.failed))}", flush=True)
        _code, again = _run_pass(options, counts.failed)
        unsteady = counts.failed & again.passed
        counts.passed |= unsteady
        counts.failed -= unsteady
        if not counts.failed:
            codes = [0 if code == TESTS_FAILED else code for code in codes]
    print(summary(counts, unsteady), flush=True)
    return exit_code(codes)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
