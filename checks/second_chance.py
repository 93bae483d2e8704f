"""A pytest plugin: says by its node id which test ended how, and runs only those that it is told.

The id stands as a property in pytest's JUnit report, which names a test in words from which its node id cannot be
had back. `checks.run_tests` reads it there, and runs a few tests once more with ONLY_VARIABLE set to their ids.
"""

import os

import pytest

ID_PROPERTY = "node_id"
ONLY_VARIABLE = "LINKWRIGHT_ONLY_TESTS"
"""Node ids, one a line. What else the caller's options choose is left out."""


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Give the report of the test its node id; without what pytest-xdist adds to name a group."""
    group = item.get_closest_marker("xdist_group")
    name = item.nodeid.removesuffix(f"@{group.args[0]}") if group else item.nodeid
    item.user_properties.append((ID_PROPERTY, name))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Keep the tests that are named, if any are."""
    named = os.environ.get(ONLY_VARIABLE, "").splitlines()
    if not named:
        return
    config.hook.pytest_deselected(items=[item for item in items if item.nodeid not in named])
    items[:] = [item for item in items if item.nodeid in named]
