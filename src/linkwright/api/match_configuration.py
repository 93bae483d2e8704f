"""The match configuration of a project: reading versions, checking a draft, saving one."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.http import Http404, HttpRequest
from ninja import Query, Router, Schema
from pydantic import Field

from linkwright.api.answers import possible_errors
from linkwright.api.paging import refuse_unknown
from linkwright.api.projects import ProjectCode
from linkwright.api.rights import caller_of, project_or_404, reader_of
from linkwright.jobs.project_form import linkage_fields
from linkwright.services.match_history import VersionLine, list_versions
from linkwright.services.save_match import CheckedDraft, MatchDraft, check_definition, save_match
from linkwright.store.models import MatchConfigurationVersion
from linkwright.store.permissions import Permission

router = Router(tags=["projects"])

FROM_API = "the API"


class MatchConfigurationAnswer(Schema):
    """One version of a project's match configuration."""

    version: int
    created_at: datetime
    created_by: str
    has_term_frequencies: bool
    definition: dict[str, Any] = Field(description="As in a project file, under `match`.")


class MatchConfigurationQuery(Schema):
    """Which version."""

    version: int | None = Field(None, ge=1, le=2_147_483_647, description="The newest if left out.")


class VersionAnswer(Schema):
    """One version in the history."""

    version: int
    created_at: datetime | None = Field(description="Null for the built-in default alone.")
    created_by: str = Field(description="Empty for the server's command line.")
    source: str = Field(description="From where: a file, an estimation, the page; empty if that is not known.")
    note: str
    has_term_frequencies: bool


class VersionsAnswer(Schema):
    """All versions, newest first."""

    items: list[VersionAnswer]


class DraftForm(Schema):
    """A draft to check."""

    definition: dict[str, Any] = Field(description="As in a project file, under `match`.")


class SaveForm(DraftForm):
    """A draft to save."""

    base_version: int | None = Field(
        None,
        ge=1,
        le=2_147_483_647,
        description="The version that the draft started from: if another was saved since, nothing is changed. "
        "Left out: whatever was saved since is replaced.",
    )
    note: str = Field("", max_length=1000, description="Why, for the history.")


class CheckAnswer(Schema):
    """What a check found."""

    is_valid: bool
    faults: list[str] = Field(description="Every fault: its place, the value, what is allowed, the remedy.")


class SavedAnswer(Schema):
    """What saving did."""

    version: int | None = Field(description="The number of the new version; null if nothing differs.")


def version_answers(lines: Sequence[VersionLine]) -> VersionsAnswer:
    """Return a history as it is answered."""
    return VersionsAnswer(
        items=[
            VersionAnswer(
                version=line.version,
                created_at=line.made_at,
                created_by=line.made_by,
                source=line.source,
                note=line.note,
                has_term_frequencies=line.has_frequencies,
            )
            for line in lines
        ]
    )


def check_answer(checked: CheckedDraft) -> CheckAnswer:
    """Return what a check found as it is answered."""
    return CheckAnswer(is_valid=checked.configuration is not None, faults=[fault.text for fault in checked.faults])


@router.get(
    "/{code}/match-configuration",
    response={200: MatchConfigurationAnswer, **possible_errors()},
    summary="Read a match configuration",
)
def read_match_configuration(
    request: HttpRequest, code: ProjectCode, query: Query[MatchConfigurationQuery]
) -> MatchConfigurationAnswer:
    """Read the newest version of a project's match configuration, or an earlier one."""
    caller = reader_of(request)
    refuse_unknown(request, MatchConfigurationQuery)
    project = project_or_404(caller, code)
    versions = MatchConfigurationVersion.objects.filter(project=project).select_related("created_by")
    found = versions.filter(version=query.version) if query.version is not None else versions
    newest = found.order_by("-version").first()
    if newest is None:
        which = f"version {query.version} of the" if query.version is not None else "a"
        raise Http404(f"Project {code} does not have {which} match configuration.")
    return MatchConfigurationAnswer(
        version=newest.version,
        created_at=newest.created_at,
        created_by=newest.created_by.username if newest.created_by else "",
        has_term_frequencies=bool(newest.term_frequencies),
        definition=newest.definition,
    )


@router.get(
    "/{code}/match-configuration/versions",
    response={200: VersionsAnswer, **possible_errors()},
    summary="List versions of a match configuration",
)
def list_all(request: HttpRequest, code: ProjectCode) -> VersionsAnswer:
    """List the versions of a project's match configuration, newest first, and where each came from."""
    return version_answers(list_versions(project_or_404(reader_of(request), code)))


@router.post(
    "/{code}/match-configuration/validate",
    response={200: CheckAnswer, **possible_errors(413, 415)},
    summary="Check a match configuration",
)
def validate(request: HttpRequest, code: ProjectCode, form: DraftForm) -> CheckAnswer:
    """Check a draft against the project's linkage fields; nothing is changed."""
    caller = caller_of(request)
    project = project_or_404(caller, code)
    caller.demand(Permission.CONFIGURE_PROJECTS, project)
    return check_answer(check_definition(linkage_fields(project), form.definition))


@router.put(
    "/{code}/match-configuration",
    response={200: SavedAnswer, **possible_errors(409, 413, 415)},
    summary="Change a match configuration",
)
def save(request: HttpRequest, code: ProjectCode, form: SaveForm) -> SavedAnswer:
    """Make a draft the next version of the match configuration; later Envelopes are matched with it."""
    caller = caller_of(request)
    project = project_or_404(caller, code)
    caller.demand(Permission.CONFIGURE_PROJECTS, project)
    draft = MatchDraft(
        form.definition,
        form.base_version,
        source=FROM_API,
        note=form.note,
        checks_base=form.base_version is not None,
    )
    version = save_match(project, draft, caller.actor)
    return SavedAnswer(version=version.version if version else None)
