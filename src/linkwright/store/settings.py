"""The named Settings: type, default, bounds and help of each, and how to read and write them.

Changed on a page or in a project file while the server runs; every change is in the audit log. The process's
own configuration (data folder, database) stands in config.py instead.
"""

import difflib
import re
from functools import cache
from typing import Any

from django.db import transaction
from django.utils import timezone

from linkwright.errors import LinkwrightError
from linkwright.store.audit_log import Actor, record_action
from linkwright.store.kept_query import KeptQuery
from linkwright.store.models import SettingValue
from linkwright.store.setting import Setting, Value
from linkwright.store.sign_in_settings import SIGN_IN_SETTINGS

CHANGE_ACTION = "change setting"


class SettingError(LinkwrightError):
    """An unknown Setting, or a value that it does not take."""


def _schedule(name: str, *, every_hours: int, does: str) -> tuple[Setting, Setting]:
    """Return the two Settings of a system job that is started by schedule (services/schedule_jobs.py)."""
    return (
        Setting(
            f"Schedule.{name}.EveryHours",
            default=every_hours,
            minimum=0,
            maximum=24 * 366,
            unit="hours",
            help=f"How often {does}; 0 is never.",
        ),
        Setting(
            f"Schedule.{name}.At",
            default="",
            pattern=r"([01]\d|2[0-3]):[0-5]\d",
            form="a time of day in UTC, as 02:30, or nothing for midnight",
            help=f"The time of day, in UTC, from which the hours of Schedule.{name}.EveryHours are counted.",
        ),
    )


SETTINGS: dict[str, Setting] = {
    setting.name: setting
    for setting in (
        Setting(
            "Worker.Jobs.PauseProcessingOnFailure",
            default=False,
            help="When a job fails, the queue pauses itself instead of going on with the next Envelope.",
        ),
        Setting(
            "Worker.Jobs.MaxAttemptsAfterCrash",
            default=2,
            minimum=0,
            maximum=10_000,
            help="How often a job whose process died is run again before it fails.",
        ),
        Setting(
            "Worker.Load.MaxRejectedRows",
            default=0,
            minimum=0,
            maximum=2_000_000_000,
            unit="rows",
            help="More rejected rows than this in one data file fail its Load job.",
        ),
        Setting(
            "Worker.Match.MaxBlockSize",
            default=5_000,
            minimum=2,
            maximum=100_000_000,
            unit="records",
            help="Blocks with more records than this are split or skipped by Match, as the match configuration "
            "says, and a warning names them.",
        ),
        Setting(
            "Worker.Match.MaxCandidatePairs",
            default=20_000_000_000,
            minimum=1,
            maximum=10**15,
            unit="pairs",
            help="A Match job with more candidate pairs than this fails before it compares any.",
        ),
        Setting(
            "Worker.Memory.LimitMiB",
            default=2_048,
            minimum=128,
            maximum=16_000_000,
            unit="MiB",
            help="Memory that the computations of one job may use; more goes to disk.",
        ),
        Setting(
            "Worker.Compact.AfterBatches",
            default=32,
            minimum=0,
            maximum=10_000,
            unit="batches",
            help="When a project has more small batches of one kind than this, a Compact job makes them few; 0 = "
            "never by itself.",
        ),
        Setting(
            "Worker.Purge.AfterDays",
            default=30,
            minimum=0,
            maximum=36_500,
            unit="days",
            help="A Purge that is scheduled blanks the records that ended at least so long ago.",
        ),
        Setting(
            "Envelope.MaxSizeMiB",
            default=10_240,
            minimum=1,
            maximum=100_000_000,
            unit="MiB",
            help="An Envelope whose files unpack to more than this is Corrupt.",
        ),
        Setting(
            "Envelope.MaxCompressionRatio",
            default=200,
            minimum=1,
            maximum=100_000,
            help="An Envelope that unpacks to more than this many times its size is Corrupt.",
        ),
        Setting(
            "Inbox.Enabled",
            default=False,
            help="Whether the worker watches the inbox and takes in the Envelopes that are put there.",
        ),
        Setting(
            "Inbox.Folder",
            default="inbox",
            help="The folder that is watched: an absolute path, or one inside the data folder. Whoever may write "
            "there may submit to every project.",
        ),
        Setting(
            "Inbox.SettleSeconds",
            default=10,
            minimum=1,
            maximum=86_400,
            unit="s",
            help="A file is taken once its size and time have not changed for so long.",
        ),
        Setting(
            "Inbox.PollSeconds",
            default=5,
            minimum=1,
            maximum=3_600,
            unit="s",
            help="How often the inbox is looked at.",
        ),
        Setting(
            "Inbox.UnfinishedSeconds",
            default=600,
            minimum=1,
            maximum=604_800,
            unit="s",
            help="A file that looks like a zip cut short, is empty, or cannot be read is rejected once it has not "
            "changed for so long.",
        ),
        Setting(
            "ApiKeys.MaxLifetimeDays",
            default=730,
            minimum=1,
            maximum=3_650,
            unit="days",
            help="No API key can be made that lives longer than this.",
        ),
        *SIGN_IN_SETTINGS,
        Setting(
            "Standardise.Sex.Map",
            default={},
            help="Beside the usual spellings, what Load makes of a sex: value as sent → m, f or x.",
        ),
        Setting(
            "Standardise.State.Map",
            default={},
            help="Beside the usual spellings, what Load makes of a state: value as sent → code.",
        ),
        Setting(
            "Extract.KeepResultsDays",
            default=90,
            minimum=1,
            maximum=3_650,
            unit="days",
            help="How long the results of new Extraction Projects are kept, unless it says otherwise.",
        ),
        Setting(
            "Backup.Folder",
            default="",
            pattern="/.+",
            form="the path of a folder, from the root, or nothing for the folder backups in the data folder",
            help="Where backups are made: best on another disk than the data folder. It must be there already.",
        ),
        Setting(
            "Backup.Keep",
            default=7,
            minimum=1,
            maximum=10_000,
            unit="backups",
            help="How many finished backups stay; the oldest are deleted once a new one is finished.",
        ),
        *_schedule("Backup", every_hours=0, does="a Backup is started"),
        *_schedule("Compact", every_hours=0, does="a Compact is started in each project with small files"),
        *_schedule("Purge", every_hours=0, does="a Purge is started in each project with old ends"),
        Setting(
            "Notifications.Email.Enabled",
            default=False,
            help="E-mails tell the notification address of a project how its Envelopes ended.",
        ),
        Setting(
            "Notifications.Email.Delivery",
            default="smtp",
            allowed=("smtp", "file"),
            help="smtp hands mails to the server at Host; file writes them into the data folder, under mail.",
        ),
        Setting(
            "Notifications.Email.From", default="linkwright@localhost", help="The address that mails come from."
        ),
        Setting("Notifications.Email.Host", default="localhost", help="The SMTP server."),
        Setting(
            "Notifications.Email.Port", default=25, minimum=1, maximum=65_535, help="The port of the SMTP server."
        ),
        Setting(
            "Notifications.Email.Security",
            default="none",
            allowed=("none", "starttls", "tls"),
            help="starttls encrypts after the greeting (port 587), tls from the start (port 465); with either, "
            "the server's certificate must be valid.",
        ),
        Setting(
            "Notifications.Email.User",
            default="",
            help="The user name at the SMTP server; empty for none. The password stands in the environment.",
        ),
        Setting("Notifications.Email.OnSuccess", default=True, help="Tell when an Envelope ended in Success."),
        Setting(
            "Notifications.Email.OnFailure",
            default=True,
            help="Tell when an Envelope ended in Errors or is Corrupt, and when a job outside Envelopes failed.",
        ),
        Setting("Notifications.Email.OnRollback", default=True, help="Tell when an Envelope was rolled back."),
        Setting(
            "Notifications.Email.SystemAddress",
            default="",
            help="Whom to tell that the queue paused itself, and of Corrupt Envelopes that name no project.",
        ),
        Setting(
            "Notifications.Email.BundleMinutes",
            default=5,
            minimum=0,
            maximum=10_080,
            unit="min",
            help="At most one mail to an address in so many minutes; what happens meanwhile is in the next one.",
        ),
        Setting(
            "Notifications.Email.MaxAttempts",
            default=10,
            minimum=1,
            maximum=100,
            help="A mail that could not be sent so often is given up. The pauses grow from 1 minute to 4 hours.",
        ),
        Setting(
            "Notifications.Email.PagesAddress",
            default="",
            help="Where people reach the pages, as https://linkage.example.org; empty for mails without links.",
        ),
    )
}


def find_setting(name: str) -> Setting:
    """Return a Setting by its full name.

    Raises:
        SettingError: if there is none; the nearest name is suggested.
    """
    if name in SETTINGS:
        return SETTINGS[name]
    near = difflib.get_close_matches(name, SETTINGS, n=1)
    hint = f" Did you mean {near[0]}?" if near else ""
    raise SettingError(f"There is no setting {name!r}.{hint} The settings are: {', '.join(SETTINGS)}.")


def check_setting(name: str, value: Any) -> Value:
    """Return `value` if the Setting takes it.

    Raises:
        SettingError: if the Setting is unknown, or the value has the wrong type or leaves its bounds.
    """
    setting = find_setting(name)
    default = setting.default
    if isinstance(default, bool):
        if isinstance(value, bool):
            return value
        raise SettingError(f"{name} is {value!r}; allowed are true and false.")
    if isinstance(default, int):
        low, high = setting.minimum, setting.maximum
        whole = isinstance(value, int) and not isinstance(value, bool)
        if not whole or (low is not None and value < low) or (high is not None and value > high):
            raise SettingError(f"{name} is {value!r}; allowed is a whole number from {low} to {high}.")
        return int(value)
    if isinstance(default, dict):
        if isinstance(value, dict) and all(_is_line(part) for pair in value.items() for part in pair):
            return dict(value)
        raise SettingError(f"{name} is {value!r}; allowed is a map from text to text, without control characters.")
    return _check_text(setting, value)


def _is_line(value: Any) -> bool:
    return isinstance(value, str) and value.isprintable()


def _check_text(setting: Setting, value: Any) -> str:
    name = setting.name
    if setting.pattern:
        fits = isinstance(value, str) and value.isprintable() and re.fullmatch(setting.pattern, value)
        if value == "" or fits:
            return str(value)
        raise SettingError(f"{name} is {value!r}; allowed is {setting.form}.")
    if isinstance(value, str) and not value.isprintable():
        raise SettingError(f"{name} is {value!r}; allowed is text of one line, without control characters.")
    if not isinstance(value, str) or (setting.allowed and value not in setting.allowed):
        raise SettingError(f"{name} is {value!r}; allowed are: {', '.join(setting.allowed) or 'text'}.")
    return value


def read_setting(name: str) -> Any:
    """Return the value in force: the stored one, else the default."""
    setting = find_setting(name)
    stored = SettingValue.objects.filter(name=name).values_list("value", flat=True).first()
    return setting.default if stored is None else stored


def read_settings(prefix: str) -> dict[str, Any]:
    """Return the values in force of all Settings whose name begins with `prefix`, by one query."""
    found = {name: setting.default for name, setting in SETTINGS.items() if name.startswith(prefix)}
    return {**found, **dict(_stored(tuple(found)).rows())}


@cache
def _stored(names: tuple[str, ...]) -> KeptQuery[tuple[str, Any]]:
    return KeptQuery(lambda: SettingValue.objects.filter(name__in=names).values_list("name", "value"))


def change_setting(name: str, value: Any, actor: Actor) -> bool:
    """Store a new value, with the change in the audit log; returns whether anything changed.

    Raises:
        SettingError: as `check_setting`.
    """
    checked = check_setting(name, value)
    with transaction.atomic():
        before = read_setting(name)
        if before == checked:
            return False
        SettingValue.objects.update_or_create(
            name=name,
            defaults={"value": checked, "changed_at": timezone.now(), "changed_by": actor.user},
        )
        record_action(actor, CHANGE_ACTION, name, detail={"before": before, "after": checked})
    return True


def reset_setting(name: str, actor: Actor) -> bool:
    """Bring a Setting back to its default, with the change in the audit log; returns whether it was another.

    Raises:
        SettingError: if the Setting is unknown.
    """
    setting = find_setting(name)
    with transaction.atomic():
        before = read_setting(name)
        # also a stored value that is the default of today: it would hold when that changes
        SettingValue.objects.filter(name=name).delete()
        if before == setting.default:
            return False
        detail = {"before": before, "after": setting.default, "is_default": True}
        record_action(actor, CHANGE_ACTION, name, detail=detail)
    return True
