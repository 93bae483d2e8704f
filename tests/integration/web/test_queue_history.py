"""Queue history: who steered, as each person may see it; paging, filters, and what it costs."""

from collections.abc import Callable

import pytest
from django.db import connection
from django.db.models import QuerySet
from django.utils import timezone

from linkwright.services.cancel_envelope import cancel_envelope
from linkwright.services.cancel_job import cancel_job
from linkwright.services.pause_queue import pause_queue, resume_queue
from linkwright.store.audit_log import SYSTEM, Actor, record_action
from linkwright.store.models import AuditLogEntry, Job, JobKind
from linkwright.store.queries import steering_history
from linkwright.store.queries.steering_history import HistoryFilter, list_steering
from tests.integration.web.conftest import SignIn
from tests.integration.web.seed import World
from tests.integration.web.test_live import Reader

HISTORY = "/jobs/queue/history/"


@pytest.fixture
def steered(world: World) -> World:
    """Return a world in which much was steered."""
    owner, stranger, admin = (Actor(user, "10.1.2.3") for user in (world.owner, world.stranger, world.admin))
    envelope, foreign = world.envelopes["HOSP-2026-10"], world.envelopes["TUMOURS-2026"]
    failed = world.job("BIRTHS-2025-late", JobKind.LOAD)
    record_action(owner, "submit Envelope", str(envelope), project_code="PERINATAL")
    record_action(stranger, "submit Envelope", str(foreign), project_code="CANCER")
    record_action(owner, "cancel Envelope", str(envelope), project_code="PERINATAL", reason="sent twice")
    pause_queue(stranger, "the disk is being changed")
    resume_queue(stranger)
    record_action(
        admin, "clear queue", "Job Queue", reason="wrong month", detail={"jobs": [{"job": 1}, {"job": 2}]}
    )
    record_action(
        SYSTEM,
        "pause queue",
        "Job Queue",
        reason="births.csv, line 8 211",
        detail={"job": failed.pk, "kind": "Load", "project": "PERINATAL"},
    )
    record_action(admin, "change setting", "Worker.Load.MaxRejectedRows")
    return world


def test_each_person_sees_their_projects_and_the_whole_queue_and_nothing_else(
    steered: World, sign_in: SignIn
) -> None:
    seen = {
        user.username: [(row.action, row.person) for row in list_steering(user, HistoryFilter()).rows]
        for user in (steered.admin, steered.viewer, steered.stranger)
    }
    queue = [
        ("pause queue", "the failure of a job"),
        ("clear queue", "admin"),
        ("resume queue", "stranger"),
        ("pause queue", "stranger"),
    ]
    own, foreign = ("submit Envelope", "owner"), ("submit Envelope", "stranger")
    assert seen == {
        "admin": [*queue, ("cancel Envelope", "owner"), foreign, own],
        "viewer": [*queue, ("cancel Envelope", "owner"), own],
        "stranger": [*queue, foreign],
    }
    html = sign_in(steered.stranger).get(HISTORY).content.decode()
    for secret in ("PERINATAL", "HOSP-2026-10", "births.csv", "sent twice", "10.1.2.3"):
        assert secret not in html


def test_the_page_tells_when_who_what_and_why_with_links(steered: World, sign_in: SignIn) -> None:
    html = sign_in(steered.viewer).get(HISTORY).content.decode()
    envelope, failed = steered.envelopes["HOSP-2026-10"], steered.job("BIRTHS-2025-late", JobKind.LOAD)
    assert f"{timezone.now():%Y-%m-%d} " in html
    assert f'href="/jobs/envelopes/{envelope.pk}/jobs/" title="HOSP-2026-10">HOSP-2026-10</a>' in html
    assert f'<a class="name" href="/jobs/{failed.pk}/statistics/">job {failed.pk}</a>' in html
    for shown in ("sent twice", "the disk is being changed", "births.csv, line 8 211", "Rollback</option>"):
        assert shown in html
    assert "10.1.2.3" not in html
    admin = sign_in(steered.admin).get(HISTORY).content.decode()
    assert "10.1.2.3" in admin
    assert "2 jobs" in admin
    assert "Worker.Load.MaxRejectedRows" not in admin


def test_filters_narrow_to_an_action_and_a_person(steered: World, sign_in: SignIn) -> None:
    def entries(query: str) -> int:
        response = sign_in(steered.admin).get(f"{HISTORY}?{query}", follow=True)
        return response.content.decode().count('id="history-')

    assert entries("action=Pause") == 2
    assert entries("action=Pause&person=stranger") == 1
    assert entries("action=Pause&person=system") == 1
    assert entries("person=nobody") == 0
    assert entries("action=nonsense&before=x&after=-1") == 7
    html = sign_in(steered.admin).get(f"{HISTORY}?action=Pause&person=stranger").content.decode()
    assert '<a class="chip" href="/jobs/queue/history/?person=stranger">Action: Pause' in html


def test_pages_follow_each_other_without_gap_or_repetition(empty_world: World) -> None:
    for number in range(23):
        code = ("PERINATAL", "CANCER")[number % 2]
        record_action(Actor(empty_world.owner, ""), "submit Envelope", f"Envelope {number} (x)", project_code=code)
    for user, count in ((empty_world.admin, 23), (empty_world.viewer, 12)):
        seen: list[int] = []
        page = list_steering(user, HistoryFilter(), limit=5)
        while True:
            seen += [row.id for row in page.rows]
            if not page.older:
                break
            page = list_steering(user, HistoryFilter(), before=int(page.older), limit=5)
        assert len(seen) == count
        assert seen == sorted(seen, reverse=True)
        upwards = list_steering(user, HistoryFilter(), after=seen[7], limit=5)
        assert [row.id for row in upwards.rows] == seen[2:7]
        assert upwards.newer


def test_whoever_walks_up_to_the_newest_entries_is_on_the_first_page(steered: World, sign_in: SignIn) -> None:
    oldest = list_steering(steered.admin, HistoryFilter()).rows[-1].id
    response = sign_in(steered.admin).get(f"{HISTORY}?after={oldest}&action=Pause")
    # only there new ones appear by themselves
    assert (response.status_code, response["Location"]) == (302, f"{HISTORY}?action=Pause")


def test_a_pause_appears_by_itself(steered: World, sign_in: SignIn) -> None:
    reader = Reader(sign_in(steered.viewer), HISTORY)
    assert reader.poll(with_token=False).html == ""
    pause_queue(Actor(steered.owner, ""), "backup of the machine")
    assert "backup of the machine" in reader.poll().html


@pytest.mark.parametrize(
    "wanted",
    [
        HistoryFilter(),
        HistoryFilter(("clear queue",)),
        HistoryFilter(("cancel Envelope", "cancel job")),
        HistoryFilter(person="viewer"),
    ],
)
def test_every_part_is_read_from_an_index_of_steering(
    steered: World, monkeypatch: pytest.MonkeyPatch, wanted: HistoryFilter
) -> None:
    AuditLogEntry.objects.bulk_create(
        AuditLogEntry(
            at=timezone.now(), action="see values", user=steered.viewer, project_code="PERINATAL", number=number
        )
        for number in range(1001, 3001)
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    parts: list[QuerySet[AuditLogEntry]] = []
    original: Callable[..., object] = steering_history._parts

    def spy(*arguments: object) -> object:
        parts.extend(original(*arguments))  # type: ignore[arg-type]
        return iter(parts)

    monkeypatch.setattr(steering_history, "_parts", spy)
    for user in (steered.admin, steered.viewer):
        parts.clear()
        list_steering(user, wanted)
        assert parts
        for part in parts:
            plan = part.filter(pk__lt=10**9).order_by("-pk")[:51].explain()
            assert "USING INDEX steering" in plan
            assert "TEMP B-TREE" not in plan


def test_a_job_that_was_cancelled_by_itself_stands_in_the_history(world: World, sign_in: SignIn) -> None:
    project = world.perinatal
    job = Job.objects.create(
        kind=JobKind.COMPACT, queue_rank=0, queued_at=timezone.now(), project=project, project_code=project.code
    )
    cancel_job(job.pk, Actor(world.owner, "10.1.2.3"), "not now")
    cancel_envelope(world.envelopes["HOSP-2026-10"].pk, Actor(world.owner, "10.1.2.3"), "sent twice")
    for query in ("", "?action=Cancel", "?action=Cancel&person=owner"):
        html = sign_in(world.viewer).get(f"{HISTORY}{query}").content.decode()
        assert f'href="/jobs/{job.pk}/statistics/"' in html
        assert html.index("sent twice") < html.index("not now")
        assert html.count('id="history-') == 2
        assert html.count(">Cancel</option>") == 1
    assert "not now" not in sign_in(world.stranger).get(HISTORY).content.decode()
    assert "not now" not in sign_in(world.viewer).get(f"{HISTORY}?action=Clear").content.decode()


def test_an_action_that_there_is_not_is_left_out_and_told(steered: World, sign_in: SignIn) -> None:
    client = sign_in(steered.admin)
    html = client.get(f"{HISTORY}?action=Explode").content.decode()
    assert "There is no action &#x27;Explode&#x27; here, so it is left out." in html
    assert "the disk is being changed" in html
    assert "left out" not in client.get(f"{HISTORY}?action=Pause").content.decode()
