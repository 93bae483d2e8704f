"""Which rows of the data catalog exist for a person: all, or what their projects use."""

from django.db.models import QuerySet

from linkwright.store.models import DataProvider, EventType, ImportFormat, User
from linkwright.store.permissions import visible_projects


def visible_event_types(user: User, *, sees_all: bool) -> QuerySet[EventType]:
    """Return the Event Types; `sees_all`: whoever may configure the catalog. Codes of others are not theirs."""
    rows = EventType.objects.select_related("provider", "import_format")
    if sees_all:
        return rows
    # by key: several of one's projects may share an Event Type
    attached = EventType.objects.filter(projects__in=visible_projects(user)).values("pk")
    return rows.filter(pk__in=attached)


def visible_providers(user: User, *, sees_all: bool) -> QuerySet[DataProvider]:
    """Return the Data Providers of the Event Types that exist for the person."""
    if sees_all:
        return DataProvider.objects.all()
    shown = visible_event_types(user, sees_all=False).values("provider_id")
    return DataProvider.objects.filter(pk__in=shown)


def visible_import_formats(user: User, *, sees_all: bool) -> QuerySet[ImportFormat]:
    """Return the Import Formats of the Event Types that exist for the person."""
    if sees_all:
        return ImportFormat.objects.all()
    shown = visible_event_types(user, sees_all=False).values("import_format_id")
    return ImportFormat.objects.filter(pk__in=shown)
