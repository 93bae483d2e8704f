"""Backups of the whole system: list, start. For Administrators alone; restoring is the command line's."""

from datetime import datetime

from django.http import HttpRequest
from ninja import Query, Router, Schema, Status
from pydantic import Field

from linkwright.api.answers import possible_errors
from linkwright.api.jobs import JobDetailAnswer, job_detail
from linkwright.api.paging import PageAnswer, PageQuery, cut_page, links, refuse_unknown
from linkwright.api.rights import caller_of
from linkwright.config import load_config
from linkwright.errors import LinkwrightError
from linkwright.services.start_backup import start_backup
from linkwright.store.backup.folder import FoundBackup, backup_folder, list_backups

router = Router(tags=["backups"])

NAME_CURSOR = r"^(backup-[0-9]{8}T[0-9]{6}Z)?$"


class BackupFolderError(LinkwrightError):
    """The folder of the backups cannot be read."""


class BackupAnswer(Schema):
    """One finished backup; what its manifest would say is null if that cannot be read."""

    name: str = Field(description="Of its folder.")
    made_at: datetime
    version: str | None = Field(description="Of Linkwright when it was made.")
    files_count: int | None
    rows_count: int | None
    size_bytes: int | None
    fault: str = Field(description="Why it cannot be used; empty if it can. No checksum is looked at.")


class BackupPageAnswer(PageAnswer):
    """Backups, newest first."""

    items: list[BackupAnswer]


class BackupQuery(PageQuery):
    """Which page of the list."""

    cursor: str = Field(
        "", max_length=30, pattern=NAME_CURSOR, description="From `next_cursor` of the page before; opaque."
    )


@router.get("", response={200: BackupPageAnswer, **possible_errors(409)}, summary="List backups")
def list_all(request: HttpRequest, query: Query[BackupQuery]) -> BackupPageAnswer:
    """List the finished backups in the folder of backups, newest first. Administrators only."""
    caller_of(request).demand_administrator()
    refuse_unknown(request, BackupQuery)
    folder = backup_folder(load_config())
    try:
        found = list_backups(folder, before=query.cursor, limit=query.limit + 1)
    except OSError as error:
        raise BackupFolderError(
            f"The folder of the backups, {folder}, cannot be read ({error.strerror}). Check that it is there and "
            "its rights, or change Backup.Folder."
        ) from error
    rows, cursor = cut_page(found, query.limit, lambda one: one.name)
    return BackupPageAnswer(items=[_answer(one) for one in rows], **links(request, cursor))


@router.post("", response={202: JobDetailAnswer, **possible_errors(409)}, summary="Start a backup")
def start(request: HttpRequest) -> Status[JobDetailAnswer]:
    """Queue a Backup job: database, files and secrets; the system goes on meanwhile. Administrators only."""
    caller = caller_of(request)
    caller.demand_administrator()
    return Status(202, job_detail(caller, start_backup(caller.actor)))


def _answer(one: FoundBackup) -> BackupAnswer:
    manifest = one.manifest
    return BackupAnswer(
        name=one.name,
        made_at=one.made_at,
        version=manifest.version if manifest else None,
        files_count=manifest.files_count if manifest else None,
        rows_count=manifest.rows_count if manifest else None,
        size_bytes=manifest.bytes_count if manifest else None,
        fault=one.fault,
    )
