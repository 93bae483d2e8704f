"""Changes the name of a Linkage Project, and what goes with it."""

from dataclasses import asdict

from django.db import transaction

from linkwright.services.project_form import ProjectForm, ProjectRefusedError, form_faults
from linkwright.store.audit_log import Actor, record_action
from linkwright.store.models import LinkageProject


def change_project(project_id: int, form: ProjectForm, actor: Actor) -> bool:
    """Change what differs; returns whether anything did.

    Raises:
        ProjectRefusedError: naming every fault.
        LinkageProject.DoesNotExist: if it was deleted meanwhile.
    """
    with transaction.atomic():
        project = LinkageProject.objects.select_for_update().get(pk=project_id)
        faults = form_faults(form, project.code)
        if faults:
            raise ProjectRefusedError(f"{project.code} was not changed.", faults)
        differing = [name for name, value in asdict(form).items() if getattr(project, name) != value]
        if not differing:
            return False
        before = {name: getattr(project, name) for name in differing}
        for name in differing:
            setattr(project, name, getattr(form, name))
        project.save(update_fields=differing)
        after = {name: getattr(form, name) for name in differing}
        record_action(
            actor,
            "change project",
            project.code,
            project_code=project.code,
            detail={"before": before, "after": after},
        )
    return True
