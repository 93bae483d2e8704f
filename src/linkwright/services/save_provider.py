"""Creates or changes a Data Provider: asked by a page, the API or the project file."""

from linkwright.services.catalog_rows import Saved, Saving, save_row
from linkwright.services.project_file import ProviderPart
from linkwright.store.models import DataProvider

PROVIDER = "Data Provider"


def save_provider(part: ProviderPart, how: Saving) -> Saved:
    """Save a Data Provider.

    Raises:
        CatalogRefusedError: as `save_row`.
    """
    return save_row(DataProvider, PROVIDER, part.code, part.model_dump(exclude={"code"}), how)
