"""Begins an upload in slices: says whether a file of this size will be taken, before its first byte is sent."""

import re
import shutil

from linkwright.config import ServerConfig
from linkwright.envelopes.corruption import bytes_text
from linkwright.jobs.context import package_limits
from linkwright.services.kept_file import ReceiveError
from linkwright.services.receive_envelope import shown_name
from linkwright.services.submit_rights import demand_submit
from linkwright.services.upload_errors import UploadRefusedError
from linkwright.services.upload_folder import About, Upload, make_upload, open_uploads, sweep_uploads
from linkwright.store.audit_log import Actor

# a person's uploads that are begun and not finished
MOST_OPEN = 20
# left on the data folder's disk: jobs need room too
SPARE_BYTES = 256 * 1024 * 1024
LONGEST_NAME = 255
_SHA256 = re.compile(r"[0-9a-f]{64}")


def begin_upload(
    file_name: str, size_bytes: int, actor: Actor, config: ServerConfig, *, name: str = "", sha256: str = ""
) -> Upload:
    """Begin an upload; nothing of the file has come yet.

    Args:
        file_name: what the sender calls the file.
        size_bytes: of the whole file.
        actor: who sends it; a person.
        config: of this server.
        name: what the Envelope is to be called; the file's name without its ending if empty.
        sha256: of the whole file in hexadecimal digits; if given, the file must have it at the end.

    Raises:
        SubmitRefusedError: if whoever sends may not submit.
        UploadRefusedError: if the file is empty or too large, or the person has too many uploads open.
        ReceiveError: if the disk has no room for it and for what the other uploads will still bring.
    """
    demand_submit(actor)
    if actor.user is None:
        raise UploadRefusedError(
            "Only a person can upload in slices. Use `linkwright submit` on the machine itself."
        )
    _demand_fit(size_bytes, sha256)
    sweep_uploads(config)
    _demand_place(size_bytes, actor.user.pk, config)
    file_name = shown_name(file_name)[:LONGEST_NAME]
    about = About(
        user_id=actor.user.pk,
        name=shown_name(name.strip())[:LONGEST_NAME],
        file_name=file_name,
        size_bytes=size_bytes,
        sha256=sha256.lower(),
    )
    try:
        return make_upload(about, config)
    except OSError as error:
        raise ReceiveError(
            f"{file_name} could not be taken in: {error.strerror}. Have room made in the data folder, and send it "
            "again."
        ) from error


def _demand_fit(size_bytes: int, sha256: str) -> None:
    if size_bytes < 1:
        raise UploadRefusedError("The file is empty (0 bytes). Choose another, or have it delivered again.")
    if sha256 and not _SHA256.fullmatch(sha256.lower()):
        raise UploadRefusedError(f"The SHA-256 is {sha256[:80]!r}; allowed are 64 hexadecimal digits.")
    largest_bytes = package_limits().max_size_bytes
    if size_bytes > largest_bytes:
        raise UploadRefusedError(
            f"The file has {bytes_text(size_bytes)}; at most {bytes_text(largest_bytes)} are allowed "
            "(Envelope.MaxSizeMiB). Split the data, or have the Setting raised."
        )


def _demand_place(size_bytes: int, user_id: int, config: ServerConfig) -> None:
    uploads = open_uploads(config)
    own_count = sum(upload.about.user_id == user_id for upload in uploads)
    if own_count >= MOST_OPEN:
        raise UploadRefusedError(
            f"You have begun {own_count} uploads that are not finished; at most {MOST_OPEN} are allowed. "
            "Finish or cancel some; what is left alone goes after a day."
        )
    promised_bytes = sum(upload.about.size_bytes - upload.about.offset_bytes for upload in uploads)
    free_bytes = shutil.disk_usage(config.home).free
    if free_bytes < promised_bytes + size_bytes + SPARE_BYTES:
        raise ReceiveError(
            f"The data folder's disk has no room for {bytes_text(size_bytes)}: {bytes_text(free_bytes)} are free, "
            f"{bytes_text(promised_bytes)} are promised to other uploads, and {bytes_text(SPARE_BYTES)} stay for "
            "jobs. Have room made, and send it again."
        )
