"""Which Event Types a project takes data of. Never writes."""

from django.db.models import QuerySet

from linkwright.store.kept_query import Given, KeptQuery
from linkwright.store.models import ATTACHED, AttachedEventType, EventType, LinkageProject
from linkwright.store.one_look import once

_OF_EVENT_TYPE = ("code", "description", "provider__code", "import_format__code", "import_format__definition")
_SHOWN = (
    "updates",
    *(f"event_type__{name}" for name in _OF_EVENT_TYPE),
    "detached_by__name",
    "detached_by__state",
)


def attached_event_types(project: LinkageProject) -> QuerySet[EventType]:
    """Return the Event Types that a project takes data of, by code; not those that are detached or being so."""
    return EventType.objects.filter(attachments__in=project.attachments.filter(ATTACHED)).order_by("code")


def read_attachments(project: LinkageProject) -> list[AttachedEventType]:
    """Return every Event Type that a project takes data of, or took, by code: of each what a line of a list says.

    Read once in an answer that changes nothing.
    """
    return once(("attachments", project.pk), lambda: _read_attachments(project))


def _read_attachments(project: LinkageProject) -> list[AttachedEventType]:
    return sorted(_OF_PROJECT.rows(project=project.pk), key=lambda one: one.event_type.code)


def _attachments() -> QuerySet[AttachedEventType]:
    related = ("event_type__provider", "event_type__import_format", "detached_by")
    return AttachedEventType.objects.filter(project=Given("project")).select_related(*related).only(*_SHOWN)


_OF_PROJECT = KeptQuery(_attachments)


def find_attachment(project: LinkageProject, event_type_code: str) -> AttachedEventType | None:
    """Return how an Event Type is attached to a project, or was; None if it never was."""
    found = AttachedEventType.objects.select_related("event_type__provider", "detached_by")
    return found.filter(project=project, event_type__code=event_type_code).first()
