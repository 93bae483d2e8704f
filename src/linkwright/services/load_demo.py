"""Loads the demo project: its configuration, and its two Envelopes, which go through the Job Queue."""

from pathlib import Path
from tempfile import TemporaryDirectory

from django.db import transaction

from linkwright.config import ServerConfig
from linkwright.envelopes.builder import SourceFile, build_package
from linkwright.envelopes.manifest import RequestType
from linkwright.errors import LinkwrightError
from linkwright.queue.order import queue_state
from linkwright.services.apply_project_file import apply_project_file
from linkwright.services.demo_data import PROJECT_CODE, PROJECT_FILE, PROVIDER_CODE, write_demo_files
from linkwright.services.project_file import read_project_file
from linkwright.services.receive_envelope import receive_envelope
from linkwright.store.audit_log import Actor, record_action
from linkwright.store.models import Envelope, LinkageProject


class DemoLoadedError(LinkwrightError):
    """The demo project, or something of its name, is there already."""


def why_not_load_demo() -> str:
    """Return the sentence that says why the demo project cannot be loaded, or '' if it can."""
    if LinkageProject.objects.filter(code=PROJECT_CODE).exists():
        return (
            f"There is a Linkage Project {PROJECT_CODE} already. Archive and delete it first to load the demo "
            "project once more."
        )
    return ""


def load_demo(config: ServerConfig, actor: Actor) -> list[Envelope]:
    """Make the demo project and queue its Envelopes.

    Raises:
        DemoLoadedError: if the project exists.
        DemoDataError: if the package that carries the data is not installed.
    """
    with TemporaryDirectory(prefix="upload-demo-", dir=config.scratch_folder) as folder:
        # the files first: building them takes a second, in which nobody else is to wait for the database
        packages = build_demo_packages(Path(folder))
        with transaction.atomic():
            # of two who ask at once, the second sees the project of the first
            queue_state(lock=True)
            refusal = why_not_load_demo()
            if refusal:
                raise DemoLoadedError(refusal)
            apply_project_file(read_project_file(PROJECT_FILE), actor)
            record_action(actor, "load demo project", PROJECT_CODE, project_code=PROJECT_CODE)
            return [receive_envelope(path, name=path.stem, actor=actor) for path in packages]


def build_demo_packages(folder: Path) -> list[Path]:
    """Write the demo's data files and an Envelope for each into a folder; returns the Envelopes.

    Raises:
        DemoDataError: if the package that carries the data is not installed.
    """
    return [
        build_package(
            folder / f"{file.path.stem}.zip",
            linkage_project=PROJECT_CODE,
            sender=PROVIDER_CODE,
            request_type=RequestType.SUBMIT_LINKAGE,
            data=[SourceFile(path=file.path, event_type_code=file.event_type_code)],
        )
        for file in write_demo_files(folder)
    ]
