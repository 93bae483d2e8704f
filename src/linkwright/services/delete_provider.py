"""Deletes a Data Provider that nothing uses."""

from linkwright.services.catalog_rows import delete_row
from linkwright.services.catalog_uses import provider_uses
from linkwright.services.save_provider import PROVIDER
from linkwright.store.audit_log import Actor
from linkwright.store.models import DataProvider


def delete_provider(code: str, actor: Actor) -> None:
    """Delete a Data Provider.

    Raises:
        CatalogRefusedError: naming what uses it, or if it is not there.
    """
    delete_row(DataProvider, PROVIDER, code, provider_uses, actor)
