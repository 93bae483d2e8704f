"""Migrations that move rows: what was there before is there afterwards, in both directions."""

from datetime import timedelta

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone

from linkwright.services.check_audit_log import check_audit_log
from linkwright.store.audit_log import COMMAND_LINE, record_action

BEFORE, AFTER = "0006_deletion_and_review", "0008_updates"


def migrate(name: str) -> MigrationExecutor:
    executor = MigrationExecutor(connection)
    executor.migrate([("store", name)])
    return MigrationExecutor(connection)


@pytest.mark.django_db(transaction=True)
def test_attached_event_types_stay_attached_and_reject_what_comes_again() -> None:
    newest = [key for key in MigrationExecutor(connection).loader.graph.leaf_nodes() if key[0] == "store"]
    try:
        apps = migrate(BEFORE).loader.project_state([("store", BEFORE)]).apps
        provider = apps.get_model("store", "DataProvider").objects.create(code="HOSP", organisation="A hospital")
        form = apps.get_model("store", "ImportFormat").objects.create(code="csv", definition={})
        event_types = [
            apps.get_model("store", "EventType").objects.create(code=code, provider=provider, import_format=form)
            for code in ("ADM", "BIRTH", "DEATH")
        ]
        projects = [
            apps.get_model("store", "LinkageProject").objects.create(code=code, name=code) for code in ("P1", "P2")
        ]
        projects[0].event_types.add(*event_types[:2])
        projects[1].event_types.add(event_types[1])
        held = {("P1", "ADM"), ("P1", "BIRTH"), ("P2", "BIRTH")}

        apps = migrate(AFTER).loader.project_state([("store", AFTER)]).apps
        rows = apps.get_model("store", "AttachedEventType").objects.select_related("project", "event_type")
        assert {(row.project.code, row.event_type.code) for row in rows} == held
        assert {(row.updates, row.detached_by) for row in rows} == {("reject", None)}

        apps = migrate(BEFORE).loader.project_state([("store", BEFORE)]).apps
        back = apps.get_model("store", "LinkageProject").objects.values_list("code", "event_types__code")
        assert set(back) == held
    finally:
        MigrationExecutor(connection).migrate(newest)


@pytest.mark.django_db(transaction=True)
def test_entries_that_are_there_are_chained_and_the_next_ones_follow() -> None:
    newest = [key for key in MigrationExecutor(connection).loader.graph.leaf_nodes() if key[0] == "store"]
    before = "0016_envelope_reason"
    try:
        apps = migrate(before).loader.project_state([("store", before)]).apps
        old = apps.get_model("store", "AuditLogEntry").objects
        reasons = ["", "because", 'ä \u2028 "', "gone"]
        made = [
            old.create(
                at=timezone.now(), action="clear queue", reason=reason, detail={"n": 1.0, "jobs": [{"job": 1}]}
            )
            for reason in reasons
        ]
        # a number that was never used, or is no longer
        old.filter(pk=made[1].pk).delete()
    finally:
        MigrationExecutor(connection).migrate(newest)
    found = check_audit_log()
    assert (found.ok, found.checked_count) == (True, 3), found.fault
    record_action(COMMAND_LINE, "resume queue")
    found = check_audit_log()
    assert (found.ok, found.checked_count) == (True, 4), found.fault


@pytest.mark.django_db(transaction=True)
def test_snapshots_and_ledgers_of_one_file_become_one_part_each() -> None:
    newest = [key for key in MigrationExecutor(connection).loader.graph.leaf_nodes() if key[0] == "store"]
    before, after = "0021_default_match", "0022_kept_parts"
    now = timezone.now()
    try:
        apps = migrate(before).loader.project_state([("store", before)]).apps
        project = apps.get_model("store", "LinkageProject").objects.create(code="P1", name="P1")
        job = apps.get_model("store", "Job").objects.create(
            project=project, kind="Extract", queue_rank=1, queued_at=now
        )
        files = {
            kind: apps.get_model("store", "Batch").objects.create(
                project=project,
                job=job,
                kind=kind,
                state="live",
                file_name=f"{kind}.parquet",
                rows_count=3,
                bytes_count=9,
                created_at=now,
            )
            for kind in ("snapshot", "ledger")
        }
        for code, kept in (
            ("S", {"kind": "snapshot", "snapshot": files["snapshot"], "snapshot_sha256": "ab"}),
            ("X", {"kind": "enduring", "ledger": files["ledger"]}),
            ("NONE", {"kind": "enduring"}),
        ):
            apps.get_model("store", "ExtractionProject").objects.create(
                project=project,
                code=code,
                columns=[],
                keep_results_days=1,
                secret_version=1,
                created_at=now,
                **kept,
            )

        apps = migrate(after).loader.project_state([("store", after)]).apps
        rows = apps.get_model("store", "KeptPart").objects.values_list(
            "extraction_project__code", "records__file_name", "groups", "sha256"
        )
        assert set(rows) == {("S", "snapshot.parquet", None, "ab"), ("X", "ledger.parquet", None, "")}
        kept_at = dict(apps.get_model("store", "ExtractionProject").objects.values_list("code", "kept_at"))
        assert kept_at == {"S": now, "X": now, "NONE": None}
    finally:
        MigrationExecutor(connection).migrate(newest)


@pytest.mark.django_db(transaction=True)
def test_what_ran_before_is_added_up_on_its_envelope() -> None:
    newest = [key for key in MigrationExecutor(connection).loader.graph.leaf_nodes() if key[0] == "store"]
    before, after = "0022_kept_parts", "0023_processing_time"
    now = timezone.now()
    try:
        apps = migrate(before).loader.project_state([("store", before)]).apps
        envelopes = {
            name: apps.get_model("store", "Envelope").objects.create(name=name, file_name="", received_at=now)
            for name in ("retried", "running", "waiting")
        }
        # seconds after now at which a job started and stopped
        runs = {"retried": ((0, 2.5), (100, 103), (200, 201)), "running": ((0, 1), (5, None)), "waiting": ()}
        for name, spans in runs.items():
            job = apps.get_model("store", "Job").objects.create(
                envelope=envelopes[name], kind="Load", queue_rank=1, queued_at=now
            )
            for started, stopped in spans:
                for left, entered, second in (("Queued", "Running", started), ("Running", "Errors", stopped)):
                    if second is not None:
                        at = now + timedelta(seconds=second)
                        apps.get_model("store", "JobEvent").objects.create(
                            job=job, attempt=1, left=left, entered=entered, at=at
                        )

        apps = migrate(after).loader.project_state([("store", after)]).apps
        rows = apps.get_model("store", "Envelope").objects.values_list("name", "ran_s", "running_since")
        found = {name: (round(ran_s, 3), since) for name, ran_s, since in rows}
        assert found == {
            "retried": (6.5, None),
            "running": (1.0, now + timedelta(seconds=5)),
            "waiting": (0.0, None),
        }
    finally:
        MigrationExecutor(connection).migrate(newest)
