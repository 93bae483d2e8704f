"""Names what uses a row of the data catalog: while anything does, the row cannot be deleted."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum

from django.db.models import QuerySet

from linkwright.store.models import (
    AttachedEventType,
    DataProvider,
    EventType,
    ExtractionProject,
    ImportFormat,
    LinkageProject,
)


class UseKind(StrEnum):
    """What can use a row of the catalog."""

    EVENT_TYPE = "Event Type"
    LINKAGE_PROJECT = "Linkage Project"
    EXTRACTION_PROJECT = "Extraction Project"


@dataclass(frozen=True)
class CatalogUse:
    """One thing that uses a row of the catalog.

    Args:
        kind: what it is.
        code: its code.
        project_code: of an Extraction Project, its Linkage Project; else ''.
        is_over: whether a project took the Event Type, and takes it no more: its history is kept there.
    """

    kind: UseKind
    code: str
    project_code: str = ""
    is_over: bool = False

    @property
    def sentence(self) -> str:
        """Say it to a person who wants to delete the row."""
        if self.kind is UseKind.EVENT_TYPE:
            return f"Event Type {self.code} uses it."
        if self.kind is UseKind.EXTRACTION_PROJECT:
            return f"Extraction Project {self.code} of {self.project_code} shows it."
        return f"Linkage Project {self.code} " + (
            "took it: its history is kept there." if self.is_over else "takes it."
        )


Uses = Mapping[int, list[CatalogUse]]


def provider_uses(provider: DataProvider) -> list[str]:
    """Name the Event Types of a Data Provider."""
    return _sentences(uses_of_providers([provider], EventType.objects.all()), provider)


def import_format_uses(import_format: ImportFormat) -> list[str]:
    """Name the Event Types whose files are read by an Import Format."""
    return _sentences(uses_of_import_formats([import_format], EventType.objects.all()), import_format)


def event_type_uses(event_type: EventType) -> list[str]:
    """Name the projects that take an Event Type or took it, and the Extraction Projects that show it."""
    return _sentences(uses_of_event_types([event_type], LinkageProject.objects.all()), event_type)


def uses_of_providers(providers: Collection[DataProvider], shown: QuerySet[EventType]) -> Uses:
    """Return what uses each Data Provider, by its key; `shown`: the Event Types that exist for whoever asks."""
    return _event_types(shown.filter(provider__in=providers), "provider_id")


def uses_of_import_formats(formats: Collection[ImportFormat], shown: QuerySet[EventType]) -> Uses:
    """Return what uses each Import Format, by its key; `shown`: the Event Types that exist for whoever asks."""
    return _event_types(shown.filter(import_format__in=formats), "import_format_id")


def uses_of_event_types(event_types: Collection[EventType], shown: QuerySet[LinkageProject]) -> Uses:
    """Return what uses each Event Type, by its key; `shown`: the projects that exist for whoever asks."""
    found: dict[int, list[CatalogUse]] = defaultdict(list)
    attachments = AttachedEventType.objects.filter(event_type__in=event_types, project__in=shown)
    for one in attachments.select_related("project").order_by("project__code"):
        use = CatalogUse(UseKind.LINKAGE_PROJECT, one.project.code, is_over=not one.is_attached)
        found[one.event_type_id].append(use)
    through = ExtractionProject.event_types.through.objects.filter(
        eventtype__in=event_types, extractionproject__project__in=shown
    ).order_by("extractionproject__project__code", "extractionproject__code")
    names = ("eventtype_id", "extractionproject__code", "extractionproject__project__code")
    for key, code, project_code in through.values_list(*names):
        found[key].append(CatalogUse(UseKind.EXTRACTION_PROJECT, code, project_code))
    return found


def _event_types(rows: QuerySet[EventType], owner: str) -> Uses:
    found: dict[int, list[CatalogUse]] = defaultdict(list)
    for key, code in rows.order_by("code").values_list(owner, "code"):
        found[key].append(CatalogUse(UseKind.EVENT_TYPE, code))
    return found


def _sentences(uses: Uses, row: DataProvider | EventType | ImportFormat) -> list[str]:
    return [use.sentence for use in uses.get(row.pk, [])]
