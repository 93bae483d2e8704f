"""Makes a part of the project file from the values of a form or a request, with its faults in sentences."""

from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from linkwright.engine.strategy_faults import sentences
from linkwright.services.catalog_rows import CatalogRefusedError

Part = TypeVar("Part", bound=BaseModel)
RESERVED = ("code", "description")


def read_part(model: type[Part], kind: str, values: Mapping[str, Any]) -> Part:
    """Check values by the rules of the project file.

    Raises:
        CatalogRefusedError: naming every fault.
    """
    try:
        return model.model_validate(values)
    except ValidationError as error:
        faults = sentences(error, "", {"": tuple(model.model_fields)})
        raise CatalogRefusedError(f"{kind} {values.get('code', '')} was not saved.", faults) from error


def definition_faults(definition: Mapping[str, Any]) -> list[str]:
    """Name the keys of a definition that a project file has beside it."""
    return [
        f"definition.{name}: the key is unknown. Give it beside the definition."
        for name in RESERVED
        if name in definition
    ]
