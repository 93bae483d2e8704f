"""Makes a file that has come in slices what it was sent for: an Envelope, exactly once, or a data file to look at.

An Envelope is moved to `envelopes/ID.zip`, then one transaction makes the row that names it. What was the last
step is seen from the files and from whether a row names ID.zip, so that whoever asks again, also after a crash,
goes on from there and gets the same Envelope. Source: docs/decisions/0027.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from linkwright.config import ServerConfig
from linkwright.envelopes.manifest import RequestType
from linkwright.services.kept_file import KeptFile, digest_of, give_back, keep_moved
from linkwright.services.receive_envelope import register_envelope
from linkwright.services.submit_data_file import DataFileSubmission, submit_data_file
from linkwright.services.upload_errors import UploadChangedError, UploadGoneError, UploadOffsetError
from linkwright.services.upload_folder import Upload, find_upload, locked, remove_upload, write_about
from linkwright.store.audit_log import Actor
from linkwright.store.models import Envelope


@dataclass(frozen=True)
class AsDataFile:
    """What a single data file is sent for; as in `DataFileSubmission`."""

    project_code: str
    request_type: RequestType
    event_type_code: str


def finish_upload(
    upload_id: str, actor: Actor, config: ServerConfig, *, name: str = "", data_file: AsDataFile | None = None
) -> Envelope:
    """Check the file, examine it and queue its jobs; asked again, return the same Envelope.

    Args:
        upload_id: of a file that has come whole.
        actor: who sent it.
        config: of this server.
        name: what the Envelope is called; as announced, or as its file, if empty.
        data_file: if the file is a single data file and no Envelope. The permission for its project is the
            caller's to ask for.

    Returns: the Envelope, Queued with all its jobs, or Corrupt with an error Notification that says why.
    Raises:
        SubmitRefusedError: if whoever sends may not submit, here or to the project that the manifest names.
        UploadGoneError, UploadBusyError: if it is not there, or another request works on it.
        UploadOffsetError: if some of it has not come; it says from where to go on.
        UploadChangedError: if it is not what its SHA-256 says; it is deleted.
        ReceiveError: if it cannot be kept.
        DataFileRefusedError, BuildError: as `submit_data_file`.
    """
    upload = find_upload(upload_id, actor, config)
    with locked(upload) as current:
        envelope = _made_before(current)
        if envelope is None:
            named = replace(current, about=replace(current.about, name=name.strip() or current.about.name))
            envelope = _submit(named, data_file, actor, config) if data_file else _register(named, actor, config)
        write_about(current.folder, replace(current.about, envelope_id=envelope.pk))
        current.data.unlink(missing_ok=True)
        return envelope


@contextmanager
def whole_file(upload_id: str, actor: Actor, config: ServerConfig) -> Iterator[Upload]:
    """Hand over a file that has come whole, to be moved away; the upload ends with the block, unless it raises.

    Raises:
        As `finish_upload`; UploadGoneError also if an Envelope was made of it.
    """
    upload = find_upload(upload_id, actor, config)
    with locked(upload) as current:
        _demand_whole(current)
        _demand_checksum(current, lambda: digest_of(current.data)[1], config)
        yield current
        remove_upload(current, config)


def _made_before(upload: Upload) -> Envelope | None:
    envelope = Envelope.objects.filter(pk=upload.about.envelope_id).first()
    # or by a request that was killed before it could write so down here
    return envelope or Envelope.objects.filter(file_name=upload.kept_name).first()


def _register(upload: Upload, actor: Actor, config: ServerConfig) -> Envelope:
    kept = _keep(upload, config)
    name = upload.about.name or Path(upload.about.file_name).stem or "upload"
    try:
        return register_envelope(kept, name=name, actor=actor, detail={"file": upload.about.file_name})
    except BaseException:
        give_back(kept, upload.data)
        raise


def _submit(upload: Upload, data_file: AsDataFile, actor: Actor, config: ServerConfig) -> Envelope:
    _demand_whole(upload)
    _demand_checksum(upload, lambda: digest_of(upload.data)[1], config)
    submission = DataFileSubmission(
        path=upload.data,
        file_name=upload.about.file_name,
        project_code=data_file.project_code,
        request_type=data_file.request_type,
        event_type_code=data_file.event_type_code,
        name=upload.about.name,
    )
    return submit_data_file(submission, actor, kept_name=upload.kept_name)


def _keep(upload: Upload, config: ServerConfig) -> KeptFile:
    path = config.incoming_folder / upload.kept_name
    if path.exists() and not upload.data.exists():
        size_bytes, sha256 = digest_of(path)
        kept = KeptFile(path, size_bytes, sha256)
    else:
        _demand_whole(upload)
        kept = keep_moved(upload.data, config, upload.kept_name)
    _demand_checksum(upload, lambda: kept.sha256, config)
    return kept


def _demand_whole(upload: Upload) -> None:
    about = upload.about
    if not upload.data.exists():
        # handed over by a request that was killed before it could remove the rest
        raise UploadGoneError
    if not upload.is_whole:
        raise UploadOffsetError(
            f"{about.offset_bytes:,} of {about.size_bytes:,} bytes have come. Send the rest, then finish.",
            about.offset_bytes,
        )


def _demand_checksum(upload: Upload, found: Callable[[], str], config: ServerConfig) -> None:
    wanted = upload.about.sha256
    if wanted and wanted != (sha256 := found()):
        # no slice can mend it, since nobody knows which one is wrong
        remove_upload(upload, config)
        raise UploadChangedError(
            f"The file has the SHA-256 {sha256}, but {wanted} was announced. It was deleted; send it again."
        )
