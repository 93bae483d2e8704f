"""A sample of a source file, looked at for an Import Format: how it is written, its columns, what they seem to be.

Nothing of it is kept, and nothing is changed. For whoever holds 'configure catalog'.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from django.http import HttpRequest
from ninja import Query, Router, Schema
from pydantic import Field

from linkwright.api.answers import possible_errors
from linkwright.api.paging import NOT_BLANK, refuse_unknown
from linkwright.api.receiving import received_file
from linkwright.api.rights import caller_of
from linkwright.api.uploads import Checksum, described_body
from linkwright.config import load_config
from linkwright.engine.fields import FieldType
from linkwright.engine.value_guesses import Suggestion
from linkwright.services.format_fields import fields_for_format
from linkwright.services.look_at_sample import SampleColumn, detect, read_columns, suggested_fields
from linkwright.services.sample_file import drop_sample, keep_sample
from linkwright.store.permissions import Permission

router = Router(tags=["catalog"])


class SampleQuery(Schema):
    """What the file is called."""

    file_name: str = Field(
        "the sample", min_length=1, max_length=200, pattern=NOT_BLANK, description="For the messages."
    )


class SampleColumnAnswer(Schema):
    """A column of the sample."""

    name: str = Field(description="Empty without a header.")
    position: int = Field(description="From 1.")
    start: int | None = Field(description="Of a fixed-width column: its first character, from 1.")
    width: int | None = Field(description="Of a fixed-width column: how many characters.")
    values: list[str] = Field(description="The first few.")
    type: FieldType | None = Field(description="What the values look like; null: all are empty.")
    note: str
    suggested_field: str = Field(
        description="A linkage field by the column's name, or by its values if it has none; empty: none."
    )
    suggested_why: str = Field(description="What its values look like; empty: it is suggested by the name.")


class SampleAnswer(Schema):
    """What was detected."""

    definition: dict[str, Any] = Field(
        description="As an Import Format has it, with the suggested columns; look at it, correct it, and save it."
    )
    words: list[str] = Field(description="How the file is written.")
    notes: list[str]
    columns: list[SampleColumnAnswer]
    columns_count: int = Field(description="Also of columns that are not listed.")


@router.post(
    "/import-format-samples",
    response={200: SampleAnswer, **possible_errors(409, 411, 413, 415, 507)},
    openapi_extra=described_body("application/octet-stream"),
    summary="Look at a sample of a file",
)
def look_at_sample(request: HttpRequest, query: Query[SampleQuery], checksum: Checksum = "") -> SampleAnswer:
    """Say how a file seems to be written: delimited, fixed-width or Parquet; text is read for its first MiB."""
    del checksum  # described here, read where the file is received
    caller = caller_of(request)
    caller.demand(Permission.CONFIGURE_CATALOG)
    refuse_unknown(request, SampleQuery)
    config = load_config()
    with received_file(request) as file:
        sample = keep_sample(file.path, file.sent_name or query.file_name, config, caller.user)
    try:
        fields = fields_for_format("")
        detected = detect(sample, fields)
        found = read_columns(sample, detected.definition)
        suggested = suggested_fields(found, fields)
    finally:
        drop_sample(sample)
    chosen = list(zip(found.columns, suggested, strict=True))
    return SampleAnswer(
        definition=_definition(detected.definition, chosen),
        words=list(detected.words),
        notes=list(detected.notes),
        columns=[_answer(column, suggestion, detected.definition) for column, suggestion in chosen],
        columns_count=found.columns_count,
    )


def _definition(detected: Mapping[str, Any], chosen: Sequence[tuple[SampleColumn, Suggestion]]) -> dict[str, Any]:
    """Return a definition that can be saved once its columns are right; where nothing is named, none is."""
    written = {name: value for name, value in detected.items() if name not in {"ranges", "quote", "escape"}}
    if "quote" in detected:
        # null: nothing is quoted
        written["quote"] = detected["quote"] or None
    if detected.get("escape"):
        written["escape"] = detected["escape"]
    ranges = detected.get("ranges", ())
    columns = {
        suggestion.field: dict(ranges[column.position - 1]) if ranges else column.name or column.position
        for column, suggestion in chosen
        if suggestion.field
    }
    return {**written, "columns": columns}


def _answer(column: SampleColumn, suggestion: Suggestion, detected: Mapping[str, Any]) -> SampleColumnAnswer:
    ranges = detected.get("ranges", ())
    place = ranges[column.position - 1] if ranges else {}
    return SampleColumnAnswer(
        name=column.name,
        position=column.position,
        start=place.get("start"),
        width=place.get("width"),
        values=list(column.values),
        type=column.guess.type,
        note=column.guess.note,
        suggested_field=suggestion.field,
        suggested_why=suggestion.why,
    )
