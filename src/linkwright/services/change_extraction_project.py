"""Changes an Extraction Project, or closes it: nothing more is extracted then."""

from typing import Any

from django.db import transaction
from django.utils import timezone

from linkwright.services.extraction_faults import ExtractionForm, ExtractionRefusedError, form_faults
from linkwright.store.audit_log import Actor, record_action
from linkwright.store.models import ExtractionProject


def change_extraction_project(extraction_project_id: int, form: ExtractionForm, actor: Actor) -> bool:
    """Change what can be changed; later extractions follow it. Returns whether anything differed.

    Raises:
        ExtractionRefusedError: naming every fault at once, or if it is closed.
    """
    with transaction.atomic():
        found = _open_one(extraction_project_id)
        faults = form_faults(form)
        if faults:
            raise ExtractionRefusedError(f"Extraction Project {found.code} was not changed.", faults)
        changed = what_differs(found, form)
        if not changed:
            return False
        ExtractionProject.objects.filter(pk=found.pk).update(**changed)
        detail = {"before": {name: getattr(found, name) for name in changed}, "after": changed}
        project_code = found.project.code
        record_action(actor, "change Extraction Project", found.code, project_code=project_code, detail=detail)
    return True


def what_differs(found: ExtractionProject, form: ExtractionForm) -> dict[str, Any]:
    """Return what a form would change, by the name of the field, as it would be stored."""
    after = {
        "name": form.name.strip(),
        "approval_reference": form.approval_reference.strip(),
        "columns": form.stored_columns(),
        "file_format": form.file_format,
        "keep_results_days": form.keep_results_days,
    }
    return {name: value for name, value in after.items() if getattr(found, name) != value}


def close_extraction_project(extraction_project_id: int, actor: Actor, *, reason: str) -> None:
    """Close it for good. Results stay until they expire, a snapshot stays on disk.

    Raises:
        ExtractionRefusedError: without a reason, or if it is closed already.
    """
    if not reason.strip():
        raise ExtractionRefusedError("Closing needs a reason: it stands in the audit log. Give one.", [])
    with transaction.atomic():
        found = _open_one(extraction_project_id)
        ExtractionProject.objects.filter(pk=found.pk).update(closed_at=timezone.now())
        project_code = found.project.code
        record_action(
            actor, "close Extraction Project", found.code, project_code=project_code, reason=reason.strip()
        )


def _open_one(extraction_project_id: int) -> ExtractionProject:
    rows = ExtractionProject.objects.select_for_update(of=("self",)).select_related("project")
    found = rows.filter(pk=extraction_project_id).first()
    if found is None:
        raise ExtractionRefusedError(f"There is no Extraction Project {extraction_project_id}.", [])
    if found.closed_at is not None:
        raise ExtractionRefusedError(f"Extraction Project {found.code} is closed; it cannot be changed.", [])
    return found
