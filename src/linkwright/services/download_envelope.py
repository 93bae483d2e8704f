"""The file of an Envelope as it was received. It holds identifying values: who takes it is in the audit log."""

from dataclasses import dataclass
from pathlib import Path

from linkwright.config import load_config
from linkwright.errors import LinkwrightError
from linkwright.store.audit_log import Actor, record_action
from linkwright.store.models import Envelope, EnvelopeState


class EnvelopeFileGoneError(LinkwrightError):
    """The file of the Envelope is no longer kept."""


@dataclass(frozen=True)
class EnvelopeFile:
    """A zip on disk, and the name to save it under."""

    path: Path
    name: str


def download_envelope(envelope: Envelope, actor: Actor) -> EnvelopeFile:
    """Return where the file of an Envelope lies.

    Raises:
        EnvelopeFileGoneError: with the reason, if it is not kept any more.
    """
    path = load_config().incoming_folder / envelope.file_name
    if not envelope.file_name or not path.is_file():
        raise EnvelopeFileGoneError(f"The file of {envelope.name} cannot be downloaded: {_why_gone(envelope)}")
    record_action(
        actor,
        "download Envelope",
        str(envelope),
        project_code=envelope.project_code,
        detail={"sha256": envelope.sha256, "size_bytes": envelope.size_bytes},
    )
    name = envelope.name if envelope.name.lower().endswith(".zip") else f"{envelope.name}.zip"
    return EnvelopeFile(path, name)


def _why_gone(envelope: Envelope) -> str:
    if envelope.state == EnvelopeState.ROLLED_BACK:
        return "it was deleted when the Envelope was rolled back."
    if not envelope.file_name:
        return "it has been deleted; of an estimation, nothing is kept."
    return "it is no longer in the data folder. Ask its sender to send it again."
