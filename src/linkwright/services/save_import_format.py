"""Creates or changes an Import Format: asked by a page, the API or the project file."""

from linkwright.engine.import_format import parse_import_format
from linkwright.errors import ConfigurationError
from linkwright.services.catalog_rows import CatalogRefusedError, Saved, Saving, refuse_zeros, save_row
from linkwright.services.format_fields import fields_for_format
from linkwright.services.project_file import ImportFormatPart
from linkwright.store.models import ImportFormat

IMPORT_FORMAT = "Import Format"
PLACE = "definition"


def save_import_format(part: ImportFormatPart, how: Saving) -> Saved:
    """Save an Import Format. A changed one holds for the Load jobs that start from then on.

    Raises:
        CatalogRefusedError: as `save_row`, or naming every fault of its definition.
    """
    definition = part.definition
    refuse_zeros(IMPORT_FORMAT, part.code, definition)
    try:
        parse_import_format(definition, fields_for_format(part.code), PLACE)
    except ConfigurationError as error:
        raise CatalogRefusedError(f"{IMPORT_FORMAT} {part.code} was not saved.", error.faults) from error
    return write_import_format(part, how)


def write_import_format(part: ImportFormatPart, how: Saving) -> Saved:
    """Save an Import Format that was checked with the whole project file that declares it.

    Raises:
        CatalogRefusedError: as `save_row`.
    """
    values = {"description": part.description, "definition": part.definition}
    return save_row(ImportFormat, IMPORT_FORMAT, part.code, values, how)
