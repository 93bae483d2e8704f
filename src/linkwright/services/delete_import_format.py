"""Deletes an Import Format that nothing uses."""

from linkwright.services.catalog_rows import delete_row
from linkwright.services.catalog_uses import import_format_uses
from linkwright.services.save_import_format import IMPORT_FORMAT
from linkwright.store.audit_log import Actor
from linkwright.store.models import ImportFormat


def delete_import_format(code: str, actor: Actor) -> None:
    """Delete an Import Format.

    Raises:
        CatalogRefusedError: naming what uses it, or if it is not there.
    """
    delete_row(ImportFormat, IMPORT_FORMAT, code, import_format_uses, actor)
