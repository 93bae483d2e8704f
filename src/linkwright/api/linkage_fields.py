"""The linkage fields of a project: where each comes from, how it is standardised, what uses it."""

from django.http import HttpRequest
from ninja import Query, Router, Schema
from pydantic import Field

from linkwright.api.answers import possible_errors
from linkwright.api.paging import refuse_unknown
from linkwright.api.projects import ProjectCode
from linkwright.api.rights import project_or_404, reader_of
from linkwright.config import load_config
from linkwright.engine.fields import FieldType
from linkwright.services.linkage_fields import HELD_VALUES_COUNT, FieldOverview, read_linkage_fields
from linkwright.store.permissions import Permission

router = Router(tags=["projects"])


class LinkageFieldsQuery(Schema):
    """Whether values of records are wanted."""

    values: bool = Field(False, description="Asks for 'see identifying values'; it stands in the audit log.")


class FieldSourceAnswer(Schema):
    """A column that a field comes from."""

    event_type_code: str
    import_format_code: str
    column: str = Field(description="In words.")
    date_formats: list[str] = Field(description="Of a date.")


class FieldExampleAnswer(Schema):
    """A made-up text, and what becomes of it."""

    text: str
    value: str | None
    is_invalid: bool


class FieldUseAnswer(Schema):
    """What one strategy does with a field."""

    strategy: str
    blocking_rules: list[str]
    comparisons: list[str]


class LinkageFieldAnswer(Schema):
    """One linkage field."""

    name: str
    type: FieldType
    is_own: bool = Field(description="Whether it is the project's own.")
    sources: list[FieldSourceAnswer]
    steps: list[str] = Field(description="How it is standardised, in words and in order.")
    examples: list[FieldExampleAnswer]
    held_values: list[str] | None = Field(
        description=f"Up to {HELD_VALUES_COUNT} values that records hold; null unless `values` were asked for."
    )
    uses: list[FieldUseAnswer]


class LinkageFieldsAnswer(Schema):
    """The linkage fields of a project."""

    items: list[LinkageFieldAnswer]


@router.get(
    "/{code}/linkage-fields",
    response={200: LinkageFieldsAnswer, **possible_errors(409)},
    summary="List a project's linkage fields",
)
def list_all(request: HttpRequest, code: ProjectCode, query: Query[LinkageFieldsQuery]) -> LinkageFieldsAnswer:
    """List the linkage fields, the standard ones and the project's own."""
    caller = reader_of(request)
    refuse_unknown(request, LinkageFieldsQuery)
    project = project_or_404(caller, code)
    if query.values:
        caller.demand(Permission.SEE_IDENTIFYING_VALUES, project)
    fields = read_linkage_fields(load_config(), caller.actor, project, shows_values=query.values)
    return LinkageFieldsAnswer(items=[_answer(one) for one in fields])


def _answer(one: FieldOverview) -> LinkageFieldAnswer:
    return LinkageFieldAnswer(
        name=one.field.name,
        type=one.field.type,
        is_own=one.is_own,
        sources=[
            FieldSourceAnswer(
                event_type_code=source.event_type,
                import_format_code=source.import_format,
                column=source.column,
                date_formats=list(source.date_formats),
            )
            for source in one.sources
        ],
        steps=list(one.steps),
        examples=[
            FieldExampleAnswer(text=shown.text, value=shown.value, is_invalid=shown.is_invalid)
            for shown in one.examples
        ],
        held_values=None if one.held is None else list(one.held),
        uses=[
            FieldUseAnswer(
                strategy=use.strategy, blocking_rules=list(use.rules), comparisons=list(use.comparisons)
            )
            for use in one.uses
        ],
    )
