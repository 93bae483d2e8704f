"""Owns the grouping configuration of a project: its form, defaults and faults.

Must not know files, nor how groups come about: `links`, `reviews` and `group_ids` do.

Source: SPEC sections 1 (grouping configuration) and 5 (Group).
"""

from collections.abc import Sequence
from enum import StrEnum
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, model_serializer

from linkwright.engine.fields import FieldType, LinkageField
from linkwright.engine.strategy_faults import choice
from linkwright.errors import LinkwrightError


class UnknownRecordError(LinkwrightError):
    """A pair names a record that is neither new nor in the linkage map: the project's files do not agree."""


class GroupingMethod(StrEnum):
    """How accepted pairs become groups."""

    MERGE = "merge"
    BEST_LINK = "best_link"


class GroupingConfiguration(BaseModel):
    """How the groups of a project come about, and which of them a person should look at.

    Args:
        method: `merge`: connected components. `best_link`: the strongest pairs first, a new record joins at most
            one existing group, and two existing groups are never merged.
        one_per_authoritative: whether a pair that would bring two records of one authoritative Event Type into
            one group is ignored.
        largest_expected_group: records in a group above which it is flagged.
        flag_links_under: match weight (log2); a group that only weaker pairs hold together is flagged. Left out:
            no group is, for this reason.
        flag_conflicting_date: the date field of which a person has one value; `null`: not looked at.
        flag_conflicting_sex: the sex field of which a person has one value; `null`: not looked at.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    method: GroupingMethod = GroupingMethod.MERGE
    one_per_authoritative: bool = False
    largest_expected_group: int = Field(default=50, ge=1)
    flag_links_under: float | None = Field(default=None, allow_inf_nan=False)
    flag_conflicting_date: str | None = "date_of_birth"
    flag_conflicting_sex: str | None = "sex"

    @model_serializer
    def stored(self) -> dict[str, Any]:
        """Return the method, and what differs from its default: as a person would write it."""
        chosen: dict[str, Any] = {"method": str(self.method)}
        for name, field in type(self).model_fields.items():
            value = getattr(self, name)
            if name != "method" and value != field.default:
                chosen[name] = value
        return chosen


def grouping_faults(configuration: GroupingConfiguration, fields: Sequence[LinkageField], path: str) -> list[str]:
    """Name the fields of a configuration that the project does not have, or has with another type.

    Args:
        configuration: its shape is good already.
        fields: the project's linkage fields.
        path: where the configuration stands in its file; the faults begin with it.

    Returns:
        One full sentence per fault.
    """
    return [
        *_field_faults(
            fields, f"{path}.flag_conflicting_date", configuration.flag_conflicting_date, FieldType.DATE
        ),
        *_field_faults(fields, f"{path}.flag_conflicting_sex", configuration.flag_conflicting_sex, FieldType.SEX),
    ]


def _field_faults(fields: Sequence[LinkageField], path: str, name: str | None, wanted: FieldType) -> list[str]:
    if name is None:
        return []
    allowed = [field.name for field in fields if field.type is wanted]
    if name in allowed:
        return []
    return [f"{path}: {name!r} is no linkage field of type {wanted} of the project. {choice(name, allowed)}"]
