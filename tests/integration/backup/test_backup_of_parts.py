"""Snapshots and ledgers in parts are in a backup, and a restored system extracts from them as the first would."""

import pytest

from linkwright.services.roll_back_envelope import RollbackScope, roll_back_envelope
from linkwright.services.sweep_files import sweep_files
from linkwright.store.audit_log import COMMAND_LINE
from linkwright.store.models import Envelope, KeptPart
from linkwright.warehouse import kept_parts
from tests.integration.backup.conftest import LATER_ROWS, ROWS, NewPlace, back_up
from tests.integration.pipeline.extracting import changes, create, extract, keys, package


def test_a_restored_system_extracts_the_same_and_rolls_back_at_the_borders(
    new_place: NewPlace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept_parts, "PART_ROWS", 2)
    first, second = new_place(), new_place()
    with first.set_up() as system:
        system.load("first", ROWS)
        system.load("second", LATER_ROWS)
        create("S", "snapshot")
        create("X1")
        system.drain()
        before = keys(system)
        result = package(system, extract(system, "S"))
        backup = back_up(system)
    with second.restore(backup) as system:
        sweep_files(system.config)
        assert KeptPart.objects.filter(extraction_project__code="S").count() == 3
        assert package(system, extract(system, "S")) == result
        latest = Envelope.objects.get(name="second")
        roll_back_envelope(latest.pk, COMMAND_LINE, reason="a test", scope=RollbackScope.ALONE)
        system.drain()
        assert keys(system, "S").keys() == {"a1", "a2", "c1"}
        assert changes(system) == [(before["d1"], "", "rolled back")]
