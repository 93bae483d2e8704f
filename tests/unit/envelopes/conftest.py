"""The way in which the tests of this room have an Envelope refused."""

from pathlib import Path

import pytest

from linkwright.envelopes.corruption import CorruptEnvelopeError
from linkwright.envelopes.limits import PackageLimits
from linkwright.envelopes.package import examine_package, verify_package
from tests.unit.envelopes.crafting import LIMITS, Refuse


@pytest.fixture
def refused(tmp_path: Path) -> Refuse:
    """Write bytes to births.zip, and return the error; by default the cheap examination must find it already."""

    def check(content: bytes, *, limits: PackageLimits = LIMITS, examined: bool = True) -> CorruptEnvelopeError:
        path = tmp_path / "births.zip"
        path.write_bytes(content)
        if not examined:
            examine_package(path, limits)
        with pytest.raises(CorruptEnvelopeError) as caught:
            (examine_package if examined else verify_package)(path, limits)
        assert caught.value.summary.startswith("births.zip: ")
        return caught.value

    return check
