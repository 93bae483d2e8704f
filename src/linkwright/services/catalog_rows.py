"""Writes and deletes single rows of the data catalog, each with its entry in the audit log.

What a row must be like is said by those who call: one service per kind. The project file writes through here, too.
"""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeVar

from django.db import IntegrityError, models, transaction

from linkwright.errors import FaultsError
from linkwright.store.audit_log import Actor, record_action

Row = TypeVar("Row", bound=models.Model)


class CatalogRefusedError(FaultsError):
    """Something of the data catalog cannot be created, changed or deleted; all reasons are named."""


class Save(StrEnum):
    """What saving may do."""

    CREATE = "create"
    CHANGE = "change"
    EITHER = "create or change"


@dataclass(frozen=True)
class Saving:
    """How a row is saved.

    Args:
        actor: who saves it.
        mode: whether it may, or must, exist.
        seen: the `fingerprint` of what the person saw; another one since is not overwritten. '': whatever it is.
        source: where the values come from, for the audit log; '' from a form or a program.
    """

    actor: Actor
    mode: Save = Save.EITHER
    seen: str = ""
    source: str = ""


@dataclass(frozen=True)
class Saved:
    """What saving did: `create`, `update`, or nothing (''); and which fields changed."""

    action: str
    fields: tuple[str, ...] = ()


def save_row(model: type[Row], kind: str, code: str, values: Mapping[str, Any], how: Saving) -> Saved:
    """Create the row of a code, or change what differs in it.

    Args:
        model: has a unique `code`.
        kind: what a person calls it, as 'Data Provider'.
        code: of the row.
        values: of its other fields; a row that is referred to as itself.
        how: who saves, and what may be there.

    Raises:
        CatalogRefusedError: if the row is there and must not be, is not there and must be, or was changed by
            somebody else meanwhile; or if a value holds a zero character.
    """
    refuse_zeros(kind, code, values)
    try:
        with transaction.atomic():
            row = _rows(model).select_for_update().filter(code=code).first()
            if row is None:
                return _create(model, kind, code, values, how)
            return _change(row, kind, code, values, how)
    except IntegrityError as error:
        raise CatalogRefusedError(
            f"{kind} {code} was not saved.",
            ["Somebody else created or deleted something of it at the same moment. Look again, and repeat it."],
        ) from error


def delete_row(
    model: type[Row], kind: str, code: str, uses_of: Callable[[Row], Sequence[str]], actor: Actor
) -> None:
    """Delete the row of a code that nothing uses.

    Args:
        model: has a unique `code`.
        kind: what a person calls it.
        code: of the row.
        uses_of: names what uses a row, one sentence each.
        actor: who deletes it.

    Raises:
        CatalogRefusedError: naming what uses it, or if it is not there.
    """
    with transaction.atomic():
        # nothing can begin to refer to it while it is locked
        row = _rows(model).select_for_update().filter(code=code).first()
        if row is None:
            raise CatalogRefusedError(f"There is no {kind} {code}.", [])
        uses = uses_of(row)
        if uses:
            raise CatalogRefusedError(f"{kind} {code} is in use; it was not deleted.", uses)
        before = stored_values(row)
        row.delete()
        record_action(actor, f"delete {kind}", code, detail={"before": before})


def stored_values(row: models.Model) -> dict[str, Any]:
    """Return what a row holds beside its key and code, in plain values."""
    fields = [field for field in row._meta.concrete_fields if field.name not in {"id", "code"}]  # noqa: SLF001
    return {field.name: _plain(getattr(row, field.name)) for field in fields}


def fingerprint(row: models.Model) -> str:
    """Return what changes whenever the row does: a form that was opened before says so when it is sent."""
    text = json.dumps(stored_values(row), sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def refuse_zeros(kind: str, code: str, values: Mapping[str, Any]) -> None:
    """Refuse the zero character: PostgreSQL has no place for it, and no file means it.

    Raises:
        CatalogRefusedError: naming the fields that hold one.
    """
    held = [name for name, value in {"code": code, **values}.items() if _holds_zero(value)]
    if held:
        faults = [f"{name}: holds the zero character (NUL). Remove it." for name in held]
        raise CatalogRefusedError(f"{kind} {code!r} was not saved.", faults)


def _holds_zero(value: object) -> bool:
    if isinstance(value, str):
        return "\0" in value
    if isinstance(value, Mapping):
        return any(_holds_zero(key) or _holds_zero(below) for key, below in value.items())
    return isinstance(value, list | tuple) and any(map(_holds_zero, value))


def _create(model: type[Row], kind: str, code: str, values: Mapping[str, Any], how: Saving) -> Saved:
    if how.mode is Save.CHANGE:
        raise CatalogRefusedError(f"There is no {kind} {code}: it was deleted meanwhile.", [])
    _rows(model).create(code=code, **values)
    after = {name: _plain(value) for name, value in values.items()}
    _record(how, f"create {kind}", code, {"fields": [], "after": after})
    return Saved("create")


def _change(row: models.Model, kind: str, code: str, values: Mapping[str, Any], how: Saving) -> Saved:
    if how.mode is Save.CREATE:
        raise CatalogRefusedError(
            f"{kind} {code} was not created.", [f"code: there is a {kind} {code!r} already. Choose another code."]
        )
    if how.seen and how.seen != fingerprint(row):
        raise CatalogRefusedError(
            f"{kind} {code} was not changed.",
            ["Somebody else has changed it since you opened this form. Open it again, and repeat your change."],
        )
    differing = [name for name, value in values.items() if getattr(row, name) != value]
    if not differing:
        return Saved("")
    before = {name: _plain(getattr(row, name)) for name in differing}
    for name in differing:
        setattr(row, name, values[name])
    row.save(update_fields=differing)
    after = {name: _plain(values[name]) for name in differing}
    _record(how, f"update {kind}", code, {"fields": differing, "before": before, "after": after})
    return Saved("update", tuple(differing))


def _record(how: Saving, action: str, code: str, detail: Mapping[str, Any]) -> None:
    source = {"from": how.source} if how.source else {}
    record_action(how.actor, action, code, detail={**detail, **source})


def _plain(value: Any) -> Any:
    return value.code if isinstance(value, models.Model) else value  # type: ignore[attr-defined]


def _rows(model: type[Row]) -> models.Manager[Row]:
    return model._default_manager  # noqa: SLF001 - Django's public name for it
