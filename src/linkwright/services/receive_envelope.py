"""Takes in an Envelope: keeps the file, examines it, and queues its jobs or says why it is Corrupt."""

import unicodedata
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from django.db import transaction
from django.utils import timezone

from linkwright.config import load_config
from linkwright.envelopes.corruption import CorruptEnvelopeError
from linkwright.envelopes.limits import PackageLimits
from linkwright.envelopes.manifest import Manifest, RequestType
from linkwright.envelopes.package import examine_package
from linkwright.jobs.context import package_limits
from linkwright.queue.enqueue import Step, enqueue_chain
from linkwright.services.kept_file import KeptFile, give_back, keep_copy, keep_moved
from linkwright.services.mail_outbox import tell_envelopes
from linkwright.services.submit_rights import demand_submit, project_to_submit_to
from linkwright.store.audit_log import Actor, record_action
from linkwright.store.models import Envelope, EnvelopeState, JobKind, LinkageProject, Notification, Severity

# control characters, bytes that are no UTF-8, line and paragraph separators
_NO_TEXT = frozenset({"Cc", "Cs", "Zl", "Zp"})
# what is done with the loaded data, by data action
_COMPUTED: Mapping[RequestType, Sequence[JobKind]] = {
    RequestType.SUBMIT_LINKAGE: (JobKind.MATCH, JobKind.GROUP),
    RequestType.SUBMIT_DELETION: (JobKind.DELETE, JobKind.GROUP),
    RequestType.SUBMIT_QUALITY_REVIEW: (JobKind.REVIEW, JobKind.GROUP),
    RequestType.ESTIMATE_PROBABILITIES: (JobKind.ESTIMATE,),
    RequestType.SUBMIT_EXTRACTION: (JobKind.EXTRACT,),
}
# the others list records, and are read by the job that they ask for
_LOADED = (RequestType.SUBMIT_LINKAGE, RequestType.ESTIMATE_PROBABILITIES)


def receive_envelope(source: Path, *, name: str, actor: Actor, moves: bool = False) -> Envelope:
    """Keep `source`, examine it and queue its jobs.

    Args:
        source: the Envelope on disk.
        name: what the Envelope is to be called; the file's name without its ending if empty.
        actor: who sends it.
        moves: whether the file itself is kept, by a rename, instead of a copy. It is back if this raises.

    Returns: the Envelope, Queued with all its jobs, or Corrupt with an error Notification that says why.
    Raises:
        ReceiveError: if the file cannot be read or kept.
        PackageAccessError: if it vanishes while it is examined.
        SubmitRefusedError: if whoever sends may not submit.
    """
    demand_submit(actor)
    kept = (keep_moved if moves else keep_copy)(source, load_config())
    try:
        return register_envelope(kept, name=name.strip() or source.stem, actor=actor)
    except BaseException:
        if moves:
            give_back(kept, source)
        else:
            kept.path.unlink(missing_ok=True)
        raise


def shown_name(name: str) -> str:
    """Return a file's name as people see it: it can be any bytes, and what is no text is shown by its codes."""
    return "".join(
        character.encode("unicode_escape").decode() if unicodedata.category(character) in _NO_TEXT else character
        for character in name
    )


def register_envelope(
    kept: KeptFile,
    *,
    name: str,
    actor: Actor,
    detail: Mapping[str, Any] | None = None,
    reviewed: LinkageProject | None = None,
    reason: str = "",
) -> Envelope:
    """Examine a kept file and, in one transaction, make it an Envelope with its jobs, or a Corrupt one.

    Args:
        kept: the file; it stays if this raises, for the caller to delete or to try again.
        name: what the Envelope is called.
        actor: who sends it.
        detail: what else the audit log is to say.
        reviewed: the project that it is for, of a caller that has asked for another permission than to submit.
        reason: why it is sent; kept with the Envelope alone, since the history of the queue is everybody's.

    Raises:
        PackageAccessError: if the file vanishes while it is examined.
        SubmitRefusedError: if whoever sends may not submit to the project, and it is not `reviewed`.
    """
    name = shown_name(name)[:255]
    envelope = Envelope(
        name=name,
        file_name=kept.path.name,
        size_bytes=kept.size_bytes,
        sha256=kept.sha256,
        received_at=timezone.now(),
        received_by=actor.user,
        reason=reason,
    )
    limits: PackageLimits = package_limits()
    try:
        manifest = examine_package(kept.path, limits).manifest
    except CorruptEnvelopeError as error:
        text = str(error).replace(kept.path.name, name)
        return _store_corrupt(envelope, text, actor, detail)
    envelope.request_type = manifest.request_type.value
    envelope.project_code = manifest.linkage_project[:255]
    envelope.sender_code = manifest.sender[:255]
    envelope.event_type_codes = sorted({file.event_type_code for file in manifest.data_files})
    envelope.project = reviewed or project_to_submit_to(manifest.linkage_project, actor)
    with transaction.atomic():
        envelope.save()
        enqueue_chain(envelope, chain_of(manifest))
        _record(envelope, actor, detail)
    return envelope


def chain_of(manifest: Manifest) -> list[Step]:
    """Return the jobs that a manifest asks for, in their order."""
    holds_records = manifest.request_type in _LOADED
    loads = [Step(JobKind.LOAD, {"file_name": file.file_name}) for file in manifest.data_files if holds_records]
    computed = [Step(kind) for kind in _COMPUTED[manifest.request_type]]
    # what was extracted is no news about the map: there is nothing to report
    reported = [] if manifest.request_type is RequestType.SUBMIT_EXTRACTION else [Step(JobKind.REPORT)]
    return [Step(JobKind.VALIDATE), *loads, *computed, *reported]


def _store_corrupt(envelope: Envelope, message: str, actor: Actor, detail: Mapping[str, Any] | None) -> Envelope:
    envelope.state, envelope.errors_occurred = EnvelopeState.CORRUPT, True
    envelope.processed_at = envelope.received_at
    with transaction.atomic():
        envelope.save()
        Notification.objects.create(
            envelope=envelope, severity=Severity.ERROR, text=message, raised_at=envelope.received_at
        )
        _record(envelope, actor, detail)
        tell_envelopes([envelope.pk], EnvelopeState.CORRUPT)
    return envelope


def _record(envelope: Envelope, actor: Actor, detail: Mapping[str, Any] | None) -> None:
    record_action(
        actor,
        "submit Envelope",
        str(envelope),
        project_code=envelope.project_code,
        detail={
            "state": envelope.state,
            "sha256": envelope.sha256,
            "size_bytes": envelope.size_bytes,
            **(detail or {}),
        },
    )
