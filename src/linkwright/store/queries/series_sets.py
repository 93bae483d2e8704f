"""Which series a list is the merge of: those that a person may see, and that fit its filters. Never writes."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Q

from linkwright.store.models import Series, User
from linkwright.store.permissions import visible_projects
from linkwright.store.queries.keyset import Sql, one_of

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
    """Return the keys of the series; None if they are all: for the Administrator without a filter."""
    if user.is_superuser and wanted == SeriesFilter():
        return None
    found = Series.objects.all()
    if not user.is_superuser:
        mine = visible_projects(user).values("pk")
        found = found.filter(Q(project__in=mine) | Q(project=None, owner=user))
    for column in ("project_code", "sender_code", "request_type"):
        value = getattr(wanted, column)
        if value:
            found = found.filter(**{column: value})
    if not wanted.event_type_code:
        return list(found.order_by("pk").values_list("pk", flat=True))
    # of few rows: no index of SQLite knows what a list holds
    rows = found.order_by("pk").values_list("pk", "event_type_codes")
    return [key for key, codes in rows if wanted.event_type_code in codes]


def in_series(series: Sequence[int] | None) -> list[Sql]:
    """Return the condition that a row belongs to one of these, for walks that are not by series."""
    # the plus keeps the databases from reading by series after all, and sorting everything
    return [] if series is None else [one_of("+series_id", series)]
