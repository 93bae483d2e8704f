"""Who may submit Envelopes, and to which projects: one answer for pages, API, command line and inbox.

A project that somebody does not belong to is the same to them as one that does not exist: an Envelope for either
is taken in, and Validate says in the same words that the code is unknown.
"""

from linkwright.errors import LinkwrightError
from linkwright.store.audit_log import Actor
from linkwright.store.models import LinkageProject
from linkwright.store.permissions import Permission, actor_may, visible_projects


class SubmitRefusedError(LinkwrightError):
    """Whoever sends may not submit, here or at all; nothing was kept."""


def demand_submit(actor: Actor) -> None:
    """Refuse whoever may not submit to any project, before anything of a file is kept.

    Raises:
        SubmitRefusedError: naming the permission.
    """
    if not actor_may(actor, Permission.SUBMIT):
        raise SubmitRefusedError(
            f"To send an Envelope you need the permission '{Permission.SUBMIT}' in a project. Ask the project's "
            "owner for it; an API key can be narrowed to less than you hold."
        )


def project_to_submit_to(code: str, actor: Actor) -> LinkageProject | None:
    """Return the project that an Envelope names.

    Returns: None if there is none of that code, or none for whoever sends.
    Raises:
        SubmitRefusedError: if they belong to the project, but may not submit to it.
    """
    project = LinkageProject.objects.filter(code=code).first()
    if project is None or actor_may(actor, Permission.SUBMIT, project):
        return project
    if actor.user is not None and visible_projects(actor.user).filter(pk=project.pk).exists():
        raise SubmitRefusedError(
            f"You may not submit Envelopes to the Linkage Project {code}: your role there does not hold the "
            f"permission '{Permission.SUBMIT}'. Ask the project's owner for it."
        )
    return None
