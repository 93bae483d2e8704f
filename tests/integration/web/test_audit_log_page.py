"""Audit log: who may read which entries, filters, paging, the export, and whether the chain holds."""

import csv
import io
from datetime import date

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from linkwright.services.check_audit_log import check_audit_log
from linkwright.store.audit_log import SYSTEM, Actor, record_action
from linkwright.store.models import AuditLogEntry, User
from linkwright.store.queries.audit_entries import AuditFilter, filtered_entries, known_actions, list_audit_log
from tests.integration.web.conftest import SignIn
from tests.integration.web.seed import World

PAGE = "/admin/audit-log/"


@pytest.fixture
def logged(empty_world: World) -> World:
    """Return a world in which some things were done."""
    owner, stranger, admin = (
        Actor(user, "10.1.2.3") for user in (empty_world.owner, empty_world.stranger, empty_world.admin)
    )
    record_action(owner, "submit Envelope", "Envelope 7 (HOSP-2026-10)", project_code="PERINATAL")
    record_action(stranger, "submit Envelope", "Envelope 8 (TUMOURS)", project_code="CANCER", reason="=1+1")
    record_action(owner, "retry job", "Job 9 (Load)", project_code="PERINATAL", reason="disk <full>, now freed")
    record_action(admin, "change setting", "Backup.Keep", detail={"before": 7, "after": 9})
    record_action(SYSTEM, "back up", "Job 3 (Backup)")
    return empty_world


def numbers(user: User, **wanted: object) -> list[int]:
    rows = list_audit_log(user, AuditFilter(**wanted)).rows  # type: ignore[arg-type]
    return [row.number or 0 for row in rows]


def table(client: Client, query: str = "") -> list[list[str]]:
    response = client.get(f"{PAGE}export/?{query}")
    assert response.headers["Content-Disposition"].startswith('attachment; filename="audit-log-')
    text = response.getvalue().decode()
    return list(csv.reader(io.StringIO(text)))


def test_administrators_read_all_and_owners_what_is_of_their_projects(logged: World, sign_in: SignIn) -> None:
    assert numbers(logged.admin) == [5, 4, 3, 2, 1]
    assert numbers(logged.owner) == [3, 1]
    assert numbers(logged.stranger) == [2]
    assert numbers(logged.viewer) == numbers(logged.operator) == numbers(logged.reviewer) == []
    html = sign_in(logged.stranger).get(PAGE).content.decode()
    assert "TUMOURS" in html
    for secret in ("PERINATAL", "HOSP-2026-10", "Backup.Keep", "disk", "Check the chain"):
        assert secret not in html
    assert sign_in(logged.stranger).get(f"{PAGE}3/").status_code == 404
    assert sign_in(logged.viewer).get(PAGE).status_code == 403


def test_each_filter_narrows_and_stands_in_the_address(logged: World, sign_in: SignIn) -> None:
    today = timezone.now().date()
    assert numbers(logged.admin, person="owner") == [3, 1]
    assert numbers(logged.admin, person="system") == [5]
    assert numbers(logged.admin, person="nobody") == []
    assert numbers(logged.admin, action="submit Envelope") == [2, 1]
    assert numbers(logged.admin, project="PERINATAL", action="retry job") == [3]
    assert numbers(logged.owner, project="CANCER") == []
    assert numbers(logged.admin, text="hosp") == [1]
    assert numbers(logged.admin, text="FREED") == [3]
    assert numbers(logged.admin, since=today, until=today) == [5, 4, 3, 2, 1]
    AuditLogEntry.objects.filter(number__lte=2).update(at="2026-01-31T23:59:59.999Z")
    assert numbers(logged.admin, until=date(2026, 1, 31)) == [2, 1]
    assert numbers(logged.admin, since=date(2026, 2, 1)) == [5, 4, 3]
    html = sign_in(logged.admin).get(f"{PAGE}?person=owner&action=retry+job&since=2026-02-01").content.decode()
    assert html.count('id="entry-3"') == 1
    assert 'href="/admin/audit-log/?person=owner&amp;since=2026-02-01">Action: retry job' in html
    assert 'value="2026-02-01"' in html
    assert "/admin/audit-log/export/?person=owner&amp;action=retry+job&amp;since=2026-02-01" in html


@pytest.mark.parametrize(
    "query",
    ["since=nonsense&until=9999-12-31", "before=x&after=-1", "text=%00", "person=%00", f"text={'x' * 9999}"],
)
def test_an_address_that_cannot_be_read_breaks_nothing(logged: World, sign_in: SignIn, query: str) -> None:
    assert sign_in(logged.admin).get(f"{PAGE}?{query}").status_code == 200


def test_what_people_typed_is_shown_as_text_and_targets_are_links(logged: World, sign_in: SignIn) -> None:
    html = sign_in(logged.admin).get(PAGE).content.decode()
    assert "disk &lt;full&gt;, now freed" in html
    assert 'href="/jobs/9/statistics/" title="Job 9 (Load)"' in html
    assert 'href="/jobs/envelopes/7/jobs/" title="HOSP-2026-10"' in html
    entry = sign_in(logged.admin).get(f"{PAGE}4/").content.decode()
    assert '<dt>Before</dt><dd class="code breakable">7</dd>' in entry
    assert AuditLogEntry.objects.get(number=4).sha256 in entry


def test_pages_follow_each_other_without_gap_or_repetition(empty_world: World) -> None:
    for number in range(23):
        record_action(Actor(empty_world.owner, ""), "retry job", project_code=("PERINATAL", "CANCER")[number % 2])
    for user, count in ((empty_world.admin, 23), (empty_world.owner, 12)):
        seen: list[int] = []
        page = list_audit_log(user, AuditFilter(), limit=5)
        while True:
            seen += [row.number or 0 for row in page.rows]
            if not page.older:
                break
            page = list_audit_log(user, AuditFilter(), before=int(page.older), limit=5)
        assert len(seen) == count
        assert seen == sorted(seen, reverse=True)
        upwards = list_audit_log(user, AuditFilter(), after=seen[7], limit=5)
        assert [row.number for row in upwards.rows] == seen[2:7]
        assert upwards.newer


def test_the_export_is_what_is_filtered_and_is_itself_an_entry(
    logged: World, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("linkwright.store.queries.audit_entries.EXPORTED_AT_ONCE", 2)
    monkeypatch.setattr("linkwright.services.export_audit_log._PIECE_CHARACTERS", 10)
    rows = table(sign_in(logged.admin))
    assert [row[0] for row in rows] == ["number", "5", "4", "3", "2", "1"]
    assert rows[2][2:7] == ["admin", "change setting", "Backup.Keep", "", ""]
    assert rows[2][8] == '{"after": 9, "before": 7}'
    # a spreadsheet would work it out
    assert rows[4][6] == "'=1+1"
    entry = AuditLogEntry.objects.get(action="export audit log")
    assert (entry.user, entry.target, entry.origin) == (logged.admin, "up to entry 5", "127.0.0.1")
    assert [row[0] for row in table(sign_in(logged.owner), "person=owner&text=freed")] == ["number", "3"]
    assert AuditLogEntry.objects.latest("pk").detail == {"person": "owner", "text": "freed"}


def test_the_page_says_whether_the_chain_holds(logged: World, sign_in: SignIn) -> None:
    client = sign_in(logged.admin)
    assert "All 5 entries fit" in client.get(f"{PAGE}check/").content.decode()
    AuditLogEntry.objects.filter(number=2).update(reason="forged")
    html = client.get(f"{PAGE}check/").content.decode()
    assert "It does not hold" in html
    assert "Entry 2 (" in html
    assert str(check_audit_log().head) in html


def test_filters_are_answered_from_an_index(logged: World) -> None:
    AuditLogEntry.objects.bulk_create(
        AuditLogEntry(at=timezone.now(), action=f"a {number % 20}", user=logged.viewer, number=number)
        for number in range(1001, 3001)
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    for wanted in (AuditFilter(), AuditFilter(person="owner"), AuditFilter(action="retry job")):
        plan = filtered_entries(logged.admin, wanted).filter(number__lt=10**9).order_by("-number")[:51].explain()
        assert "USING INDEX" in plan
        assert "TEMP B-TREE" not in plan
    assert known_actions()[:3] == ["a 0", "a 1", "a 10"]


def test_a_day_that_cannot_be_read_is_left_out_and_told_and_an_unknown_name_is_nothing(
    logged: World, sign_in: SignIn
) -> None:
    client = sign_in(logged.admin)
    html = client.get(f"{PAGE}?since=2026-02-31&until=soon&person=owner&colour=red").content.decode()
    assert "&#x27;2026-02-31&#x27; is no day, so &#x27;From&#x27; is left out. Write it as 2026-03-31." in html
    assert "&#x27;soon&#x27; is no day, so &#x27;To&#x27; is left out." in html
    assert html.count('id="entry-') == 2 * len(numbers(logged.admin, person="owner"))
    assert "colour" not in html
    assert "left out" not in client.get(f"{PAGE}?since=2026-02-28&until=").content.decode()
