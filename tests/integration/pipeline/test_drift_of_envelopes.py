"""An Envelope that differs much from those before it says so in its report and in a warning."""

import pytest

from linkwright.services.roll_back_envelope import RollbackScope
from linkwright.store.models import Envelope, EnvelopeReport, EnvelopeState, Notification, Severity
from tests.integration.pipeline.acting import delete, roll_back
from tests.integration.pipeline.conftest import Row, System

pytestmark = pytest.mark.django_db


def _rows(name: str, count: int, *, postcode: str = "2000") -> list[Row]:
    return [(f"{name}{one}", f"G{name}{one}", f"S{name}{one}", "1980-01-02", postcode) for one in range(count)]


def _drift(envelope: Envelope) -> dict[str, dict[str, object]]:
    rows = EnvelopeReport.objects.get(envelope=envelope).statistics["envelope"]["drift"]
    return {row["measure"]: row for row in rows}


def _warnings(envelope: Envelope) -> list[str]:
    found = Notification.objects.filter(envelope=envelope, severity=Severity.WARNING)
    return list(found.values_list("text", flat=True))


def test_a_field_that_is_suddenly_empty_is_told(system: System) -> None:
    first = system.load("first", _rows("a", 40))
    second = system.load("second", _rows("b", 40))
    third = system.load("third", [*_rows("c", 10), *_rows("d", 30, postcode="")])
    assert _drift(first) == {}
    assert not any(row["is_marked"] for row in _drift(second).values())
    assert _drift(third)["postcode filled"] == {
        "measure": "postcode filled",
        "envelope_share": 0.25,
        "earlier_share": 1.0,
        "is_marked": True,
    }
    (warning,) = _warnings(third)
    assert warning.startswith(
        "It differs from the 2 Envelopes before it with the same Event Types: "
        "postcode filled 25.0% (100.0% before)."
    )
    assert _warnings(first) == _warnings(second) == []
    # a warning is no error
    assert third.state == EnvelopeState.SUCCESS


def test_what_was_rolled_back_and_other_actions_are_no_yardstick(system: System) -> None:
    system.load("first", _rows("a", 40))
    wrong = system.load("wrong", _rows("b", 40, postcode=""))
    roll_back(system, wrong, RollbackScope.ALONE)
    deletion = delete(system, "a1")
    again = system.load("again", _rows("b", 40))
    assert _warnings(wrong) != []
    assert _drift(deletion) == {}
    assert _drift(again)["postcode filled"]["earlier_share"] == 1.0
    assert _warnings(again) == []


def test_more_linked_records_are_no_drift_and_fewer_are(system: System) -> None:
    known = _rows("a", 60)
    system.load("first", known)
    same = [(f"again-{row[0]}", *row[1:]) for row in known]
    second = system.load("second", same)
    third = system.load("third", _rows("z", 60))
    assert _drift(second)["records linked"]["envelope_share"] == 1.0
    assert _warnings(second) == []
    assert _drift(third)["records linked"]["is_marked"]
    assert "records linked 0.0% (50.0% before)" in _warnings(third)[0]
