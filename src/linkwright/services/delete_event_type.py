"""Deletes an Event Type that nothing uses."""

from linkwright.services.catalog_rows import delete_row
from linkwright.services.catalog_uses import event_type_uses
from linkwright.services.save_event_type import EVENT_TYPE
from linkwright.store.audit_log import Actor
from linkwright.store.models import EventType


def delete_event_type(code: str, actor: Actor) -> None:
    """Delete an Event Type.

    Raises:
        CatalogRefusedError: naming what uses it, or if it is not there.
    """
    delete_row(EventType, EVENT_TYPE, code, event_type_uses, actor)
