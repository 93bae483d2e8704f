"""A pytest plugin: in CI a skipped test fails, so that nothing is left out without anybody seeing it.

On a person's machine a test may be skipped (no Chromium, say); CI is told by CI=true. What may be skipped there
are tests on data that the project does not carry: their reason names the variable that says where it is. Loaded by
tests/conftest.py.
"""

import os
from collections.abc import Generator
from typing import TypeVar

import pytest

from checks.machine import in_ci

DATA_VARIABLE = "LINKWRIGHT_DATA"

Report = TypeVar("Report", pytest.TestReport, pytest.CollectReport)


def fail_if_skipped_in_ci(report: Report) -> Report:
    """Turn a skip into a failure that keeps its reason, if this is CI; an expected failure stays one."""
    reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
    lacks_data = DATA_VARIABLE in reason
    if report.skipped and not lacks_data and not hasattr(report, "wasxfail") and in_ci(os.environ):
        report.outcome = "failed"
        report.longrepr = f"{reason}\nIn CI (CI=true) a test may not be skipped: install what it needs."
    return report


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Look at the report of each phase of each test."""
    return fail_if_skipped_in_ci((yield))


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Look at the report of each collected module: it may skip all its tests at once."""
    return fail_if_skipped_in_ci((yield))
