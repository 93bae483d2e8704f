"""Looks a whole system over: data folder, database, worker, catalog against files. Changes nothing."""

import shutil
from dataclasses import dataclass

from django.db import DatabaseError

from linkwright.config import DataFolderError, ServerConfig, prepare_home
from linkwright.errors import LinkwrightError
from linkwright.jobs.context import project_folder
from linkwright.jobs.keyring import KeyringError, keyring_path, secret_of_version
from linkwright.services.check_audit_log import check_audit_log, fault_of_backups, fault_of_kept
from linkwright.services.check_provider import check_provider
from linkwright.services.deliver_mail import read_mail_state
from linkwright.services.inbox_settings import REJECTED, folder_fault, read_inbox_settings
from linkwright.services.inbox_status import read_inbox_status
from linkwright.services.mail_transport import destination
from linkwright.services.prepare_database import database_name, needs_migration
from linkwright.services.queue_status import read_queue_status
from linkwright.store.audit_chain import HeadError, parse_head
from linkwright.store.models import (
    Batch,
    BatchState,
    Envelope,
    EnvelopeState,
    ExtractionProject,
    ExtractionResult,
    Job,
    JobState,
    User,
)

LOW_DISK_BYTES = 1024**3
LISTED = 5
_OTHERS = 0o077


@dataclass(frozen=True)
class Finding:
    """One thing looked at."""

    subject: str
    ok: bool
    text: str


def check_system(config: ServerConfig, audit_log_head: str = "") -> list[Finding]:
    """Look at everything once; when the database cannot be used, at what does not need it.

    `audit_log_head`: one that was kept outside, as it was printed; '' for none.
    """
    findings = [_check_folder(config)]
    if not findings[0].ok:
        return findings
    findings.append(_check_disk(config))
    if (provider := check_provider()) is not None:
        findings.append(Finding("single sign-on", ok=provider[0], text=provider[1]))
    database = _check_database()
    findings.append(database)
    if database.ok:
        findings += [_check_people(), _check_worker(), _check_files(config), _check_envelopes(config)]
        findings += _check_inbox(config)
        findings += [_check_extractions(config), _check_mail(), _check_audit_log(config, audit_log_head)]
    return findings


def _check_folder(config: ServerConfig) -> Finding:
    if not config.home.exists():
        return Finding(
            "data folder", ok=False, text=f"{config.home} does not exist. `linkwright serve` or `apply` makes it."
        )
    try:
        prepare_home(config)
    except DataFolderError as error:
        return Finding("data folder", ok=False, text=str(error))
    return Finding("data folder", ok=True, text=f"{config.home} can be written.")


def _check_disk(config: ServerConfig) -> Finding:
    free_bytes = shutil.disk_usage(config.home).free
    text = f"{free_bytes / 1024**3:,.1f} GiB free."
    if free_bytes < LOW_DISK_BYTES:
        return Finding("disk", ok=False, text=f"{text} Less than 1 GiB: free space, or jobs will fail.")
    return Finding("disk", ok=True, text=text)


def _check_database() -> Finding:
    try:
        pending = needs_migration()
    except (LinkwrightError, DatabaseError) as error:
        return Finding("database", ok=False, text=f"{database_name()}: {str(error).strip()}")
    if pending:
        return Finding(
            "database",
            ok=False,
            text=f"{database_name()} is older than this program. `linkwright serve` or `apply` updates it.",
        )
    return Finding("database", ok=True, text=f"{database_name()} is of this version.")


def _check_people() -> Finding:
    if User.objects.filter(is_superuser=True, is_active=True).exists():
        return Finding("people", ok=True, text="there is an Administrator.")
    return Finding(
        "people", ok=False, text="there is no Administrator. `linkwright create-administrator NAME` makes one."
    )


def _check_worker() -> Finding:
    status = read_queue_status()
    if status.paused_at is not None:
        return Finding(
            "queue",
            ok=False,
            text=f"paused {status.paused_at:%Y-%m-%d %H:%M:%S} by {status.paused_by}: {status.paused_reason} "
            "Resume it on the JOBS tab.",
        )
    if not status.worker_alive and (status.queued_count or status.running):
        return Finding("queue", ok=False, text="jobs wait, and no worker is there. Start `linkwright serve`.")
    worker = "a worker is there" if status.worker_alive else "no worker is there, and none is needed now"
    return Finding("queue", ok=True, text=f"{worker}; {status.queued_count} job(s) queued.")


def _check_inbox(config: ServerConfig) -> list[Finding]:
    settings = read_inbox_settings(config)
    if not settings.enabled:
        return []
    status = read_inbox_status(config)
    problem = status.problem or folder_fault(settings.folder, config)
    if problem or status.folder != str(settings.folder):
        text = problem or f"{settings.folder} is not watched yet. A worker does it: start `linkwright serve`."
        return [Finding("inbox", ok=False, text=text)]
    last = f"last taken {status.last_name} ({status.last_at[:19]} UTC)" if status.last_name else "none taken yet"
    text = (
        f"{settings.folder} is watched; {last}; {status.waiting_count} file(s) wait to settle; "
        f"{status.rejected_count} in {REJECTED}/."
    )
    return [Finding("inbox", ok=True, text=text)]


def _check_mail() -> Finding:
    state = read_mail_state()
    if state.given_up_count:
        return Finding(
            "e-mail",
            ok=False,
            text=f"{state.given_up_count} mail(s) of the last 7 days were given up; the last: {state.last_error} "
            "Mend the settings Notifications.Email.*, and try them with `linkwright send-test-mail ADDRESS`.",
        )
    if not state.is_enabled:
        return Finding("e-mail", ok=True, text="no mails are sent (Notifications.Email.Enabled is false).")
    return Finding("e-mail", ok=True, text=f"{destination()} is used; {state.waiting_count} mail(s) wait.")


def _check_audit_log(config: ServerConfig, kept: str) -> Finding:
    found = check_audit_log()
    head = f"head {found.head}"
    try:
        fault = found.fault or (fault_of_kept(parse_head(kept)) if kept else "") or fault_of_backups(config)
    except HeadError as error:
        return Finding("audit log", ok=False, text=str(error))
    if not fault:
        count = f"all {found.head.entries_count:,} entries fit"
        return Finding("audit log", ok=True, text=f"{count}; {head}. Keep it outside.")
    return Finding(
        "audit log",
        ok=False,
        text=f"{fault} {found.checked_count:,} entries fit; {head}. Compare it with a backup made before, and "
        "find out who could write to the database.",
    )


def _check_files(config: ServerConfig) -> Finding:
    missing, counted = [], 0
    for batch in Batch.objects.exclude(state=BatchState.REMOVED).select_related("project"):
        counted += 1
        path = project_folder(config, batch.project) / batch.file_name
        if not path.is_file() or path.stat().st_size != batch.bytes_count:
            missing.append(path.name)
    if missing:
        return Finding(
            "warehouse",
            ok=False,
            text=f"{len(missing)} of {counted} files are gone or of another size: {', '.join(missing[:LISTED])}. "
            "Restore them from a backup; compacted files are made again by `linkwright compact`.",
        )
    return Finding("warehouse", ok=True, text=f"all {counted} files of the catalog are there.")


def _check_envelopes(config: ServerConfig) -> Finding:
    waiting = Envelope.objects.filter(state__in=[EnvelopeState.QUEUED, EnvelopeState.ERRORS])
    # without a name: an estimation that can no longer be retried, whose file is gone for good
    waiting = waiting.exclude(file_name="")
    missing = [
        envelope.name for envelope in waiting if not (config.incoming_folder / envelope.file_name).is_file()
    ]
    orphaned = Job.objects.filter(state=JobState.RUNNING).count()
    if missing:
        return Finding(
            "Envelopes",
            ok=False,
            text=f"{len(missing)} files of Envelopes are gone: {', '.join(missing[:LISTED])}. Send them again.",
        )
    return Finding("Envelopes", ok=True, text=f"every waiting Envelope has its file; {orphaned} job(s) running.")


def _check_extractions(config: ServerConfig) -> Finding:
    try:
        for version, fingerprint in ExtractionProject.objects.values_list(
            "secret_version", "secret_fingerprint"
        ).distinct():
            secret_of_version(config, version, fingerprint)
    except KeyringError as error:
        return Finding("extractions", ok=False, text=str(error))
    path = keyring_path(config)
    if path.exists() and path.stat().st_mode & _OTHERS:
        return Finding("extractions", ok=False, text=f"{path} can be read by others. Run `chmod 600 {path}`.")
    kept = ExtractionResult.objects.filter(removed_at=None)
    missing = [
        str(result)
        for result in kept.select_related("extraction_project")
        if not (config.results_folder / result.file_name).is_file()
    ]
    if missing:
        return Finding(
            "extractions",
            ok=False,
            text=f"{len(missing)} results are gone: {', '.join(missing[:LISTED])}. Extract again.",
        )
    count = ExtractionProject.objects.count()
    return Finding("extractions", ok=True, text=f"{count} Extraction Project(s), each with its secret.")
