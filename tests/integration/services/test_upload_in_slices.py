"""A file in slices when something dies, stalls or comes twice: one Envelope, and nothing left over."""

import fcntl
import os
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from linkwright.config import ServerConfig, load_config, prepare_home
from linkwright.services import finish_upload as finishing
from linkwright.services import receive_slice as receiving
from linkwright.services.begin_upload import begin_upload
from linkwright.services.finish_upload import finish_upload
from linkwright.services.receive_slice import Slice, receive_slice
from linkwright.services.submit_rights import SubmitRefusedError
from linkwright.services.upload_errors import (
    SliceBrokenError,
    SliceTooSlowError,
    UploadBusyError,
    UploadCrowdedError,
    UploadGoneError,
)
from linkwright.services.upload_folder import Upload, abandon_upload, find_upload, sweep_uploads
from linkwright.store.audit_log import Actor
from linkwright.store.models import Envelope, Membership, Role, User
from linkwright.worker.housekeeping import Housekeeping
from tests.integration.web.seed import seed_people_and_projects
from tests.integration.web.test_upload import make_package

pytestmark = pytest.mark.django_db
CONTENT = make_package()
DAY_S = 24 * 3600


class CrashError(BaseException):
    """Stands for the death of the process."""


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ServerConfig:
    monkeypatch.setenv("LINKWRIGHT_HOME", str(tmp_path / "home"))
    prepare_home(load_config())
    return load_config()


@pytest.fixture
def actor(config: ServerConfig) -> Actor:
    return Actor(seed_people_and_projects().owner, "somewhere")


@pytest.fixture
def upload(actor: Actor, config: ServerConfig) -> Upload:
    return begin_upload("births-2026.zip", len(CONTENT), actor, config)


def piece_of(content: bytes, offset: int = 0) -> Slice:
    """Return a slice that comes at once."""
    arriving = iter([content])
    return Slice(offset, len(content), lambda _size: next(arriving, b""))


def _left_over(config: ServerConfig) -> list[str]:
    named = set(Envelope.objects.values_list("file_name", flat=True))
    return [path.name for path in config.incoming_folder.iterdir() if path.name not in named]


def _finish_again(upload: Upload, actor: Actor, config: ServerConfig) -> None:
    envelope = finish_upload(upload.id, actor, config)
    assert Envelope.objects.get() == envelope
    assert envelope.jobs.count() == 5
    assert (config.incoming_folder / envelope.file_name).read_bytes() == CONTENT
    assert _left_over(config) == []
    assert not upload.data.exists()


@pytest.mark.parametrize("step", ["keep_moved", "register_envelope", "write_about"])
@pytest.mark.parametrize("is_done", [False, True])
def test_a_finish_that_dies_before_or_after_a_step_is_finished_by_the_next(
    upload: Upload,
    actor: Actor,
    config: ServerConfig,
    monkeypatch: pytest.MonkeyPatch,
    *,
    step: str,
    is_done: bool,
) -> None:
    receive_slice(upload.id, piece_of(CONTENT), actor, config)
    real: Callable[..., object] = getattr(finishing, step)

    def dies(*arguments: object, **named: object) -> object:
        if is_done:
            real(*arguments, **named)
        raise CrashError

    with monkeypatch.context() as patched:
        patched.setattr(finishing, step, dies)
        # what dies gives nothing back
        patched.setattr(finishing, "give_back", lambda *_arguments: None)
        with pytest.raises(CrashError):
            finish_upload(upload.id, actor, config)
    _finish_again(upload, actor, config)


def test_what_a_finish_that_died_left_is_swept_with_its_upload(
    upload: Upload, actor: Actor, config: ServerConfig
) -> None:
    receive_slice(upload.id, piece_of(CONTENT), actor, config)
    upload.data.rename(config.incoming_folder / upload.kept_name)
    assert sweep_uploads(config) == 0
    os.utime(upload.folder, (time.time() - DAY_S - 1,) * 2)
    assert sweep_uploads(config) == 1
    assert list(config.incoming_folder.iterdir()) == list(config.uploads_folder.iterdir()) == []


def test_the_envelope_of_an_upload_stays_when_the_upload_is_swept_or_abandoned(
    upload: Upload, actor: Actor, config: ServerConfig
) -> None:
    receive_slice(upload.id, piece_of(CONTENT), actor, config)
    envelope = finish_upload(upload.id, actor, config)
    abandon_upload(upload.id, actor, config)
    assert finish_upload(upload.id, actor, config) == envelope
    os.utime(upload.folder, (time.time() - DAY_S - 1,) * 2)
    Housekeeping(config).before_claim()
    assert not upload.folder.exists()
    assert (config.incoming_folder / envelope.file_name).exists()
    with pytest.raises(UploadGoneError):
        finish_upload(upload.id, actor, config)


def test_an_upload_that_is_touched_is_not_swept_and_one_in_use_neither(
    upload: Upload, actor: Actor, config: ServerConfig
) -> None:
    os.utime(upload.folder, (time.time() - DAY_S - 1,) * 2)
    with (upload.folder / "lock").open("r+b") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        assert sweep_uploads(config) == 0
        for act in (
            lambda: receive_slice(upload.id, piece_of(b"x"), actor, config),
            lambda: finish_upload(upload.id, actor, config),
            lambda: abandon_upload(upload.id, actor, config),
        ):
            with pytest.raises(UploadBusyError):
                act()
    receive_slice(upload.id, piece_of(CONTENT[:9]), actor, config)
    assert sweep_uploads(config) == 0


def test_a_begin_that_died_is_swept(config: ServerConfig) -> None:
    folder = config.uploads_folder / ("0" * 32)
    folder.mkdir(parents=True)
    os.utime(folder, (time.time() - DAY_S - 1,) * 2)
    assert sweep_uploads(config) == 1
    assert sweep_uploads(config) == 0


def test_what_a_killed_slice_left_behind_the_offset_does_not_count(
    upload: Upload, actor: Actor, config: ServerConfig
) -> None:
    receive_slice(upload.id, piece_of(CONTENT[:50]), actor, config)
    with upload.data.open("ab") as stream:
        stream.write(b"half a slice that nobody confirmed" * 100)
    assert find_upload(upload.id, actor, config).about.offset_bytes == 50
    receive_slice(upload.id, piece_of(CONTENT[50:], 50), actor, config)
    _finish_again(upload, actor, config)


@pytest.fixture
def stalled() -> Iterator[threading.Event]:
    """Return what lets a body that stalls come to its end."""
    go_on = threading.Event()
    yield go_on
    go_on.set()


def test_a_sender_that_stalls_is_given_up_and_its_late_bytes_do_not_count(
    upload: Upload, actor: Actor, config: ServerConfig, stalled: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(receiving, "SLICE_WITHIN_S", 0.2)

    def read(size: int) -> bytes:
        stalled.wait(30)
        return b"X" * size

    started_s = time.monotonic()
    with pytest.raises(SliceTooSlowError):
        receive_slice(upload.id, Slice(0, 100, read), actor, config)
    assert time.monotonic() - started_s < 5
    receive_slice(upload.id, piece_of(CONTENT), actor, config)
    stalled.set()
    _finish_again(upload, actor, config)


def test_a_connection_that_breaks_leaves_the_slot_to_others(
    upload: Upload, actor: Actor, config: ServerConfig
) -> None:
    def read(_size: int) -> bytes:
        raise ConnectionResetError

    for _ in range(receiving.SLICES_AT_ONCE + 1):
        with pytest.raises(SliceBrokenError, match="0 came"):
            receive_slice(upload.id, Slice(0, 100, read), actor, config)
    receive_slice(upload.id, piece_of(CONTENT), actor, config)
    _finish_again(upload, actor, config)


def test_more_slices_at_once_than_there_are_places_for_are_told_to_wait(
    upload: Upload, actor: Actor, config: ServerConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(receiving, "_slots", threading.BoundedSemaphore(1))
    with receiving._slot(upload), pytest.raises(UploadCrowdedError) as caught:
        receive_slice(upload.id, piece_of(CONTENT), actor, config)
    assert (caught.value.offset_bytes, caught.value.may_be_repeated) == (0, True)
    receive_slice(upload.id, piece_of(CONTENT), actor, config)


def test_a_refusal_for_the_project_of_the_manifest_keeps_nothing_but_the_upload(
    upload: Upload, actor: Actor, config: ServerConfig
) -> None:
    receive_slice(upload.id, piece_of(CONTENT), actor, config)
    assert actor.user
    # a Viewer there, who may still submit elsewhere
    Membership.objects.filter(user=actor.user, project__code="PERINATAL").update(role=Role.VIEWER)
    stranger = User.objects.get(username="stranger")
    other = Membership.objects.get(user=stranger).project
    Membership.objects.create(user=actor.user, project=other, role=Role.OPERATOR)
    with pytest.raises(SubmitRefusedError):
        finish_upload(upload.id, actor, config)
    assert _left_over(config) == []
    abandon_upload(upload.id, actor, config)
    assert not upload.folder.exists()


def test_a_disk_that_is_not_there_any_more_is_told(upload: Upload, actor: Actor, config: ServerConfig) -> None:
    shutil.rmtree(config.uploads_folder)
    with pytest.raises(UploadGoneError):
        receive_slice(upload.id, piece_of(CONTENT), actor, config)
