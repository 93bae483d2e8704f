"""An estimation in the browser: looked at, downloaded and applied."""

import re
import zipfile
from pathlib import Path

from playwright.sync_api import expect

from linkwright.store.models import EndReason, Job, JobKind, JobState, MatchConfigurationVersion
from tests.browser.conftest import OpenPage
from tests.browser.test_access import faults_of
from tests.integration.web.seed import World


def test_an_estimation_is_looked_at_downloaded_and_applied(
    world: World, open_page: OpenPage, tmp_path: Path
) -> None:
    page = open_page("/projects/PERINATAL/", world.owner)
    page.get_by_role("link", name=re.compile("^Estimation ")).click()
    expect(page.get_by_role("region", name="Parameters of standard")).to_contain_text("+11.01")
    with page.expect_download() as started:
        page.locator("#download-estimation").click()
    saved = tmp_path / started.value.suggested_filename
    started.value.save_as(saved)
    with zipfile.ZipFile(saved) as package:
        assert {"manifest.xml", "match.yaml", "parameters.csv"} <= set(package.namelist())
    page.locator("#apply-estimation").press("Enter")
    expect(page.get_by_role("link", name="Leave it as it is")).to_be_focused()
    page.keyboard.press("Escape")
    assert MatchConfigurationVersion.objects.filter(project=world.perinatal)[0].version == 3
    page.locator("#apply-estimation").click()
    page.get_by_role("button", name="Apply as version 4").click()
    expect(page.get_by_text("PERINATAL has version 4 of its match configuration.")).to_be_visible()
    expect(page.get_by_text("Applied as version 4")).to_be_visible()
    expect(page.locator("#apply-estimation")).to_have_count(0)
    assert MatchConfigurationVersion.objects.filter(project=world.perinatal)[0].version == 4


def test_an_estimate_that_cannot_start_says_why_in_its_dialog(world: World, open_page: OpenPage) -> None:
    page = open_page("/projects/PERINATAL/", world.owner)
    page.locator("#estimate").click()
    page.get_by_role("button", name="Estimate parameters").click()
    expect(page.get_by_role("alert")).to_contain_text("match configuration")


def test_a_list_with_an_estimate_that_waits_or_has_failed_has_no_serious_fault(
    world: World, open_page: OpenPage
) -> None:
    job = Job.objects.create(
        kind=JobKind.ESTIMATE,
        project=world.perinatal,
        project_code="PERINATAL",
        queue_rank=999,
        queued_at=world.envelopes["BIRTHS-2026"].received_at,
    )
    page = open_page("/projects/PERINATAL/", world.owner)
    expect(page.get_by_text("(Estimate) waits for its turn.")).to_be_visible()
    faults = faults_of(page)
    Job.objects.filter(pk=job.pk).update(
        state=JobState.ERRORS, end_reason=EndReason.FAILED, error_message="There is nothing to estimate from."
    )
    page.reload()
    expect(page.get_by_text("ended in Errors: There is nothing")).to_be_visible()
    assert faults + faults_of(page) == []
