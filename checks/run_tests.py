"""Runs the tests in three passes: those that share the machine, those that kill, and those that measure, alone.

A pass that fails does not keep the other from running. The last line counts the tests of all passes, whatever the
interpreter still prints when it ends. With a -m of the caller's there is one pass, as pytest would make it.
"""

import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from xml.etree import ElementTree as ET

SIDE_BY_SIDE = ("-n", "logical", "--maxprocesses", "4", "--dist", "loadgroup")
PASSES = (
    (*SIDE_BY_SIDE, "-m", "not (benchmark or torture)"),
    # one test for each database, and each of them mostly waits
    (*SIDE_BY_SIDE, "-m", "torture"),
    ("-m", "benchmark"),
)
NO_TESTS_COLLECTED = 5


def planned_passes(options: Sequence[str]) -> list[list[str]]:
    """Return pytest's options of each pass."""
    if any(option.startswith("-m") for option in options):
        return [list(options)]
    return [[*options, *passing] for passing in PASSES]


def read_counts(report: Path) -> Counter[str]:
    """Count the tests of one pass by how they ended, from pytest's JUnit report; none, if it was not written."""
    counts: Counter[str] = Counter()
    if not report.is_file():
        return counts
    for suite in ET.parse(report).getroot().iter("testsuite"):  # noqa: S314 - pytest has just written it
        failed = int(suite.get("failures", 0)) + int(suite.get("errors", 0))
        skipped = int(suite.get("skipped", 0))
        counts["failed"] += failed
        counts["skipped"] += skipped
        counts["passed"] += int(suite.get("tests", 0)) - failed - skipped
    return counts


def exit_code(codes: Sequence[int]) -> int:
    """Return 0 if every pass that had tests passed and one had some, else the first code that says otherwise."""
    if all(code == NO_TESTS_COLLECTED for code in codes):
        return NO_TESTS_COLLECTED
    return next((code for code in codes if code not in {0, NO_TESTS_COLLECTED}), 0)


def main(options: Sequence[str]) -> int:
    """Run the passes; return the exit code."""
    counts: Counter[str] = Counter()
    codes = []
    with tempfile.TemporaryDirectory() as folder:
        for number, passing in enumerate(planned_passes(options)):
            report = Path(folder) / f"{number}.xml"
            command = [sys.executable, "-m", "pytest", *passing, f"--junit-xml={report}"]
            codes.append(subprocess.run(command, check=False).returncode)
            counts += read_counts(report)
    print(f"{counts['passed']} passed, {counts['failed']} failed, {counts['skipped']} skipped", flush=True)
    return exit_code(codes)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
