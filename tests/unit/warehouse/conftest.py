"""What the tests of loading share."""

from pathlib import Path

import pytest

from tests.unit.warehouse.loading import Loading


@pytest.fixture
def loading(tmp_path: Path) -> Loading:
    return Loading(tmp_path)
