"""A reviewer finds a record, looks at its group, asks why, and takes a record out: all of it by the keyboard."""

from pathlib import Path

import pytest
from playwright.sync_api import expect
from pytest_django.live_server_helper import LiveServer

from linkwright.config import load_config, prepare_home
from linkwright.store.models import Envelope, EnvelopeReport, LinkageProject, Membership, Role, User
from tests.browser.conftest import OpenPage
from tests.browser.test_access import faults_of
from tests.integration.pipeline.conftest import PROJECT_YAML, System, without_drawing

__all__ = ["without_drawing"]

ROWS = [
    ("a1", "Anna", "Berg", "1980-01-02", "2000"),
    ("a2", "Anna", "Berg", "1980-01-02", "2017"),
    ("a3", "Annalie", "Berg", "1980-01-02", ""),
    *((f"z{number:02}", "Zoe", "Quist", "1955-12-13", "2000") for number in range(41)),
]


@pytest.fixture
def linked(
    live_server: LiveServer, without_drawing: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> System:
    """Return a project with a group of three and one of forty-one, and people."""
    monkeypatch.setenv("LINKWRIGHT_HOME", str(tmp_path / "home"))
    prepare_home(load_config())
    made = System(load_config(), tmp_path)
    made.apply(PROJECT_YAML)
    assert made.load("first", ROWS).state == "Success"
    EnvelopeReport.objects.update(plots=[])
    return made


def member(role: Role) -> User:
    """Make a member of the project."""
    user = User.objects.create(username=role.value.lower())
    Membership.objects.create(user=user, project=LinkageProject.objects.get(code="P1"), role=role)
    return user


def test_a_record_is_found_looked_at_and_taken_out(linked: System, open_page: OpenPage) -> None:
    page = open_page("/projects/P1/", member(Role.REVIEWER))
    page.get_by_text("Search by name and other values").press("Enter")
    page.get_by_label("Surname").fill("BERG")
    page.get_by_label("Date of birth").fill("1980-01-02")
    page.get_by_label("Date of birth").press("Enter")
    expect(page.get_by_role("heading", name="3 records found")).to_be_visible()
    assert faults_of(page) == []
    page.get_by_role("link", name="Group 1").first.press("Enter")
    expect(page.get_by_role("img", name="3 records and 3 links")).to_be_visible()
    assert faults_of(page) == []
    page.get_by_role("link", name="1 and 2", exact=True).press("Enter")
    expect(page.get_by_role("img", name="Match weight by the strategy person")).to_be_visible()
    page.go_back()
    page.get_by_label("Choose record 3").press("Space")
    page.get_by_label("The chosen ones are another person's").press("Space")
    page.get_by_label("Reason").fill("the postcode is another's")
    page.get_by_label("Reason").press("Enter")
    expect(page.get_by_text("Review of group 1 is queued as Envelope")).to_be_visible()
    expect(page.get_by_text("waits in the queue")).to_be_visible()
    linked.drain()
    assert Envelope.objects.get(name="Review of group 1").state == "Success"
    page.reload()
    expect(page.get_by_text("ADM:a1 and ADM:a3 belong apart")).to_be_visible()
    expect(page.get_by_role("img", name="2 records and 1 link")).to_be_visible()


def test_a_large_group_is_a_table_and_a_word_about_it(linked: System, open_page: OpenPage) -> None:
    page = open_page("/projects/P1/groups/2/", member(Role.VIEWER))
    expect(page.get_by_text("A group of more than 40 records is not drawn.")).to_be_visible()
    expect(page.get_by_role("region", name="Records side by side").get_by_role("row")).to_have_count(42)
    expect(page.get_by_text("hidden", exact=True)).to_have_count(41)
    expect(page.get_by_role("region", name="Pairs").get_by_role("row")).to_have_count(801)
    expect(page.get_by_text("20 lighter pairs are not shown.")).to_be_visible()
