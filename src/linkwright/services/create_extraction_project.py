"""Creates an Extraction Project; for a snapshot, the job that keeps the map as it is now goes to the front."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from django.db import transaction
from django.utils import timezone

from linkwright.config import load_config
from linkwright.jobs.extraction_project import EXTRACTION_PROJECT
from linkwright.jobs.keyring import newest_secret
from linkwright.queue.enqueue import Step, enqueue_job
from linkwright.queue.order import queue_state
from linkwright.services.extraction_faults import (
    ExtractionForm,
    ExtractionRefusedError,
    form_faults,
    identity_faults,
)
from linkwright.store.audit_log import Actor, record_action
from linkwright.store.models import EventType, ExtractionKind, ExtractionProject, JobKind, LinkageProject


@dataclass(frozen=True)
class NewExtractionProject:
    """An Extraction Project as somebody describes it.

    Args:
        code: unique in its Linkage Project, for ever.
        kind: an ExtractionKind's value; never changed.
        event_types: codes; never changed.
        form: what can be changed later.
        detached: of the event types, those that need not be attached: they were where it was first created.
        keeps_map: whether a snapshot is made; not of one that is closed at once.
    """

    code: str
    kind: str
    event_types: Sequence[str]
    form: ExtractionForm
    detached: Collection[str] = ()
    keeps_map: bool = True


def create_extraction_project(
    project: LinkageProject, new: NewExtractionProject, actor: Actor
) -> ExtractionProject:
    """Create it, and queue the Snapshot job of a snapshot.

    Raises:
        ExtractionRefusedError: naming every fault at once.
        KeyringError: if the server's secret for Person Keys is gone or cannot be made.
    """
    with transaction.atomic():
        # what becomes live is committed under this lock: it is before the creation or after it
        queue_state(lock=True)
        faults = [
            *identity_faults(project, new.code, new.kind, new.event_types, detached=new.detached),
            *form_faults(new.form),
        ]
        if faults:
            raise ExtractionRefusedError("The Extraction Project was not created.", faults)
        made = _store(project, new, actor)
        if new.kind == ExtractionKind.SNAPSHOT and new.keeps_map:
            step = Step(JobKind.SNAPSHOT, {EXTRACTION_PROJECT: made.pk})
            made.snapshot_job = enqueue_job(step, project, at_front=True)
            made.save(update_fields=["snapshot_job"])
        record_action(
            actor,
            "create Extraction Project",
            made.code,
            project_code=project.code,
            detail={
                "kind": made.kind,
                "approval_reference": made.approval_reference,
                "event_types": sorted(new.event_types),
                "columns": made.columns,
                "file_format": made.file_format,
                "keep_results_days": made.keep_results_days,
                "secret_version": made.secret_version,
            },
        )
    return made


def _store(project: LinkageProject, new: NewExtractionProject, actor: Actor) -> ExtractionProject:
    secret = newest_secret(load_config(), are_in_use=ExtractionProject.objects.exists())
    made = ExtractionProject.objects.create(
        project=project,
        code=new.code,
        name=new.form.name.strip(),
        approval_reference=new.form.approval_reference.strip(),
        kind=new.kind,
        columns=new.form.stored_columns(),
        file_format=new.form.file_format,
        keep_results_days=new.form.keep_results_days,
        secret_version=secret.version,
        secret_fingerprint=secret.fingerprint,
        created_at=timezone.now(),
        created_by=actor.user,
    )
    made.event_types.set(EventType.objects.filter(code__in=new.event_types))
    return made
