"""From an Envelope to linked groups: results, increments, visibility, failures, retries."""

import random
from pathlib import Path

import pytest
from django.test import Client

from linkwright.jobs.context import project_folder
from linkwright.services.apply_project_file import apply_project_file
from linkwright.services.project_file import read_project_file
from linkwright.services.retry_job import retry_job, why_not_retry
from linkwright.services.sweep_files import sweep_files
from linkwright.store.audit_log import COMMAND_LINE
from linkwright.store.models import (
    AuditLogEntry,
    Batch,
    BatchKind,
    BatchState,
    Envelope,
    EnvelopeReport,
    EnvelopeState,
    EventType,
    Job,
    JobState,
    LinkageProject,
    Membership,
    Notification,
    Severity,
    User,
)
from linkwright.store.settings import change_setting
from tests.integration.pipeline.conftest import PROJECT_YAML, Row, System

pytestmark = pytest.mark.django_db

ANNA = ("Anna", "Berg", "1980-01-02", "2000")
BEN = ("Ben", "Cole", "1975-05-06", "3000")
CLEO = ("Cleo", "Dunn", "1990-09-10", "4000")


def people(count: int, seed: int) -> list[Row]:
    """Return rows of `count` persons with one to three records each, some with another given name, shuffled."""
    rng = random.Random(seed)
    rows: list[Row] = []
    for person in range(count):
        surname = rng.choice(["Berg", "Cole", "Dunn", "Eck", "Fahy"]) + str(person % 40)
        birth = f"{rng.randrange(1940, 2010)}-{rng.randrange(1, 13):02d}-{rng.randrange(1, 29):02d}"
        for copy in range(rng.randrange(1, 4)):
            given = rng.choice(["Anna", "Anne", "Ben", "Cleo", "Dora"])
            rows.append((f"r{person}-{copy}", given, surname, birth, "2000"))
    rng.shuffle(rows)
    return rows


def test_an_envelope_becomes_linked_groups(system: System) -> None:
    envelope = system.load("first", [("a1", *ANNA), ("b1", *BEN), ("a2", *ANNA)])
    assert envelope.state == EnvelopeState.SUCCESS
    assert envelope.records_count == 3
    assert system.groups() == {frozenset({"a1", "a2"}), frozenset({"b1"})}
    kinds = list(Job.objects.order_by("chain_position").values_list("kind", "state"))
    assert kinds == [(kind, "Success") for kind in ("Validate", "Load", "Match", "Group", "Report")]


@pytest.mark.usefixtures("real_plots")
def test_each_job_keeps_its_statistics_and_the_envelope_its_report(system: System) -> None:
    envelope = system.load("first", [("a1", *ANNA), ("b1", *BEN), ("a2", *ANNA)])
    statistics = {job.kind: job.statistics for job in Job.objects.filter(envelope=envelope)}
    assert statistics["Load"]["rows_loaded_count"] == 3
    assert statistics["Match"]["candidate_pairs_count"] >= 1
    assert statistics["Match"]["kept_pairs_count"] == 1
    assert statistics["Group"]["new_groups_count"] == 2
    assert statistics["Group"]["sizes"] == [
        {"group_size": 1, "groups_count": 1},
        {"group_size": 2, "groups_count": 1},
    ]
    report = EnvelopeReport.objects.get(envelope=envelope)
    assert report.statistics["project"]["records_count"] == 3
    assert report.statistics["project"]["groups_count"] == 2
    assert [plot["name"] for plot in report.plots] == ["weights", "group_sizes", "completeness"]
    for plot in report.plots:
        assert plot["svg"].startswith("<svg role=")
        assert plot["rows"]
    assert all(job.peak_memory_bytes for job in Job.objects.all())


def test_a_later_envelope_joins_the_groups_that_are_there(system: System) -> None:
    system.load("first", [("a1", *ANNA), ("b1", *BEN)])
    before = system.group_ids()
    second = system.load("second", [("c1", *CLEO), ("a2", *ANNA)])
    after = system.group_ids()
    assert after["a2"] == before["a1"] == after["a1"]
    assert after["b1"] == before["b1"]
    assert after["c1"] not in before.values()
    match = Job.objects.get(envelope=second, kind="Match").statistics
    assert (match["new_records_count"], match["held_records_count"]) == (2, 2)


def test_merged_groups_take_the_oldest_id(system: System) -> None:
    # two records of one person that share no blocking value, until a third one connects them
    first = ("x1", "Anna", "Berg", "", "2000")
    second = ("x2", "Anna", "", "1980-01-02", "2000")
    system.load("first", [("b1", *BEN), first, second])
    before = system.group_ids()
    assert before["x1"] != before["x2"]
    system.load("second", [("x3", *ANNA)])
    after = system.group_ids()
    assert {after["x1"], after["x2"], after["x3"]} == {min(before["x1"], before["x2"])}


@pytest.mark.parametrize("seed", [1, 2])
def test_ten_envelopes_give_the_groups_of_one(system: System, seed: int) -> None:
    rows = people(150, seed)
    assert system.load("whole", rows).state == EnvelopeState.SUCCESS
    whole = system.groups()
    assert len(whole) < len(rows)
    parts = [rows[start::10] for start in range(10)]
    random.Random(seed).shuffle(parts)
    two = PROJECT_YAML.replace("code: P1", "code: P2")
    path = system.folder / "two.yaml"
    path.write_text(two)
    apply_project_file(read_project_file(path), COMMAND_LINE)
    for number, part in enumerate(parts):
        envelope = system.submit(system.build(f"part{number}", part, project="P2"))
        system.drain()
        envelope.refresh_from_db()
        assert envelope.state == EnvelopeState.SUCCESS
    assert system.groups("P2") == whole


def test_nothing_is_seen_of_an_envelope_before_its_group_job_ends(system: System) -> None:
    system.load("first", [("a1", *ANNA)])
    system.submit(system.build("second", [("a2", *ANNA)]))
    for kind in ("Validate", "Load", "Match"):
        assert [job.kind for job in system.drain(limit=1)] == [kind]
        assert system.groups() == {frozenset({"a1"})}
    assert [job.kind for job in system.drain(limit=1)] == ["Group"]
    assert system.groups() == {frozenset({"a1", "a2"})}


def test_unknown_codes_are_all_named_at_once_and_can_be_mended(system: System) -> None:
    path = system.build_raw("odd", {"NOPE": b"id\n", "BIRTH": b"id\n"}, project="P9", sender="NOBODY")
    envelope = system.submit(path)
    system.drain()
    envelope.refresh_from_db()
    assert envelope.state == EnvelopeState.ERRORS
    text = Notification.objects.get(envelope=envelope).text
    for code in ("'P9'", "'NOBODY'", "'NOPE'"):
        assert f"{code} is unknown" in text


def test_an_event_type_must_be_the_senders_and_attached(system: System) -> None:
    envelope = system.submit(system.build("odd", [("x", *ANNA)], event_type="BIRTH"))
    jobs = system.drain()
    text = Notification.objects.get(envelope=envelope).text
    assert "belongs to Data Provider REG, not to the Sender HOSP" in text
    assert "is not attached to project P1" in text
    project = LinkageProject.objects.get(code="P1")
    project.event_types.add(EventType.objects.get(code="BIRTH"))
    EventType.objects.filter(code="BIRTH").update(provider=EventType.objects.get(code="ADM").provider)
    retry_job(jobs[0].pk, COMMAND_LINE)
    system.drain()
    envelope.refresh_from_db()
    assert envelope.state == EnvelopeState.SUCCESS
    assert system.groups() == {frozenset({"x"})}


def test_rejected_rows_fail_the_load_with_file_and_line(system: System) -> None:
    envelope = system.load("odd", [("a1", *ANNA), ("", *BEN), ("c1", *CLEO)])
    assert envelope.state == EnvelopeState.ERRORS
    text = Notification.objects.get(envelope=envelope, severity=Severity.ERROR).text
    assert "odd-ADM.csv" in text
    assert "line 3" in text
    assert "Worker.Load.MaxRejectedRows" in text
    assert system.groups() == set()
    failed = Job.objects.get(state=JobState.ERRORS)
    assert failed.peak_memory_bytes is not None
    assert failed.peak_memory_bytes > 1_000_000


def test_a_retry_after_the_limit_was_raised_loads_the_rest(system: System) -> None:
    envelope = system.load("odd", [("a1", *ANNA), ("", *BEN), ("c1", *CLEO)])
    change_setting("Worker.Load.MaxRejectedRows", 1, COMMAND_LINE)
    retry_job(Job.objects.get(state=JobState.ERRORS).pk, COMMAND_LINE)
    system.drain()
    envelope.refresh_from_db()
    assert envelope.state == EnvelopeState.SUCCESS
    assert system.groups() == {frozenset({"a1"}), frozenset({"c1"})}
    assert Notification.objects.filter(envelope=envelope, severity=Severity.WARNING).exists()
    rejects = Batch.objects.get(kind=BatchKind.REJECTS)
    path = project_folder(system.config, rejects.project) / rejects.file_name
    assert path.read_text().splitlines()[1].startswith("3,")


def test_rejected_rows_can_be_downloaded_by_those_who_may_submit(system: System, client: Client) -> None:
    change_setting("Worker.Load.MaxRejectedRows", 5, COMMAND_LINE)
    envelope = system.load("odd", [("a1", *ANNA), ("", *BEN), ("c1", *CLEO)])
    assert envelope.state == EnvelopeState.SUCCESS
    load, match = (Job.objects.get(envelope=envelope, kind=kind) for kind in ("Load", "Match"))
    people = {role: User.objects.create(username=role) for role in ("Operator", "Viewer")}
    for role, person in people.items():
        Membership.objects.create(user=person, project=LinkageProject.objects.get(code="P1"), role=role)
    client.force_login(people["Operator"])
    response = client.get(f"/jobs/{load.pk}/rejects/")
    assert response["Content-Disposition"] == 'attachment; filename="odd-ADM-rejected.csv"'
    lines = b"".join(response.streaming_content).decode().splitlines()  # type: ignore[attr-defined]
    assert lines[0] == "line,reason,source_unique_id"
    assert lines[1].startswith("3,")
    assert AuditLogEntry.objects.get(action="download rejected rows").user == people["Operator"]
    fragment = {"HX-Request": "true"}
    link = f"/jobs/{load.pk}/rejects/"
    assert link in client.get(f"/jobs/{load.pk}/statistics/", headers=fragment).content.decode()
    assert client.get(f"/jobs/{match.pk}/rejects/").status_code == 404
    client.force_login(people["Viewer"])
    assert client.get(link).status_code == 403
    assert link not in client.get(f"/jobs/{load.pk}/statistics/", headers=fragment).content.decode()


def test_a_record_that_is_loaded_already_is_rejected(system: System) -> None:
    system.load("first", [("a1", *ANNA)])
    envelope = system.load("second", [("a1", *BEN)])
    assert envelope.state == EnvelopeState.ERRORS
    assert "loaded" in Notification.objects.get(envelope=envelope).text
    assert system.groups() == {frozenset({"a1"})}


def test_a_failed_envelope_leaves_the_next_one_as_if_it_had_never_been(system: System) -> None:
    failed = system.load("odd", [("a1", *ANNA), ("", *BEN)])
    job = Job.objects.get(envelope=failed, state=JobState.ERRORS)
    second = system.load("second", [("b1", *BEN)])
    assert second.state == EnvelopeState.SUCCESS
    assert system.group_ids() == {"b1": 1}
    assert Batch.objects.get(kind=BatchKind.RECORDS, state=BatchState.LIVE).first_id == 1
    assert "has been run against P1 since" in why_not_retry(Job.objects.get(pk=job.pk))


def test_staged_files_of_a_failed_envelope_go_when_another_one_runs(
    system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    failed = system.submit(system.build("first", [("a1", *ANNA)]))
    system.drain(limit=3)
    Job.objects.filter(envelope=failed, state=JobState.QUEUED).update(state=JobState.HELD)
    Envelope.objects.filter(pk=failed.pk).update(state=EnvelopeState.ERRORS)
    assert Batch.objects.filter(envelope=failed, state=BatchState.STAGED).count() >= 2
    system.load("second", [("b1", *BEN)])
    assert set(Batch.objects.filter(envelope=failed).values_list("state", flat=True)) == {BatchState.REMOVED}
    sweep_files(system.config)
    folder = project_folder(system.config, LinkageProject.objects.get(code="P1"))
    assert not list(folder.glob(f"e{failed.pk}-*"))


def test_a_failed_report_hides_the_envelope_until_its_retry(
    system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_plot: object) -> str:
        raise RuntimeError("no ink")

    with monkeypatch.context() as patch:
        patch.setattr("linkwright.engine.charts.render_svg", broken)
        envelope = system.load("first", [("a1", *ANNA)])
    assert envelope.state == EnvelopeState.ERRORS
    assert "no ink" in Notification.objects.get(envelope=envelope).with_values
    assert system.groups() == set()
    retry_job(Job.objects.get(state=JobState.ERRORS).pk, COMMAND_LINE)
    system.drain()
    assert system.groups() == {frozenset({"a1"})}
    assert EnvelopeReport.objects.filter(envelope=envelope).count() == 1


def test_files_that_no_row_names_are_swept(system: System) -> None:
    system.load("first", [("a1", *ANNA)])
    folder = project_folder(system.config, LinkageProject.objects.get(code="P1"))
    kept = {path.name for path in folder.iterdir()}
    (folder / "e9-j9-a1-records.parquet").write_bytes(b"half a file")
    (folder / "e9-j9-a1-pairs.partial").write_bytes(b"half a file")
    scratch = system.config.scratch_folder / "job-9-attempt-1"
    scratch.mkdir()
    (scratch / "spool.txt").write_text("Anna")
    assert sweep_files(system.config).files_count == 3
    assert {path.name for path in folder.iterdir()} == kept
    assert not scratch.exists()
    assert system.groups() == {frozenset({"a1"})}


def test_an_empty_file_loads_nothing_and_says_so(system: System) -> None:
    system.load("first", [("a1", *ANNA)])
    envelope = system.load("second", [])
    assert envelope.state == EnvelopeState.SUCCESS
    assert envelope.records_count == 0
    assert Notification.objects.filter(envelope=envelope, severity=Severity.WARNING).exists()
    assert system.groups() == {frozenset({"a1"})}


def test_a_zip_that_is_none_is_corrupt_and_queues_nothing(system: System) -> None:
    path = system.folder / "letter.zip"
    path.write_bytes(b"Dear Sir or Madam")
    envelope = system.submit(path)
    assert envelope.state == EnvelopeState.CORRUPT
    assert not Job.objects.exists()
    text = Notification.objects.get(envelope=envelope).text
    assert text.startswith("letter")
    assert "zip" in text


def test_damage_inside_a_data_file_makes_the_envelope_corrupt(system: System) -> None:
    path = system.build("first", [(f"a{number}", *ANNA) for number in range(200)])
    raw = bytearray(path.read_bytes())
    raw[len(raw) // 2] ^= 0xFF
    damaged = Path(system.folder / "damaged.zip")
    damaged.write_bytes(raw)
    envelope = system.submit(damaged)
    system.drain()
    envelope.refresh_from_db()
    assert envelope.state == EnvelopeState.CORRUPT
    assert "damaged" in Notification.objects.get(envelope=envelope).text
    assert set(Job.objects.values_list("state", flat=True)) <= {"Errors"}


def test_a_changed_match_configuration_holds_for_later_envelopes_only(system: System) -> None:
    first = system.load("first", [("a1", *ANNA)])
    path = system.folder / "changed.yaml"
    path.write_text(PROJECT_YAML.replace("match_threshold: 2", "match_threshold: 4"))
    changes = apply_project_file(read_project_file(path), COMMAND_LINE)
    assert [str(change) for change in changes] == ["create match configuration P1 version 2"]
    second = system.load("second", [("a2", *ANNA)])
    first.refresh_from_db()
    versions = [envelope.match_configuration for envelope in (first, second)]
    assert [version.version if version else None for version in versions] == [1, 2]
