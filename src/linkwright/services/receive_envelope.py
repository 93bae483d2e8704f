"""Takes in an Envelope: keeps the file, examines it, and queues its jobs or says why it is Corrupt."""

import hashlib
import os
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from django.db import transaction
from django.utils import timezone

from linkwright.config import ServerConfig, load_config
from linkwright.envelopes.corruption import CorruptEnvelopeError
from linkwright.envelopes.limits import PackageLimits
from linkwright.envelopes.manifest import Manifest, RequestType
from linkwright.envelopes.package import examine_package
from linkwright.errors import LinkwrightError
from linkwright.jobs.context import package_limits
from linkwright.queue.enqueue import Step, enqueue_chain
from linkwright.services.mail_outbox import tell_envelopes
from linkwright.store.audit_log import Actor, record_action
from linkwright.store.models import Envelope, EnvelopeState, JobKind, LinkageProject, Notification, Severity

COPY_BYTES = 1024 * 1024
# what is done with the loaded data, by data action
_COMPUTED: Mapping[RequestType, Sequence[JobKind]] = {
    RequestType.SUBMIT_LINKAGE: (JobKind.MATCH, JobKind.GROUP),
    RequestType.SUBMIT_DELETION: (JobKind.DELETE, JobKind.GROUP),
    RequestType.SUBMIT_QUALITY_REVIEW: (JobKind.REVIEW, JobKind.GROUP),
    RequestType.ESTIMATE_PROBABILITIES: (JobKind.ESTIMATE,),
}
# the others list records, and are read by the job that they ask for
_LOADED = (RequestType.SUBMIT_LINKAGE, RequestType.ESTIMATE_PROBABILITIES)


class ReceiveError(LinkwrightError):
    """The file could not be taken in; nothing was queued and nothing was kept."""


@dataclass(frozen=True)
class _Kept:
    path: Path
    size_bytes: int
    sha256: str


def receive_envelope(source: Path, *, name: str, actor: Actor) -> Envelope:
    """Keep a copy of `source`, examine it and queue its jobs.

    Args:
        source: the Envelope on disk; it is left where it is.
        name: what the Envelope is to be called; the file's name without its ending if empty.
        actor: who sends it.

    Returns: the Envelope, Queued with all its jobs, or Corrupt with an error Notification that says why.
    Raises:
        ReceiveError: if the file cannot be read or kept.
        PackageAccessError: if it vanishes while it is examined.
    """
    config = load_config()
    kept = _keep(source, config)
    try:
        return _register(kept, name=_shown_name(name.strip() or source.stem), actor=actor)
    except BaseException:
        kept.path.unlink(missing_ok=True)
        raise


def _keep(source: Path, config: ServerConfig) -> _Kept:
    target = config.incoming_folder / f"{uuid.uuid4().hex}.zip"
    digest, size_bytes = hashlib.sha256(), 0
    try:
        with source.open("rb") as reading, target.open("xb") as writing:
            while chunk := reading.read(COPY_BYTES):
                digest.update(chunk)
                size_bytes += len(chunk)
                writing.write(chunk)
            writing.flush()
            os.fsync(writing.fileno())
    except OSError as error:
        target.unlink(missing_ok=True)
        raise ReceiveError(
            f"{source.name} could not be taken in: {error.strerror} ({error.filename or target.parent}). "
            "Check that the file is there and that the data folder has room, then send it again."
        ) from error
    return _Kept(path=target, size_bytes=size_bytes, sha256=digest.hexdigest())


def _shown_name(name: str) -> str:
    # a file's name can be any bytes; what is no UTF-8 is shown by its codes
    return name.encode("utf-8", "backslashreplace").decode()[:255]


def _register(kept: _Kept, *, name: str, actor: Actor) -> Envelope:
    envelope = Envelope(
        name=name,
        file_name=kept.path.name,
        size_bytes=kept.size_bytes,
        sha256=kept.sha256,
        received_at=timezone.now(),
        received_by=actor.user,
    )
    limits: PackageLimits = package_limits()
    try:
        manifest = examine_package(kept.path, limits).manifest
    except CorruptEnvelopeError as error:
        return _store_corrupt(envelope, str(error).replace(kept.path.name, name), actor)
    envelope.request_type = manifest.request_type.value
    envelope.project_code = manifest.linkage_project[:255]
    envelope.sender_code = manifest.sender[:255]
    envelope.event_type_codes = sorted({file.event_type_code for file in manifest.data_files})
    envelope.project = LinkageProject.objects.filter(code=manifest.linkage_project).first()
    with transaction.atomic():
        envelope.save()
        enqueue_chain(envelope, chain_of(manifest))
        _record(envelope, actor)
    return envelope


def chain_of(manifest: Manifest) -> list[Step]:
    """Return the jobs that a manifest asks for, in their order."""
    if manifest.request_type not in _COMPUTED:
        # Validate refuses it by name: the Envelope shows Errors, and says what to send instead
        return [Step(JobKind.VALIDATE)]
    holds_records = manifest.request_type in _LOADED
    loads = [Step(JobKind.LOAD, {"file_name": file.file_name}) for file in manifest.data_files if holds_records]
    computed = [Step(kind) for kind in _COMPUTED[manifest.request_type]]
    return [Step(JobKind.VALIDATE), *loads, *computed, Step(JobKind.REPORT)]


def _store_corrupt(envelope: Envelope, message: str, actor: Actor) -> Envelope:
    envelope.state, envelope.errors_occurred = EnvelopeState.CORRUPT, True
    envelope.processed_at = envelope.received_at
    with transaction.atomic():
        envelope.save()
        Notification.objects.create(
            envelope=envelope, severity=Severity.ERROR, text=message, raised_at=envelope.received_at
        )
        _record(envelope, actor)
        tell_envelopes([envelope.pk], EnvelopeState.CORRUPT)
    return envelope


def _record(envelope: Envelope, actor: Actor) -> None:
    record_action(
        actor,
        "submit Envelope",
        str(envelope),
        project_code=envelope.project_code,
        detail={"state": envelope.state, "sha256": envelope.sha256, "size_bytes": envelope.size_bytes},
    )
