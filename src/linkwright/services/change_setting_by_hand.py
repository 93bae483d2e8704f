"""Changes one Setting as a person asks for it on a page: from text, and only if nobody else did meanwhile."""

import hashlib
import json

from django.db import transaction

from linkwright.services.list_settings import SettingKind, bound_text, kind_of
from linkwright.store.audit_log import Actor
from linkwright.store.setting import Setting, Value
from linkwright.store.settings import (
    SettingError,
    change_setting,
    find_setting,
    read_setting,
    reset_setting,
)


def mark_of(value: Value) -> str:
    """Return a short mark of a value: a form carries that of the value that it showed."""
    return hashlib.blake2b(json.dumps(value, sort_keys=True).encode(), digest_size=8).hexdigest()


def change_setting_by_hand(name: str, text: str, seen: str, actor: Actor) -> bool:
    """Store what was typed; returns whether anything changed.

    Args:
        name: of the Setting.
        text: as typed; of a map its lines.
        seen: the mark of the value that the form showed.
        actor: who changes it.

    Raises:
        SettingError: if the text is no value of it, or the value has been changed since it was shown.
    """
    value = read_text(find_setting(name), text)
    with transaction.atomic():
        _demand_unchanged(name, seen)
        return change_setting(name, value, actor)


def reset_setting_by_hand(name: str, seen: str, actor: Actor) -> bool:
    """Bring a Setting back to its default; returns whether anything changed.

    Raises:
        SettingError: as `change_setting_by_hand`.
    """
    with transaction.atomic():
        _demand_unchanged(name, seen)
        return reset_setting(name, actor)


def read_text(setting: Setting, text: str) -> Value:
    """Return the value that a text stands for; its bounds are looked at elsewhere.

    Raises:
        SettingError: if it stands for none.
    """
    kind, stripped = kind_of(setting), text.strip()
    if kind is SettingKind.BOOLEAN and stripped in ("true", "false"):
        return stripped == "true"
    if kind is SettingKind.INTEGER:
        # the pages write thousands apart by a narrow space, and what they show can be typed
        digits = "".join(stripped.split())
        if digits.isascii() and digits.removeprefix("-").isdigit() and len(digits) <= _LONGEST_NUMBER:
            return int(digits)
    if kind is SettingKind.MAP:
        return _read_map(setting, text)
    if kind in (SettingKind.CHOICE, SettingKind.TEXT):
        return stripped
    raise SettingError(f"{setting.name} is {stripped[:100]!r}; allowed is {bound_text(setting)}.")


_LONGEST_NUMBER = 18


def text_of(value: Value) -> str:
    """Return a value as it is typed."""
    if isinstance(value, dict):
        return "\n".join(f"{one} = {other}" for one, other in value.items())
    return str(value).lower() if isinstance(value, bool) else str(value)


def _read_map(setting: Setting, text: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        # the last one: what is sent may hold the sign, what it becomes does not
        one, sign, other = (part.strip() for part in line.rpartition("="))
        if not (one and sign and other):
            raise SettingError(
                f"{setting.name}: line {number} is {line[:90]!r}; allowed are lines as 'from = to'."
            )
        if one in found:
            raise SettingError(f"{setting.name}: {one[:90]!r} stands in line {number} and before. Keep one.")
        found[one] = other
    return found


def _demand_unchanged(name: str, seen: str) -> None:
    value = read_setting(name)
    if mark_of(value) != seen:
        raise SettingError(f"{name} was changed since this form was opened; it is now {text_of(value)!r}.")
