"""Names what uses a row of the data catalog: while anything does, the row cannot be deleted."""

from django.db.models import QuerySet

from linkwright.store.models import (
    AttachedEventType,
    DataProvider,
    EventType,
    ExtractionProject,
    ImportFormat,
)


def provider_uses(provider: DataProvider) -> list[str]:
    """Name the Event Types of a Data Provider."""
    return [_event_type_sentence(code) for code in _codes(EventType.objects.filter(provider=provider))]


def import_format_uses(import_format: ImportFormat) -> list[str]:
    """Name the Event Types whose files are read by an Import Format."""
    return [_event_type_sentence(code) for code in _codes(EventType.objects.filter(import_format=import_format))]


def event_type_uses(event_type: EventType) -> list[str]:
    """Name the projects that take an Event Type or took it, and the Extraction Projects that show it."""
    attachments = AttachedEventType.objects.filter(event_type=event_type).select_related("project", "detached_by")
    uses = [
        f"Linkage Project {one.project.code} "
        + ("takes it." if one.is_attached else "took it: its history is kept there.")
        for one in attachments.order_by("project__code")
    ]
    shown = ExtractionProject.objects.filter(event_types=event_type).order_by("project__code", "code")
    uses += [
        f"Extraction Project {one.code} of {one.project.code} shows it." for one in shown.select_related("project")
    ]
    return uses


def _event_type_sentence(code: str) -> str:
    return f"Event Type {code} uses it."


def _codes(rows: QuerySet[EventType]) -> list[str]:
    return list(rows.order_by("code").values_list("code", flat=True))
