"""Creates or changes an Import Format: asked by a page, the API or the project file."""

from linkwright.services.catalog_rows import CatalogRefusedError, Saved, Saving, refuse_zeros, save_row
from linkwright.services.format_fields import saved_format_faults
from linkwright.services.project_file import ImportFormatPart
from linkwright.store.models import ImportFormat

IMPORT_FORMAT = "Import Format"
PLACE = "definition"


def save_import_format(part: ImportFormatPart, how: Saving) -> Saved:
    """Save an Import Format. A changed one holds for the Load jobs that start from then on.

    Raises:
        CatalogRefusedError: as `save_row`, or naming every fault of its definition, those with the fields of
            projects that load by it among them.
    """
    definition = part.definition
    refuse_zeros(IMPORT_FORMAT, part.code, definition)
    faults = saved_format_faults(part.code, definition, PLACE)
    if faults:
        raise CatalogRefusedError(f"{IMPORT_FORMAT} {part.code} was not saved.", faults)
    return write_import_format(part, how)


def write_import_format(part: ImportFormatPart, how: Saving) -> Saved:
    """Save an Import Format that was checked with the whole project file that declares it.

    Raises:
        CatalogRefusedError: as `save_row`.
    """
    values = {"description": part.description, "definition": part.definition}
    return save_row(ImportFormat, IMPORT_FORMAT, part.code, values, how)
