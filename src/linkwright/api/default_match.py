"""The match configuration that new projects start with: reading versions, checking a draft, saving one.

Whoever has a key may read it; Administrators change it.
"""

from datetime import datetime
from typing import Any

from django.http import Http404, HttpRequest
from ninja import Query, Router, Schema
from pydantic import Field

from linkwright.api.answers import possible_errors
from linkwright.api.match_configuration import (
    FROM_API,
    CheckAnswer,
    SavedAnswer,
    VersionsAnswer,
    check_answer,
    version_answers,
)
from linkwright.api.paging import refuse_unknown
from linkwright.api.rights import caller_of, reader_of
from linkwright.engine.fields import STANDARD_FIELDS
from linkwright.engine.strategy import parse_match_configuration
from linkwright.services.default_match import list_default_versions, read_default_version
from linkwright.services.match_history import UnknownVersionError
from linkwright.services.save_default_match import save_default_match
from linkwright.services.save_match import MatchDraft, check_definition

router = Router(tags=["catalog"])

_LARGEST = 2_147_483_647


class DefaultMatchAnswer(Schema):
    """One version of the default match configuration."""

    version: int = Field(description="0 for the one that is built in, as long as no other was saved.")
    is_built_in: bool = Field(description="Whether each new project's is made of its own linkage fields.")
    created_at: datetime | None = Field(description="Null for version 0.")
    created_by: str = Field(description="Empty for version 0, and for the server's command line.")
    definition: dict[str, Any] = Field(
        description="As in a project file, under `default_match`; the built-in one as it is for the standard "
        "linkage fields."
    )


class DefaultMatchQuery(Schema):
    """Which version."""

    version: int | None = Field(None, ge=0, le=_LARGEST, description="The one in force if left out.")


class DefaultDraftForm(Schema):
    """A draft to check."""

    definition: dict[str, Any] = Field(description="As in a project file, under `default_match`.")


class SaveDefaultForm(Schema):
    """A draft to save."""

    definition: dict[str, Any] | None = Field(
        description="As in a project file, under `default_match`; null goes back to the built-in one."
    )
    base_version: int | None = Field(
        None,
        ge=0,
        le=_LARGEST,
        description="The version that the draft started from: if another was saved since, nothing is changed. "
        "Left out: whatever was saved since is replaced.",
    )
    note: str = Field("", max_length=1000, description="Why, for the history.")


@router.get(
    "/default-match-configuration",
    response={200: DefaultMatchAnswer, **possible_errors()},
    summary="Read the default match configuration",
)
def read_default(request: HttpRequest, query: Query[DefaultMatchQuery]) -> DefaultMatchAnswer:
    """Read what new projects start with: the version in force, or an earlier one."""
    reader_of(request)
    refuse_unknown(request, DefaultMatchQuery)
    try:
        read = read_default_version(query.version)
    except UnknownVersionError as error:
        raise Http404(str(error)) from error
    row = read.row
    return DefaultMatchAnswer(
        version=row.version,
        is_built_in=read.is_built_in,
        created_at=row.created_at,
        created_by=row.created_by.username if row.created_by else "",
        definition=row.definition,
    )


@router.get(
    "/default-match-configuration/versions",
    response={200: VersionsAnswer, **possible_errors()},
    summary="List versions of the default match configuration",
)
def list_all(request: HttpRequest) -> VersionsAnswer:
    """List the versions, newest first, and where each came from; the built-in one, version 0, comes last."""
    reader_of(request)
    return version_answers(list_default_versions())


@router.post(
    "/default-match-configuration/validate",
    response={200: CheckAnswer, **possible_errors(413, 415)},
    summary="Check a default match configuration",
)
def validate(request: HttpRequest, form: DefaultDraftForm) -> CheckAnswer:
    """Check a draft against the standard linkage fields; nothing is changed."""
    caller_of(request).demand_administrator()
    return check_answer(check_definition(STANDARD_FIELDS, form.definition))


@router.put(
    "/default-match-configuration",
    response={200: SavedAnswer, **possible_errors(409, 413, 415)},
    summary="Change the default match configuration",
)
def save(request: HttpRequest, form: SaveDefaultForm) -> SavedAnswer:
    """Make a draft the next version. Projects that are created later start with it; others keep what they have."""
    caller = caller_of(request)
    caller.demand_administrator()
    # an empty definition is a faulty one, null the built-in one
    if form.definition is not None:
        parse_match_configuration(form.definition, STANDARD_FIELDS)
    draft = MatchDraft(
        form.definition or {},
        form.base_version,
        source=FROM_API,
        note=form.note,
        checks_base=form.base_version is not None,
    )
    version = save_default_match(draft, caller.actor)
    return SavedAnswer(version=version.version if version else None)
