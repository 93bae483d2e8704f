"""Makes an Extraction Project as a project file says, through the services that the pages use.

The file was checked before, by extraction_part_faults.py. Called inside the transaction of the whole file.
"""

from linkwright.config import load_config
from linkwright.jobs.keyring import check_newest_secret
from linkwright.services.catalog_rows import Saved
from linkwright.services.change_extraction_project import (
    change_extraction_project,
    close_extraction_project,
    what_differs,
)
from linkwright.services.create_extraction_project import NewExtractionProject, create_extraction_project
from linkwright.services.extraction_part_faults import form_of
from linkwright.services.project_file import ExtractionProjectPart
from linkwright.store.audit_log import Actor
from linkwright.store.models import ExtractionKind, ExtractionProject, LinkageProject


def put_extraction_project(
    project: LinkageProject, part: ExtractionProjectPart, actor: Actor, *, dry_run: bool
) -> list[Saved]:
    """Create, change and close what the file asks for; returns what was done, nothing if nothing differs.

    Args:
        project: the Linkage Project.
        part: what the file says.
        actor: who applies it.
        dry_run: the caller undoes the transaction. The server's secret is a file, so none is made then.

    Raises:
        ExtractionRefusedError: if somebody has created or closed it since the file was checked.
        KeyringError: if the server's secret for Person Keys is gone or cannot be made.
    """
    found = ExtractionProject.objects.filter(project=project, code=part.code).first()
    done = []
    if found is None:
        if dry_run:
            check_newest_secret(load_config(), are_in_use=ExtractionProject.objects.exists())
        else:
            found = create_extraction_project(project, _new(part), actor)
        done.append(Saved("create", _what_is_kept(part)))
    else:
        form = form_of(part, found)
        differing = tuple(what_differs(found, form))
        if differing:
            change_extraction_project(found.pk, form, actor)
            done.append(Saved("update", differing))
    if part.closed and (found is None or found.closed_at is None):
        if found is not None:
            close_extraction_project(found.pk, actor, reason="The project file says so.")
        done.append(Saved("close"))
    return done


def _new(part: ExtractionProjectPart) -> NewExtractionProject:
    return NewExtractionProject(
        code=part.code,
        kind=part.kind.value,
        event_types=part.event_type_codes,
        form=form_of(part, None),
        detached=[one.code for one in part.event_types if one.detached],
        keeps_map=not part.closed,
    )


def _what_is_kept(part: ExtractionProjectPart) -> tuple[str, ...]:
    if part.kind is not ExtractionKind.SNAPSHOT or part.closed:
        return ()
    return ("with a snapshot of the map as it is now",)
