"""The line about the inbox on ALL JOBS, and what `linkwright doctor` says of it."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from linkwright.config import load_config, prepare_home
from linkwright.services.check_system import check_system
from linkwright.services.inbox_status import InboxStatus, write_inbox_status
from linkwright.store.audit_log import COMMAND_LINE
from linkwright.store.models import WorkerPresence
from linkwright.store.settings import change_setting
from tests.integration.web.conftest import SignIn
from tests.integration.web.seed import World

PATH = "/jobs/all/"


@pytest.fixture(autouse=True)
def _home() -> Iterator[None]:
    config = load_config()
    prepare_home(config)
    yield
    config.inbox_status_file.unlink(missing_ok=True)


def tell(world: World, **changes: object) -> None:
    """Let the watch have seen something."""
    change_setting("Inbox.Enabled", True, COMMAND_LINE)
    change_setting("Inbox.Folder", "/srv/inbox", COMMAND_LINE)
    seen: dict[str, object] = {
        "folder": "/srv/inbox",
        "settling_count": 2,
        "unfinished_count": 1,
        "rejected_count": 4,
        "last_envelope_id": world.envelopes["HOSP-2026-10"].pk,
        "last_name": "HOSP-2026-10",
        "last_at": datetime.now(UTC).isoformat(),
        **changes,
    }
    write_inbox_status(load_config(), InboxStatus(**seen))  # type: ignore[arg-type]


def test_nothing_is_said_while_no_inbox_is_watched_or_to_those_who_may_not_submit(
    world: World, sign_in: SignIn
) -> None:
    assert "inbox-line " not in sign_in(world.admin).get(PATH).content.decode()
    tell(world)
    assert "/srv/inbox" not in sign_in(world.viewer).get(PATH).content.decode()


def test_those_who_may_submit_see_folder_last_file_and_counts(world: World, sign_in: SignIn) -> None:
    tell(world)
    html = sign_in(world.owner).get(PATH).content.decode()
    line = html[html.index('class="inbox-line') :].split("</p>")[0]
    for part in ("/srv/inbox", ">HOSP-2026-10</a>", "3 wait to settle", "4 in"):
        assert part in line
    assert "warning-text" not in line


def test_the_last_envelope_of_a_project_of_others_is_not_named(world: World, sign_in: SignIn) -> None:
    tell(world)
    html = sign_in(world.stranger).get(PATH).content.decode()
    assert "last taken" in html
    assert "HOSP-2026-10" not in html


def test_a_folder_that_cannot_be_read_and_an_absent_worker_are_amber(world: World, sign_in: SignIn) -> None:
    tell(world, problem="The inbox /srv/inbox cannot be read (No such file or directory).")
    html = sign_in(world.owner).get(PATH).content.decode()
    assert "inbox-line warning-text" in html
    assert "cannot be read (No such file" in html
    WorkerPresence.objects.all().delete()
    assert "Nobody watches the inbox" in sign_in(world.owner).get(PATH).content.decode()


def test_the_line_is_live(world: World, sign_in: SignIn) -> None:
    tell(world)
    client = sign_in(world.owner)
    shown = {"shown": "inbox-line~000000000000"}
    first = client.get("/jobs/all/live/", shown)
    unchanged = client.get("/jobs/all/live/", shown, headers={"If-None-Match": first["ETag"]})
    assert unchanged.status_code == 304
    tell(world, rejected_count=5)
    changed = client.get("/jobs/all/live/", shown, headers={"If-None-Match": first["ETag"]})
    assert "5 in" in changed.content.decode()


def test_doctor_tells_how_the_inbox_stands(world: World) -> None:
    def found() -> list[tuple[bool, str]]:
        return [(one.ok, one.text) for one in check_system(load_config()) if one.subject == "inbox"]

    assert found() == []
    tell(world)
    ((ok, text),) = found()
    assert ok
    assert "/srv/inbox is watched; last taken HOSP-2026-10" in text
    tell(world, folder="/srv/other")
    assert found() == [(False, "/srv/inbox is not watched yet. A worker does it: start `linkwright serve`.")]
    tell(world, problem="It is gone.")
    assert found() == [(False, "It is gone.")]
