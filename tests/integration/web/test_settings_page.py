"""Settings: the page shows each with who changed it; the form takes what the Setting takes, and nothing else."""

import re
from html import unescape

import pytest

from linkwright.services.change_setting_by_hand import mark_of, read_text, text_of
from linkwright.services.list_settings import SettingKind, kind_of, list_settings
from linkwright.store.audit_log import COMMAND_LINE, Actor
from linkwright.store.models import AuditLogEntry, SettingValue
from linkwright.store.settings import SETTINGS, SettingError, change_setting, check_setting, read_setting
from tests.integration.web.conftest import SignIn
from tests.integration.web.seed import World

PAGE = "/admin/settings/"


def change(sign_in: SignIn, world: World, name: str, value: str, *, seen: str | None = None) -> tuple[int, str]:
    mark = mark_of(read_setting(name)) if seen is None else seen
    response = sign_in(world.admin).post(f"{PAGE}{name}/", {"value": value, "seen": mark})
    return response.status_code, unescape(response.content.decode())


def test_every_setting_stands_on_the_page_with_help_bound_and_value(empty_world: World, sign_in: SignIn) -> None:
    change_setting("Backup.Keep", 9, Actor(empty_world.admin, "10.1.2.3"))
    change_setting("Inbox.Enabled", True, COMMAND_LINE)
    html = unescape(sign_in(empty_world.admin).get(PAGE).content.decode())
    for setting in SETTINGS.values():
        assert f'id="setting-{setting.name}"' in html
        assert setting.help in html
    row = html.split('id="setting-Backup.Keep"')[1].split("</tr>")[0]
    assert re.search(r"is-changed\">9<.*>7<.*by admin", row, re.DOTALL)
    assert "by command line" in html.split('id="setting-Inbox.Enabled"')[1].split("</tr>")[0]
    assert "never" in html.split('id="setting-Inbox.Folder"')[1].split("</tr>")[0]
    groups = re.findall(r'<h2 id="group-\d+" class="code">([^<]+)</h2>', html)
    assert len(groups) == len(set(groups))
    assert {"Worker.Jobs", "Inbox", "Notifications.Email"} <= set(groups)


@pytest.mark.parametrize(
    ("name", "typed", "stored"),
    [
        ("Worker.Jobs.PauseProcessingOnFailure", "true", True),
        ("Worker.Match.MaxBlockSize", " 20 000 ", 20_000),
        ("Worker.Match.MaxBlockSize", "20\u202f000", 20_000),
        ("Notifications.Email.Security", "tls", "tls"),
        ("Schedule.Backup.At", "02:30", "02:30"),
        ("Standardise.Sex.Map", "male = m\r\n\r\na=b = f\r\n", {"male": "m", "a=b": "f"}),
    ],
)
def test_a_change_holds_and_stands_in_the_audit_log_and_can_be_taken_back(
    empty_world: World, sign_in: SignIn, name: str, typed: str, stored: object
) -> None:
    assert change(sign_in, empty_world, name, typed)[0] == 302
    assert read_setting(name) == stored
    entry = AuditLogEntry.objects.latest("pk")
    default = SETTINGS[name].default
    assert (entry.action, entry.target, entry.user) == ("change setting", name, empty_world.admin)
    assert entry.detail == {"before": default, "after": stored}
    seen = mark_of(read_setting(name))
    assert sign_in(empty_world.admin).post(f"{PAGE}{name}/", {"default": "1", "seen": seen}).status_code == 302
    assert read_setting(name) == default
    assert not SettingValue.objects.exists()
    assert AuditLogEntry.objects.latest("pk").detail == {"before": stored, "after": default, "is_default": True}


@pytest.mark.parametrize(
    ("name", "typed", "told"),
    [
        ("Worker.Jobs.PauseProcessingOnFailure", "", "allowed is true or false"),
        ("Backup.Keep", "0", "allowed is a whole number from 1 to 10000"),
        ("Backup.Keep", "ten", "allowed is a whole number from 1 to 10000"),
        ("Backup.Keep", "1.5", "allowed is a whole number from 1 to 10000"),
        ("Backup.Keep", "9" * 5000, "allowed is a whole number from 1 to 10000"),
        ("Notifications.Email.Security", "ssl", "allowed are: none, starttls, tls"),
        ("Schedule.Backup.At", "25:00", "a time of day in UTC"),
        ("Inbox.Folder", "in\0box", "without control characters"),
        ("Standardise.Sex.Map", "male", "line 1 is 'male'; allowed are lines as 'from = to'"),
        ("Standardise.Sex.Map", "a = m\na = f", "'a' stands in line 2 and before"),
    ],
)
def test_a_wrong_value_is_refused_beside_its_field_and_changes_nothing(
    empty_world: World, sign_in: SignIn, name: str, typed: str, told: str
) -> None:
    status, html = change(sign_in, empty_world, name, typed)
    assert status == 409
    assert told in html.split("field-fault")[1].split("</p>")[0]
    assert not AuditLogEntry.objects.exists()
    assert not SettingValue.objects.exists()


def test_large_numbers_are_shown_with_separators_and_their_unit(empty_world: World, sign_in: SignIn) -> None:
    name, client = "Worker.Match.MaxCandidatePairs", sign_in(empty_world.admin)
    change_setting(name, 1_500_000, COMMAND_LINE)
    row = unescape(client.get(PAGE).content.decode()).split(f'id="setting-{name}"')[1].split("</tr>")[0]
    told = re.sub("<[^>]+>", " ", row)
    assert re.search("1\u202f500\u202f000 +pairs", told)
    assert re.search("20\u202f000\u202f000\u202f000 +pairs", told)
    form = unescape(client.get(f"{PAGE}{name}/").content.decode())
    assert "from 1 to 1\u202f000\u202f000\u202f000\u202f000\u202f000." in form
    assert 'value="1500000"' in form


def test_a_form_that_was_overtaken_changes_nothing(empty_world: World, sign_in: SignIn) -> None:
    seen = mark_of(read_setting("Backup.Keep"))
    change_setting("Backup.Keep", 30, COMMAND_LINE)
    status, html = change(sign_in, empty_world, "Backup.Keep", "5", seen=seen)
    assert status == 409
    assert "was changed since this form was opened; it is now '30'" in html
    assert read_setting("Backup.Keep") == 30
    assert sign_in(empty_world.admin).get(f"{PAGE}Backup.Keeep/").status_code == 404


def test_each_default_can_be_typed_as_it_is_shown() -> None:
    for setting in SETTINGS.values():
        assert check_setting(setting.name, read_text(setting, text_of(setting.default))) == setting.default
    assert {kind_of(setting) for setting in SETTINGS.values()} == set(SettingKind)
    with pytest.raises(SettingError):
        list_settings(["No.Such"])
