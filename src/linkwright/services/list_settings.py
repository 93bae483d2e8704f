"""Every Setting with what it takes, what holds, and who changed it last, in groups by its first words."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from itertools import groupby

from linkwright.store.queries.setting_changes import last_changes
from linkwright.store.setting import Setting, Value
from linkwright.store.settings import SETTINGS, find_setting, read_settings


class SettingKind(StrEnum):
    """What a Setting takes."""

    BOOLEAN = "boolean"
    INTEGER = "integer"
    CHOICE = "choice"
    TEXT = "text"
    MAP = "map"


@dataclass(frozen=True)
class ListedSetting:
    """One Setting as it stands.

    Args:
        setting: its name, help, default and bounds.
        kind: what it takes.
        value: what holds.
        changed_at: when it was changed last; None: never.
        changed_by: who did, by user name or origin; '' if nobody.
    """

    setting: Setting
    kind: SettingKind
    value: Value
    changed_at: datetime | None
    changed_by: str

    @property
    def is_default(self) -> bool:
        """Whether its default holds."""
        return self.value == self.setting.default

    @property
    def group(self) -> str:
        """The first words of its name."""
        words = self.setting.name.split(".")
        return ".".join(words[: max(1, min(2, len(words) - 1))])

    @property
    def bound(self) -> str:
        """What it takes, in words."""
        return bound_text(self.setting)


def kind_of(setting: Setting) -> SettingKind:
    """Return what a Setting takes."""
    if isinstance(setting.default, bool):
        return SettingKind.BOOLEAN
    if isinstance(setting.default, int):
        return SettingKind.INTEGER
    if isinstance(setting.default, dict):
        return SettingKind.MAP
    return SettingKind.CHOICE if setting.allowed else SettingKind.TEXT


def bound_text(setting: Setting) -> str:
    """Say what a Setting takes."""
    kind = kind_of(setting)
    if kind is SettingKind.BOOLEAN:
        return "true or false"
    if kind is SettingKind.INTEGER:
        return f"a whole number from {setting.minimum} to {setting.maximum}"
    if kind is SettingKind.MAP:
        return "lines as 'from = to', or nothing"
    if kind is SettingKind.CHOICE:
        return " or ".join(setting.allowed)
    return setting.form or "one line of text"


def list_settings(names: list[str] | None = None) -> list[ListedSetting]:
    """Return Settings in the order in which they are declared, those of a group together."""
    wanted = [find_setting(name) for name in names] if names is not None else list(SETTINGS.values())
    values, changes = read_settings(""), last_changes([setting.name for setting in wanted])
    found = []
    for setting in wanted:
        entry = changes.get(setting.name)
        by = "" if entry is None else entry.user.username if entry.user else entry.origin
        at = entry.at if entry else None
        found.append(ListedSetting(setting, kind_of(setting), values[setting.name], at, by))
    order = list(dict.fromkeys(one.group for one in found))
    return sorted(found, key=lambda one: order.index(one.group))


def grouped_settings() -> list[tuple[str, list[ListedSetting]]]:
    """Return all Settings by group."""
    return [(name, list(found)) for name, found in groupby(list_settings(), key=lambda one: one.group)]
