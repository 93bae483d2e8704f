"""Creates a Linkage Project: with the default configuration, or with what another project has."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db import IntegrityError, transaction

from linkwright.engine.fields import parse_fields
from linkwright.jobs.project_form import current_version
from linkwright.services.attach_event_type import AttachRefusedError, attach_event_type
from linkwright.services.default_match import FirstMatch, first_match
from linkwright.services.match_history import CREATED
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
            record_action(actor, "create project", new.code, project_code=new.code, detail={"like": new.like})
            first = _match_of(model) or first_match(parse_fields(project.own_fields))
            # as it stands, also if it fits no more: the page of the configuration says what is wrong with it
            version = MatchConfigurationVersion.objects.create(
                project=project, version=1, definition=first.definition, created_by=actor.user
            )
            record_action(
                actor,
                CREATED,
                f"{new.code} version {version.version}",
                project_code=new.code,
                detail={"from": first.source},
            )
            for code in dict.fromkeys(new.event_types):
                attach_event_type(project, code, actor)
    except AttachRefusedError as error:
        raise ProjectRefusedError(_SUMMARY, [f"event_types: {error}"]) from error
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


def _match_of(model: LinkageProject | None) -> FirstMatch | None:
    """Return the newest match configuration of the project that serves as the model, if it has any."""
    newest = current_version(model) if model else None
    return FirstMatch(newest.definition, f"version {newest.version} of {model}") if newest else None


def _taken(code: str) -> str:
    return f"code: there is a Linkage Project {code!r} already. Choose another code."
