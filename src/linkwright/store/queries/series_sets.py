"""Which series a list is the merge of: those that a person may see, and that fit its filters. Never writes."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Q, QuerySet

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
    found = Series.objects.all()
    for column in _COLUMNS:
        value = getattr(wanted, column)
        if value:
            found = found.filter(**{column: value})
    return _of_event_type(found, wanted.event_type_code)


def _own_series(user: User, wanted: SeriesFilter) -> list[int]:
    own = once(("series", user.pk), lambda: list(_visible(user).values_list("pk", *_COLUMNS)))
    asked = [getattr(wanted, column) for column in _COLUMNS]
    fitting = [
        key for key, *codes in own if all(ask in {"", code} for ask, code in zip(asked, codes, strict=True))
    ]
    if not wanted.event_type_code:
        return fitting
    of_type = once(
        ("series", user.pk, wanted.event_type_code), lambda: _of_event_type(_visible(user), wanted.event_type_code)
    )
    return sorted(set(fitting) & set(of_type))


def _visible(user: User) -> QuerySet[Series]:
    """Return the series that a member may see."""
    found = Series.objects.filter(Q(project__in=list(held_roles(user))) | Q(project=None, owner=user))
    return found.order_by("pk")


def _of_event_type(found: QuerySet[Series], code: str) -> list[int]:
    if not code:
        return list(found.order_by("pk").values_list("pk", flat=True))
    # of few rows: no index of SQLite knows what a list holds
    rows = found.order_by("pk").values_list("pk", "event_type_codes")
    return [key for key, codes in rows if code in codes]


def in_series(series: Sequence[int] | None) -> list[Sql]:
    """Return the condition that a row belongs to one of these, for walks that are not by series."""
    # the plus keeps the databases from reading by series after all, and sorting everything
    return [] if series is None else [one_of("+series_id", series)]
