"""Which series a list is the merge of: those that a person may see, and that fit its filters. Never writes."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from django.db.models import CharField, Q, QuerySet

from linkwright.store.kept_query import Given, KeptQuery, given_one_of
from linkwright.store.models import Series, User
from linkwright.store.one_look import once
from linkwright.store.permissions import held_roles
from linkwright.store.queries.keyset import Sql, one_of

_COLUMNS = ("project_code", "sender_code", "request_type")
# more lanes than this are not read one by one
MANY_LANES = 500


@dataclass(frozen=True)
class SeriesFilter:
    """What the series of a list have in common; an empty field narrows nothing."""

    project_code: str = ""
    sender_code: str = ""
    request_type: str = ""
    event_type_code: str = ""


def matching_series(user: User, wanted: SeriesFilter) -> list[int] | None:
    """Return the keys of the series; None if they are all: for the Administrator without a filter.

    A member's own are read once in an answer that changes nothing: a page asks for several lists.
    """
    if not user.is_superuser:
        return _own_series(user, wanted)
    if wanted == SeriesFilter():
        return None
    asked = {column: getattr(wanted, column) for column in _COLUMNS if getattr(wanted, column)}
    if not wanted.event_type_code:
        return _fitting(tuple(asked), "pk").rows(**asked)
    return _of_event_type(_fitting(tuple(asked), "pk", "event_type_codes").rows(**asked), wanted.event_type_code)


def _own_series(user: User, wanted: SeriesFilter) -> list[int]:
    own = once(("series", user.pk), lambda: _OWN.rows(projects=list(held_roles(user)), user=user.pk))
    asked = [getattr(wanted, column) for column in _COLUMNS]
    fitting = [
        key for key, *codes in own if all(ask in {"", code} for ask, code in zip(asked, codes, strict=True))
    ]
    if not wanted.event_type_code:
        return fitting
    typed = once(("typed series", user.pk), lambda: _TYPED.among(key for key, *_codes in own))
    of_type = set(_of_event_type(typed, wanted.event_type_code))
    return [key for key in fitting if key in of_type]


def _of_event_type(typed: Iterable[tuple[int, Sequence[str]]], code: str) -> list[int]:
    # of few rows: no index of SQLite knows what a list holds
    return [key for key, codes in typed if code in codes]


@cache
def _fitting(columns: Sequence[str], *shown: str) -> KeptQuery[Any]:
    """Return the query of the series that have given values in these columns."""
    asked = {column: Given(column, CharField()) for column in columns}
    is_flat = len(shown) == 1
    return KeptQuery(lambda: Series.objects.filter(**asked).order_by("pk").values_list(*shown, flat=is_flat))


def _visible() -> QuerySet[Series, Any]:
    """Return the series that a member may see: of their projects, and of what they sent that belongs to none."""
    found = Series.objects.filter(given_one_of("project_id", "projects") | Q(project=None, owner=Given("user")))
    return found.order_by("pk").values_list("pk", *_COLUMNS)


_OWN: KeptQuery[tuple[Any, ...]] = KeptQuery(_visible)
_TYPED: KeptQuery[tuple[int, Sequence[str]]] = KeptQuery(
    lambda: Series.objects.filter(given_one_of("pk", "keys")).order_by("pk").values_list("pk", "event_type_codes")
)


def in_series(series: Sequence[int] | None) -> list[Sql]:
    """Return the condition that a row belongs to one of these, for walks that are not by series."""
    # the plus keeps the databases from reading by series after all, and sorting everything
    return [] if series is None else [one_of("+series_id", series)]
