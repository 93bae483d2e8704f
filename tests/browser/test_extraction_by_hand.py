"""An Extraction Project in the browser: created, extracted from, and a result downloaded."""

import json
import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

from linkwright.config import load_config, prepare_home
from linkwright.store.models import ExtractionProject, Job, JobKind
from tests.browser.conftest import OpenPage
from tests.browser.test_access import faults_of
from tests.integration.web.seed import World
from tests.integration.web.seed_extraction import RESULT_CONTENT

HERE = "/projects/PERINATAL/extractions/DIABETES/"


@pytest.fixture
def _secret(world: World) -> None:
    prepare_home(load_config())
    (load_config().home / "person-keys.json").write_text(json.dumps({"secrets": {"1": "00" * 32}}))


@pytest.mark.usefixtures("_secret")
def test_one_is_created_with_columns_renamed_and_refused_once(world: World, open_page: OpenPage) -> None:
    page = open_page("/projects/PERINATAL/", world.owner)
    page.locator("#new-extraction").click()
    page.get_by_label("Code", exact=True).fill("ASTHMA")
    page.get_by_label("Name", exact=True).fill("Asthma outcomes")
    page.get_by_label("Approval reference").fill("HREC 2026/18")
    page.get_by_role("radio", name=re.compile("Snapshot")).check()
    page.get_by_label("Name of person_key in the header").fill("KEY")
    page.get_by_role("button", name="Create it").click()
    expect(page.get_by_role("alert")).to_contain_text("No Event Type is chosen")
    assert faults_of(page) == []
    page.get_by_role("checkbox", name=re.compile("HOSP")).check()
    page.get_by_role("button", name="Create it").click()
    expect(page.get_by_text("(Snapshot) waits for its turn.")).to_be_visible()
    made = ExtractionProject.objects.get(code="ASTHMA")
    assert made.columns[0] == {"column": "person_key", "name": "KEY"}
    assert faults_of(page) == []


def test_it_is_extracted_from_and_a_result_is_downloaded(
    world: World, open_page: OpenPage, tmp_path: Path
) -> None:
    page = open_page(HERE, world.owner)
    page.locator("#extract-now").press("Enter")
    expect(page.get_by_role("link", name="Not now")).to_be_focused()
    page.get_by_role("button", name="Extract", exact=True).click()
    # without loading the page anew
    expect(page.get_by_text("(Extract) waits for its turn.")).to_be_visible()
    assert Job.objects.filter(kind=JobKind.EXTRACT, parameters__with_changes=False).count() == 1
    with page.expect_download() as started:
        page.get_by_role("link", name=re.compile("^Download result")).click()
    saved = tmp_path / started.value.suggested_filename
    started.value.save_as(saved)
    assert saved.read_bytes() == RESULT_CONTENT
    assert saved.name.startswith("PERINATAL-DIABETES-HOSP-")
