"""Linkage Projects: create, change, archive and back, delete; and the project file of what there is."""

from django.http import HttpRequest, HttpResponse
from ninja import Query, Router, Schema, Status
from pydantic import Field

from linkwright.api.answers import possible_errors
from linkwright.api.paging import NO_ZERO, NOT_BLANK, Code, refuse_unknown
from linkwright.api.projects import ProjectCode, ProjectDetailAnswer, project_detail, router
from linkwright.api.queue import ReasonForm
from linkwright.api.rights import Caller, caller_of, project_or_404
from linkwright.config import load_config
from linkwright.services.archive_project import archive_project, unarchive_project
from linkwright.services.change_project import change_project
from linkwright.services.create_project import NewProject, create_project
from linkwright.services.delete_project import delete_project
from linkwright.services.export_project_file import export_project_file
from linkwright.services.project_form import ProjectForm
from linkwright.store.models import LinkageProject
from linkwright.store.permissions import Permission

# a path has one router, whatever is asked of it: these stand in the one of api/projects.py
file_router = Router(tags=["projects"])

_YAML = {
    "responses": {
        200: {
            "description": "A project file, as `linkwright apply` takes it.",
            "content": {"application/yaml": {"schema": {"type": "object"}}},
        }
    }
}


class ProjectWordsForm(Schema):
    """What can be said of a project; what is left out becomes empty."""

    name: str = Field(min_length=1, max_length=200, pattern=NOT_BLANK)
    description: str = Field("", max_length=10_000, pattern=NO_ZERO)
    notification_email: str = Field(
        "", max_length=254, pattern=NO_ZERO, description="Is told how Envelopes end; empty for nobody."
    )


class NewProjectForm(ProjectWordsForm):
    """A project to be."""

    code: Code = Field(description="Letters, digits, dots, hyphens, underscores; for ever the same.")
    event_type_codes: list[Code] = Field([], max_length=1_000, description="Event Types to attach.")
    like: str = Field(
        "",
        max_length=255,
        pattern=NO_ZERO,
        description="Code of a project whose linkage fields, match configuration and grouping it gets; empty: the "
        "default.",
    )


class DeleteForm(ReasonForm):
    """The confirmation that a project is to be deleted."""

    code: str = Field(max_length=255, pattern=NO_ZERO, description="The project's code, once more.")


class DeletedAnswer(Schema):
    """What went."""

    files_count: int = Field(description="Files that were deleted from disk.")


class ExportQuery(Schema):
    """What is exported."""

    project: str = Field(
        "", max_length=255, pattern=NO_ZERO, description="Only this project; everything if left out."
    )


@router.post("", response={201: ProjectDetailAnswer, **possible_errors(409, 413, 415)}, summary="Create a project")
def create(request: HttpRequest, form: NewProjectForm) -> Status[ProjectDetailAnswer]:
    """Create a Linkage Project. Administrators only."""
    caller = caller_of(request)
    caller.demand_administrator()
    new = NewProject(form.code, _words(form), form.event_type_codes, form.like)
    return Status(201, project_detail(create_project(new, caller.actor)))


@router.put(
    "/{code}", response={200: ProjectDetailAnswer, **possible_errors(409, 413, 415)}, summary="Change a project"
)
def change(request: HttpRequest, code: ProjectCode, form: ProjectWordsForm) -> ProjectDetailAnswer:
    """Change a project's name, description and notification e-mail."""
    caller = caller_of(request)
    project = _configured(caller, code)
    change_project(project.pk, _words(form), caller.actor)
    project.refresh_from_db()
    return project_detail(project)


@router.post(
    "/{code}/archive",
    response={200: ProjectDetailAnswer, **possible_errors(409, 413, 415)},
    summary="Archive a project",
)
def archive(request: HttpRequest, code: ProjectCode, form: ReasonForm) -> ProjectDetailAnswer:
    """Archive a project: it takes no Envelopes until it is taken out again. Nothing of it is lost."""
    caller = caller_of(request)
    return project_detail(archive_project(_configured(caller, code).pk, caller.actor, reason=form.reason))


@router.post(
    "/{code}/unarchive",
    response={200: ProjectDetailAnswer, **possible_errors(409)},
    summary="Take a project out of the archive",
)
def unarchive(request: HttpRequest, code: ProjectCode) -> ProjectDetailAnswer:
    """Take a project out of the archive: it takes Envelopes again."""
    caller = caller_of(request)
    return project_detail(unarchive_project(_configured(caller, code).pk, caller.actor))


@router.post(
    "/{code}/delete", response={200: DeletedAnswer, **possible_errors(409, 413, 415)}, summary="Delete a project"
)
def delete(request: HttpRequest, code: ProjectCode, form: DeleteForm) -> DeletedAnswer:
    """Delete an archived project with all its records, files and results, for good. Administrators only."""
    caller = caller_of(request)
    project = project_or_404(caller, code)
    caller.demand_administrator()
    files_count = delete_project(load_config(), project.pk, caller.actor, typed=form.code, reason=form.reason)
    return DeletedAnswer(files_count=files_count)


@file_router.get("/export", response=possible_errors(), openapi_extra=_YAML, summary="Export a project file")
def export(request: HttpRequest, query: Query[ExportQuery]) -> HttpResponse:
    """Write a project file: of everything for Administrators, of one project for who may configure it."""
    caller = caller_of(request)
    refuse_unknown(request, ExportQuery)
    if query.project:
        text = export_project_file(caller.actor, _configured(caller, query.project))
    else:
        caller.demand_administrator()
        text = export_project_file(caller.actor)
    return HttpResponse(text, content_type="application/yaml; charset=utf-8")


def _words(form: ProjectWordsForm) -> ProjectForm:
    return ProjectForm(form.name.strip(), form.description.strip(), form.notification_email.strip())


def _configured(caller: Caller, code: str) -> LinkageProject:
    project = project_or_404(caller, code)
    caller.demand(Permission.CONFIGURE_PROJECTS, project)
    return project
