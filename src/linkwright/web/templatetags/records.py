"""The filters of the pages about records."""

from collections.abc import Mapping, Sequence

from django import template

register = template.Library()


@register.filter
def of_record(values: Mapping[int, Sequence[str | None]] | str, record_id: int) -> Sequence[str | None]:
    """Return what is shown of a record; nothing where no values are shown at all (then `values` is '')."""
    return values.get(record_id, ()) if isinstance(values, Mapping) else ()
