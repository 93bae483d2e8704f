"""Creates or changes an Event Type: asked by a page, the API or the project file."""

from typing import Any

from django.db import transaction

from linkwright.services.catalog_rows import CatalogRefusedError, Saved, Saving, save_row
from linkwright.services.format_fields import stored_uses, unfit
from linkwright.services.project_file import EventTypePart
from linkwright.store.models import DataProvider, EventType, ImportFormat

EVENT_TYPE = "Event Type"
LISTED_CODES = 20


def save_event_type(part: EventTypePart, how: Saving) -> Saved:
    """Save an Event Type.

    Raises:
        CatalogRefusedError: as `save_row`, if its Data Provider or its Import Format is unknown, or if the Import
            Format does not fit the linkage fields of a project that takes it.
    """
    with transaction.atomic():
        saved = write_event_type(part, how)
        if "import_format" in saved.fields:
            _refuse_unfit(part)
    return saved


def write_event_type(part: EventTypePart, how: Saving) -> Saved:
    """Save an Event Type that was checked with the whole project file that declares it.

    Raises:
        CatalogRefusedError: as `save_row`, or if its Data Provider or its Import Format is unknown.
    """
    with transaction.atomic():
        # locked, so that neither is deleted before this is saved
        provider = DataProvider.objects.select_for_update().filter(code=part.provider).first()
        import_format = ImportFormat.objects.select_for_update().filter(code=part.import_format).first()
        faults = []
        if provider is None:
            faults.append(_unknown("provider", "Data Provider", part.provider, DataProvider))
        if import_format is None:
            faults.append(_unknown("import_format", "Import Format", part.import_format, ImportFormat))
        if faults:
            raise CatalogRefusedError(f"{EVENT_TYPE} {part.code} was not saved.", faults)
        values: dict[str, Any] = part.model_dump(exclude={"code"})
        values |= {"provider": provider, "import_format": import_format}
        return save_row(EventType, EVENT_TYPE, part.code, values, how)


def _refuse_unfit(part: EventTypePart) -> None:
    definition = ImportFormat.objects.get(code=part.import_format).definition
    faults = [
        fault
        for use in stored_uses(code=part.code)
        for fault in unfit(use, part.import_format, definition, "import_format")
    ]
    if faults:
        raise CatalogRefusedError(f"{EVENT_TYPE} {part.code} was not saved.", faults)


def _unknown(place: str, what: str, code: str, model: type[DataProvider | ImportFormat]) -> str:
    listed = ", ".join(model.objects.order_by("code").values_list("code", flat=True)[:LISTED_CODES])
    return f"{place}: {what} {code!r} is unknown. Known: {listed or 'none yet'}. Create it, or correct the code."
