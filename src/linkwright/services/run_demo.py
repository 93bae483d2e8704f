"""The demo's own steps: a fresh data folder, a project, Envelopes, and the figures at the end."""

import fcntl
import shutil
from dataclasses import dataclass
from typing import Any

from linkwright.config import DataFolderError, ServerConfig
from linkwright.services.apply_project_file import apply_project_file
from linkwright.services.demo_data import PROJECT_CODE, PROJECT_FILE, true_person
from linkwright.services.envelope_status import EnvelopeLine
from linkwright.services.load_demo import build_demo_packages
from linkwright.services.measure_map import MapMeasure, measure_map
from linkwright.services.project_file import read_project_file
from linkwright.services.receive_envelope import receive_envelope
from linkwright.store.audit_log import COMMAND_LINE
from linkwright.store.models import LinkageProject
from linkwright.store.settings import change_setting

MARKER_NAME = ".linkwright-demo"


@dataclass(frozen=True)
class DemoResult:
    """What the demo shows in the end."""

    envelopes: tuple[EnvelopeLine, ...]
    measure: MapMeasure
    seconds: float

    def as_json(self) -> dict[str, Any]:
        """Return the result as plain values."""
        per_kind: dict[str, float] = {}
        for envelope in self.envelopes:
            for kind, seconds in envelope.job_seconds.items():
                per_kind[kind] = round(per_kind.get(kind, 0.0) + seconds, 3)
        quality = self.measure.quality
        return {
            "envelopes": [envelope.as_json() for envelope in self.envelopes],
            "seconds": self.seconds,
            "seconds_per_job_kind": per_kind,
            "records": self.measure.records_count,
            "groups": self.measure.groups_count,
            "precision": quality.precision,
            "recall": quality.recall,
            "f1": quality.f1,
        }


def clear_demo_home(config: ServerConfig) -> None:
    """Empty the demo's data folder, so that the demo can be run again; touches no folder that is not a demo's.

    Raises:
        DataFolderError: if the folder holds something else, or another demo is at work in it.
    """
    home = config.home
    if home.is_dir() and any(path.name not in {"secret.key", MARKER_NAME} for path in home.iterdir()):
        if not (home / MARKER_NAME).exists():
            raise DataFolderError(
                f"{home} holds data that is not a demo's. Name another folder: linkwright --home FOLDER demo."
            )
        if _worker_at_work(config):
            raise DataFolderError(
                f"Another demo is at work in {home}. Stop it, or name another folder: "
                "linkwright --home FOLDER demo."
            )
        for path in home.iterdir():
            if path.name in {"secret.key", MARKER_NAME}:
                continue
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink()
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    (home / MARKER_NAME).write_text("Made by `linkwright demo`, which empties this folder each time it runs.\n")


def _worker_at_work(config: ServerConfig) -> bool:
    if not config.lock_file.exists():
        return False
    with config.lock_file.open("a") as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def submit_demo(config: ServerConfig) -> list[int]:
    """Apply the demo's project file, build one Envelope for each data file, and submit them; returns their ids."""
    apply_project_file(read_project_file(PROJECT_FILE), COMMAND_LINE)
    # to be looked at in the data folder: a demo sends nothing anywhere
    change_setting("Notifications.Email.Delivery", "file", COMMAND_LINE)
    change_setting("Notifications.Email.Enabled", value=True, actor=COMMAND_LINE)
    folder = config.home / "demo-files"
    folder.mkdir(mode=0o700, exist_ok=True)
    return [receive_envelope(path, name=path.stem, actor=COMMAND_LINE).pk for path in build_demo_packages(folder)]


def measure_demo(config: ServerConfig) -> MapMeasure:
    """Compare the demo's live map with FEBRL's truth."""
    return measure_map(config, LinkageProject.objects.get(code=PROJECT_CODE), true_person)
