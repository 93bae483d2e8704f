"""The Settings: what they are, what holds, and changing one."""

from datetime import datetime
from typing import Annotated, Any

from django.http import Http404, HttpRequest
from ninja import Path, Router, Schema
from pydantic import Field

from linkwright.api.answers import possible_errors
from linkwright.api.paging import NO_ZERO
from linkwright.api.rights import Caller, caller_of
from linkwright.services.list_settings import ListedSetting, SettingKind, list_settings
from linkwright.store.permissions import Permission
from linkwright.store.settings import SettingError, change_setting, reset_setting

router = Router(tags=["settings"])

SettingName = Annotated[str, Path(min_length=1, max_length=100, pattern=NO_ZERO, description="As 'Backup.Keep'.")]


class SettingAnswer(Schema):
    """One Setting."""

    name: str
    kind: SettingKind
    value: Any = Field(description="What holds.")
    default: Any
    unit: str
    minimum: int | None
    maximum: int | None
    allowed: list[str] = Field(description="The words that it takes; empty: no fixed ones.")
    bound: str = Field(description="What it takes, in words.")
    help: str
    changed_at: datetime | None = Field(description="Null: it has never been changed.")
    changed_by: str = Field(description="A user name, or command line; empty if nobody.")


class SettingsAnswer(Schema):
    """All Settings, by the first words of their names."""

    items: list[SettingAnswer]


class SettingForm(Schema):
    """The new value."""

    value: Any = Field(description="As its kind asks for; null: back to the default.")


@router.get("", response={200: SettingsAnswer, **possible_errors()}, summary="List the Settings")
def read_settings(request: HttpRequest) -> SettingsAnswer:
    """List all Settings. Administrators only."""
    _demand(request)
    return SettingsAnswer(items=[_answer(one) for one in list_settings()])


@router.put("/{name}", response={200: SettingAnswer, **possible_errors(409, 413, 415)}, summary="Change a Setting")
def put_setting(request: HttpRequest, name: SettingName, form: SettingForm) -> SettingAnswer:
    """Give a Setting another value; what it does not take is refused with what it takes."""
    caller = _demand(request)
    try:
        list_settings([name])
    except SettingError as error:
        raise Http404(str(error)) from error
    if form.value is None:
        reset_setting(name, caller.actor)
    else:
        change_setting(name, form.value, caller.actor)
    return _answer(list_settings([name])[0])


def _demand(request: HttpRequest) -> Caller:
    caller = caller_of(request)
    caller.demand(Permission.CHANGE_SETTINGS)
    return caller


def _answer(one: ListedSetting) -> SettingAnswer:
    setting = one.setting
    return SettingAnswer(
        name=setting.name,
        kind=one.kind,
        value=one.value,
        default=setting.default,
        unit=setting.unit,
        minimum=setting.minimum,
        maximum=setting.maximum,
        allowed=list(setting.allowed),
        bound=one.bound,
        help=setting.help,
        changed_at=one.changed_at,
        changed_by=one.changed_by,
    )
