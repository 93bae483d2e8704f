"""Settings: types, bounds, names, the audit log."""

import pytest

from linkwright.store.audit_log import COMMAND_LINE, Actor
from linkwright.store.models import AuditLogEntry, User
from linkwright.store.settings import SETTINGS, SettingError, change_setting, check_setting, read_setting

pytestmark = pytest.mark.django_db


def test_an_unchanged_setting_has_its_default() -> None:
    for name, setting in SETTINGS.items():
        assert read_setting(name) == setting.default


def test_a_change_is_read_back_and_stands_in_the_audit_log() -> None:
    alice = Actor(User.objects.create(username="alice"), "192.0.2.1")
    assert change_setting("Worker.Load.MaxRejectedRows", 7, alice)
    assert read_setting("Worker.Load.MaxRejectedRows") == 7
    entry = AuditLogEntry.objects.get()
    assert (entry.user, entry.target, entry.detail) == (
        alice.user,
        "Worker.Load.MaxRejectedRows",
        {"before": 0, "after": 7},
    )


def test_the_same_value_again_is_no_change() -> None:
    assert not change_setting("Worker.Load.MaxRejectedRows", 0, COMMAND_LINE)
    assert not AuditLogEntry.objects.exists()


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("Worker.Load.MaxRejectedRows", -1, "from 0 to"),
        ("Worker.Load.MaxRejectedRows", True, "whole number"),
        ("Worker.Load.MaxRejectedRows", "5", "whole number"),
        ("Worker.Memory.LimitMiB", 1, "from 128 to"),
        ("Worker.Jobs.PauseProcessingOnFailure", 1, "true and false"),
        ("Standardise.Sex.Map", {"a": 1}, "map from text to text"),
        ("Standardise.Sex.Map", "m", "map from text to text"),
        ("Worker.Jobs.PauseOnFailure", True, "Did you mean Worker.Jobs.PauseProcessingOnFailure?"),
    ],
)
def test_a_wrong_value_is_refused_with_its_bound(name: str, value: object, expected: str) -> None:
    with pytest.raises(SettingError) as caught:
        check_setting(name, value)
    assert expected in str(caught.value)
