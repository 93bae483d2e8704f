"""What a Setting is; which there are stands in store/settings.py."""

from dataclasses import dataclass, field

Value = bool | int | str | dict[str, str]


@dataclass(frozen=True)
class Setting:
    """One Setting: what it takes and what it does."""

    name: str
    default: Value
    help: str
    minimum: int | None = None
    maximum: int | None = None
    unit: str = ""
    allowed: tuple[str, ...] = field(default=())
    # a text must match it as a whole; `form` says what it asks for
    pattern: str = ""
    form: str = ""
