"""Estimates over the held records: started by a person, applied by a click, with term frequencies or without."""

import io
import json
import zipfile

import pyarrow.parquet as pq
import pytest
import yaml

from linkwright.engine.strategy import parse_match_configuration
from linkwright.envelopes.package import verify_package
from linkwright.errors import LinkwrightError
from linkwright.jobs import estimate as estimate_job
from linkwright.jobs.context import package_limits
from linkwright.jobs.project_form import linkage_fields
from linkwright.queue.claim import claim_next
from linkwright.services.apply_estimation import ApplyRefusedError, apply_estimation
from linkwright.services.download_estimation import pack_estimation
from linkwright.services.recover_jobs import recover_orphans
from linkwright.services.retry_job import retry_job
from linkwright.services.start_estimation import start_building_frequencies, start_estimation
from linkwright.services.sweep_files import sweep_files
from linkwright.store.audit_log import COMMAND_LINE, Actor
from linkwright.store.models import (
    AuditLogEntry,
    AuditMessage,
    Estimation,
    Job,
    JobState,
    LinkageProject,
    MatchConfigurationVersion,
    User,
)
from tests.integration.pipeline.conftest import PROJECT_YAML, System
from tests.integration.pipeline.test_estimation_envelope import HELD, WITH_FREQUENCIES

pytestmark = pytest.mark.django_db

DETERMINISTIC = (
    PROJECT_YAML.partition("          match_threshold")[0]
    .replace("[[surname], [date_of_birth]]", "[[surname, date_of_birth]]")
)  # fmt: skip


@pytest.fixture(autouse=True)
def _drawn_quickly(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    # after the system, which has its own way of drawing nothing
    monkeypatch.setattr("linkwright.engine.charts.render_svg", lambda _plot: "<svg fill='var(--plot-1)' />")


def project() -> LinkageProject:
    """Return P1."""
    return LinkageProject.objects.get(code="P1")


def newest() -> MatchConfigurationVersion:
    """Return the newest version of P1's match configuration."""
    return MatchConfigurationVersion.objects.filter(project=project())[0]


def estimated(system: System) -> Estimation:
    """Estimate over the held records."""
    job = start_estimation(project(), COMMAND_LINE)
    system.drain()
    return Estimation.objects.get(job=job)


def test_an_estimate_proposes_and_changes_nothing(system: System) -> None:
    system.load("first", HELD)
    before, version = system.group_ids(), newest()
    estimation = estimated(system)
    assert (system.group_ids(), newest()) == (before, version)
    assert estimation.envelope is None
    assert estimation.base_version == version
    (strategy,) = estimation.results["strategies"]
    levels = {
        comparison["name"]: [level["estimated_m"] for level in comparison["levels"]]
        for comparison in strategy["comparisons"]
    }
    (proposed,) = estimation.definition["strategies"]
    assert {
        item["name"]: [level["m_probability"] for level in item["levels"]] for item in proposed["comparisons"]
    } == levels
    assert proposed["match_threshold"] == strategy["proposed_match_threshold"]
    entry = AuditLogEntry.objects.get(action="estimate parameters")
    assert (entry.project_code, entry.target) == ("P1", str(estimation.job))


def test_the_job_tells_what_it_did(system: System) -> None:
    system.load("first", HELD)
    job = estimated(system).job
    statistics = job.statistics
    assert statistics["records_count"] == statistics["held_records_count"] == len(HELD)
    assert (statistics["new_records_count"], statistics["match_configuration_version"]) == (0, 1)
    assert statistics["random_pairs_count"] == len(HELD) * (len(HELD) - 1) // 2
    assert statistics["candidate_pairs_count"] == sum(
        rule["candidate_pairs_count"] for rule in statistics["rules"]
    )
    assert (statistics["current_prior"], statistics["strategies"][0]["strategy"]) == (0.001, "person")
    assert [row["stage"] for row in statistics["stages"]] == ["sample", "patterns", "values", "estimate"]
    told = "\n".join(AuditMessage.objects.filter(job=job).values_list("text", flat=True))
    assert "Match configuration version 1" in told
    assert "matches expected; match threshold 2, proposed" in told


def test_what_cannot_be_estimated_is_refused_before_it_is_queued(system: System) -> None:
    with pytest.raises(LinkwrightError, match="holds fewer than 2 records"):
        start_estimation(project(), COMMAND_LINE)
    with pytest.raises(LinkwrightError, match="asks for no term frequencies"):
        start_building_frequencies(project(), COMMAND_LINE)
    system.apply(DETERMINISTIC)
    with pytest.raises(LinkwrightError, match="has no comparisons"):
        start_estimation(project(), COMMAND_LINE)
    MatchConfigurationVersion.objects.all().delete()
    with pytest.raises(LinkwrightError, match="has no match configuration"):
        start_estimation(project(), COMMAND_LINE)
    assert not Job.objects.exists()


def test_a_second_estimate_waits_for_the_first(system: System) -> None:
    system.load("first", HELD)
    job = start_estimation(project(), COMMAND_LINE)
    with pytest.raises(
        LinkwrightError, match=f"Job {job.pk} \\(Estimate\\) of project P1 is queued or runs already"
    ):
        start_estimation(project(), COMMAND_LINE)


def test_a_failed_estimate_leaves_nothing_and_can_be_retried(
    system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_arguments: object) -> None:
        raise RuntimeError("no ink")

    system.load("first", HELD)
    system.apply(WITH_FREQUENCIES)
    with monkeypatch.context() as patch:
        patch.setattr(estimate_job, "_statistics", broken)
        job = start_estimation(project(), COMMAND_LINE)
        system.drain()
    job.refresh_from_db()
    assert (job.state, Estimation.objects.count()) == (JobState.ERRORS, 0)
    sweep_files(system.config)
    assert not list(system.project_folder.glob("s-j*"))
    retry_job(job.pk, COMMAND_LINE)
    system.drain()
    estimation = Estimation.objects.get()
    assert f"-j{job.pk}-a2-" in estimation.term_frequencies
    sweep_files(system.config)
    assert (system.project_folder / estimation.term_frequencies).is_file()


def test_an_estimate_whose_process_died_is_run_again(system: System) -> None:
    system.load("first", HELD)
    job = start_estimation(project(), COMMAND_LINE)
    assert claim_next() == job
    recover_orphans()
    system.drain()
    job.refresh_from_db()
    assert (job.state, job.attempt, job.crash_count) == (JobState.SUCCESS, 2, 1)
    assert Estimation.objects.get().job == job


def test_applied_it_is_the_next_version_and_later_envelopes_use_it(system: System) -> None:
    system.load("first", HELD)
    system.apply(WITH_FREQUENCIES)
    estimation = estimated(system)
    person = User.objects.create(username="olga")
    version = apply_estimation(estimation.pk, Actor(person, "10.1.2.3"))
    assert (version.version, version.created_by, newest()) == (3, person, version)
    assert version.definition == estimation.definition
    assert version.term_frequencies == estimation.term_frequencies != ""
    parse_match_configuration(version.definition, linkage_fields(project()))
    entry = AuditLogEntry.objects.get(action="apply estimation")
    assert (entry.user, entry.origin, entry.detail["version"]) == (person, "10.1.2.3", 3)
    sweep_files(system.config)
    assert (system.project_folder / version.term_frequencies).is_file()


def test_an_estimation_is_applied_once(system: System) -> None:
    system.load("first", HELD)
    estimation = estimated(system)
    apply_estimation(estimation.pk, COMMAND_LINE)
    with pytest.raises(ApplyRefusedError, match="was applied already, as version 2"):
        apply_estimation(estimation.pk, COMMAND_LINE, replace_version=2)
    assert newest().version == 2


def test_a_configuration_that_was_changed_meanwhile_is_replaced_only_if_that_is_confirmed(system: System) -> None:
    system.load("first", HELD)
    estimation = estimated(system)
    system.apply(PROJECT_YAML.replace("match_threshold: 2", "match_threshold: 4"))
    with pytest.raises(ApplyRefusedError, match="Version 2 of the match configuration was made") as refused:
        apply_estimation(estimation.pk, COMMAND_LINE)
    assert "What it changed would be lost" in str(refused.value)
    system.apply(PROJECT_YAML.replace("match_threshold: 2", "match_threshold: 5"))
    # what was confirmed is not what is there now
    with pytest.raises(ApplyRefusedError, match="Version 3"):
        apply_estimation(estimation.pk, COMMAND_LINE, replace_version=2)
    assert apply_estimation(estimation.pk, COMMAND_LINE, replace_version=3).version == 4
    assert AuditLogEntry.objects.get(action="apply estimation").detail["replaced_version"] == 3


def test_an_estimation_that_is_unknown_is_refused(system: System) -> None:
    with pytest.raises(ApplyRefusedError, match="There is no estimation 77"):
        apply_estimation(77, COMMAND_LINE)


def test_term_frequencies_come_as_the_next_version_of_the_same_definition(system: System) -> None:
    system.load("first", HELD)
    system.apply(WITH_FREQUENCIES)
    person = User.objects.create(username="olga")
    job = start_building_frequencies(project(), Actor(person, "10.1.2.3"))
    system.drain()
    job.refresh_from_db()
    version = newest()
    assert (job.state, version.version, version.created_by) == (JobState.SUCCESS, 3, person)
    assert version.definition == MatchConfigurationVersion.objects.get(version=2).definition
    rows = pq.read_table(system.project_folder / version.term_frequencies).to_pylist()
    assert {row["field"] for row in rows} == {"surname"}
    assert job.statistics["values_count"] == len(rows) == len({row[2].lower() for row in HELD})
    assert not Estimation.objects.exists()
    # the same file applied again is no change: the frequencies stay
    system.apply(WITH_FREQUENCIES)
    assert newest() == version


def test_frequencies_of_a_configuration_that_was_changed_meanwhile_are_not_used(
    system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    system.load("first", HELD)
    system.apply(WITH_FREQUENCIES)
    job = start_building_frequencies(project(), COMMAND_LINE)
    before = newest()

    def change_it() -> int:
        # asked for when the counting is done, just before the commit; and once more by the failure
        changed = {"definition": before.definition}
        MatchConfigurationVersion.objects.get_or_create(project=project(), version=3, defaults=changed)
        return 0

    with monkeypatch.context() as patch:
        patch.setattr("linkwright.worker.child.peak_memory_bytes", change_it)
        system.drain()
    job.refresh_from_db()
    assert job.state == JobState.ERRORS
    assert "was changed while its term frequencies were counted" in job.error_message
    assert newest().term_frequencies == ""
    retry_job(job.pk, COMMAND_LINE)
    system.drain()
    assert (newest().version, bool(newest().term_frequencies)) == (4, True)


def test_the_download_is_an_envelope_with_the_configuration_the_tables_and_the_plots(system: System) -> None:
    system.load("first", HELD)
    estimation = estimated(system)
    packed = pack_estimation(estimation, COMMAND_LINE)
    assert packed.name == f"P1-estimation-{estimation.pk}.zip"
    path = system.folder / packed.name
    path.write_bytes(packed.content)
    manifest = verify_package(path, package_limits()).examination.manifest
    assert (manifest.request_type, manifest.linkage_project) == ("EstimateProbabilities", "P1")
    with zipfile.ZipFile(io.BytesIO(packed.content)) as package:
        texts = {name: package.read(name).decode() for name in package.namelist()}
    assert {file.file_name for file in manifest.metadata_files} == set(texts) - {"manifest.xml"}
    assert yaml.safe_load(texts["match.yaml"])["match"] == json.loads(texts["match.json"]) == estimation.definition
    header, *rows = texts["parameters.csv"].splitlines()
    assert header.startswith("strategy,comparison,level,current_m,estimated_m,current_u,estimated_u")
    assert len(rows) == 7
    assert {name for name in texts if name.endswith(".svg")} == {
        f"{plot['name']}.svg" for plot in estimation.plots
    }
    # outside the page there are no variables of its stylesheet
    assert texts["thresholds.svg"].startswith("<svg fill='#3a4bc8' />")
    assert "var(" not in texts["thresholds.svg"]
    assert AuditLogEntry.objects.filter(action="download estimation").exists()
    assert not list(system.config.scratch_folder.glob("estimate-*"))
