"""Creates a Linkage Project: with the default configuration, or with what another project has."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db import IntegrityError, transaction

from linkwright.engine.default_configuration import default_match_definition
from linkwright.engine.fields import parse_fields
from linkwright.services.attach_event_type import attach_event_type
from linkwright.services.project_file import GroupingPart
from linkwright.services.project_form import ProjectForm, ProjectRefusedError, form_faults
from linkwright.store.audit_log import Actor, record_action
from linkwright.store.models import EventType, LinkageProject, MatchConfigurationVersion

_SUMMARY = "The project was not created."


@dataclass(frozen=True)
class NewProject:
    """A project to be.

    Args:
        code: unique, for ever the same.
        form: its name and what goes with it.
        event_types: codes of the Event Types to attach.
        like: code of the project whose linkage fields, match and grouping configuration it gets; '': the default.
    """

    code: str
    form: ProjectForm
    event_types: Sequence[str] = ()
    like: str = ""


def create_project(new: NewProject, actor: Actor) -> LinkageProject:
    """Create a project with its first match configuration; nothing is created if anything is wrong.

    Raises:
        ProjectRefusedError: naming every fault.
    """
    model = LinkageProject.objects.filter(code=new.like).first() if new.like else None
    faults = [*form_faults(new.form, new.code), *_reference_faults(new, model)]
    if faults:
        raise ProjectRefusedError(_SUMMARY, faults)
    try:
        with transaction.atomic():
            project = LinkageProject.objects.create(
                code=new.code,
                name=new.form.name,
                description=new.form.description,
                notification_email=new.form.notification_email,
                own_fields=model.own_fields if model else {},
                grouping=model.grouping if model else GroupingPart().model_dump(),
                keep_unused_columns=model.keep_unused_columns if model else True,
            )
            definition = _newest_definition(model) if model else None
            MatchConfigurationVersion.objects.create(
                project=project,
                version=1,
                definition=definition or default_match_definition(parse_fields(project.own_fields)),
                created_by=actor.user,
            )
            record_action(actor, "create project", new.code, project_code=new.code, detail={"like": new.like})
            for code in dict.fromkeys(new.event_types):
                attach_event_type(project, code, actor)
    except IntegrityError as error:
        # somebody else was faster by a moment
        raise ProjectRefusedError(_SUMMARY, [_taken(new.code)]) from error
    return project


def _reference_faults(new: NewProject, model: LinkageProject | None) -> list[str]:
    faults = []
    if LinkageProject.objects.filter(code=new.code).exists():
        faults.append(_taken(new.code))
    known = set(EventType.objects.filter(code__in=new.event_types).values_list("code", flat=True))
    faults += [
        f"event_types: there is no Event Type {code!r}. Create it first, or leave it out."
        for code in dict.fromkeys(new.event_types)
        if code not in known
    ]
    if new.like and model is None:
        faults.append(f"like: there is no Linkage Project {new.like!r}. Correct the code, or leave it out.")
    return faults


def _newest_definition(project: LinkageProject) -> dict[str, object] | None:
    versions = MatchConfigurationVersion.objects.filter(project=project).order_by("-version")
    return versions.values_list("definition", flat=True).first()


def _taken(code: str) -> str:
    return f"code: there is a Linkage Project {code!r} already. Choose another code."
