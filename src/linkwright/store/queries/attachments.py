"""Which Event Types a project takes data of. Never writes."""

from django.db.models import QuerySet

from linkwright.store.models import ATTACHED, AttachedEventType, EventType, LinkageProject


def attached_event_types(project: LinkageProject) -> QuerySet[EventType]:
    """Return the Event Types that a project takes data of, by code; not those that are detached or being so."""
    return EventType.objects.filter(attachments__in=project.attachments.filter(ATTACHED)).order_by("code")


def find_attachment(project: LinkageProject, event_type_code: str) -> AttachedEventType | None:
    """Return how an Event Type is attached to a project, or was; None if it never was."""
    found = AttachedEventType.objects.select_related("event_type__provider", "detached_by")
    return found.filter(project=project, event_type__code=event_type_code).first()
