"""Which files of the data folder belong into a backup, and the copying of them.

Files that rows name are immutable: they are taken by the snapshot of the rows. One that is gone is a fault, unless
its row has given it up meanwhile. Everything else in the data folder is taken as it lies.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from django.db import connection
from django.db.backends.base.base import BaseDatabaseWrapper

from linkwright.config import ServerConfig
from linkwright.jobs.context import JobError
from linkwright.store.backup.manifest import FILES_FOLDER, FILES_NAME, WrittenPart
from linkwright.store.backup.parts import copy_file, make_folder, read_lines, write_lines
from linkwright.store.backup.snapshot import snapshot_rows
from linkwright.store.batch_catalog import counted_file_names, naming_rows
from linkwright.store.models import Envelope, EnvelopeState, LinkageProject

LISTED = "listed.jsonl.gz"
# what is on its way in is not yet the system's
_INBOX = "inbox"
_LEFT_OUT_SUFFIXES = {".lock", ".log", ".pid"}
_NEEDED_ENVELOPES = (EnvelopeState.QUEUED, EnvelopeState.ERRORS)


class GivenUpMeanwhileError(JobError):
    """A file went because its row gave it up after the snapshot: a new snapshot is needed."""


@dataclass(frozen=True)
class ListedFile:
    """A file to copy.

    Args:
        name: below the data folder, with '/' between folders.
        bytes_count: as its row says, or as it was found.
        sha256: as its row says, else ''.
        project: the key of the project whose rows name it, else 0.
        is_needed: whether it is a fault if it is gone.
    """

    name: str
    bytes_count: int | None
    sha256: str
    project: int
    is_needed: bool


@dataclass(frozen=True)
class Copied:
    """What was copied."""

    part: WrittenPart
    files_count: int
    bytes_count: int
    # received Envelopes whose processing is over, and whose file is gone or damaged
    absent_count: int


def list_files(config: ServerConfig, snapshot: BaseDatabaseWrapper, scratch: Path, own_folder: Path) -> int:
    """Write down which files there are to copy, for `copy_files`; returns their size in bytes.

    Args:
        config: of this server.
        snapshot: the moment whose rows name files.
        scratch: where to write; a million names must not lie in memory.
        own_folder: of the backups, which may lie in the data folder.
    """
    bytes_count = 0
    (scratch / LISTED).unlink(missing_ok=True)
    with write_lines(scratch, LISTED) as lines:
        for one in _listed(config, snapshot, own_folder):
            lines.add([one.name, one.bytes_count, one.sha256, one.project, one.is_needed])
            bytes_count += one.bytes_count or 0
    return bytes_count


def copy_files(
    config: ServerConfig,
    scratch: Path,
    backup: Path,
    *,
    known: Mapping[str, str],
    advance: Callable[[int], None],
) -> Copied:
    """Copy the listed files into a backup.

    Args:
        config: of this server.
        scratch: where `list_files` has written.
        backup: the folder of the backup.
        known: SHA-256 of files of the warehouse by name, as an earlier backup holds them.
        advance: called with the bytes since its last call.

    Raises:
        JobError: if a file that is needed is gone or damaged.
        GivenUpMeanwhileError: if one is gone, and rightly.
        OSError: if the backup cannot be written.
    """
    files_count = bytes_count = absent_count = 0
    made: set[Path] = set()
    with write_lines(backup, FILES_NAME) as lines:
        for values in read_lines(scratch / LISTED):
            listed = ListedFile(*values)
            target = backup / FILES_FOLDER / PurePosixPath(listed.name)
            if target.parent not in made:
                make_folder(target.parent)
                made.add(target.parent)
            try:
                part = copy_file(config.home / PurePosixPath(listed.name), target, listed.name, advance)
            except FileNotFoundError:
                absent_count += _absent(config, listed)
                continue
            if not _is_whole(listed, part, known):
                target.unlink()
                absent_count += _damaged(config, listed, part)
                continue
            lines.add([part.name, part.bytes_count, part.sha256])
            files_count += 1
            bytes_count += part.bytes_count
    return Copied(lines.written, files_count, bytes_count, absent_count)


def _listed(config: ServerConfig, snapshot: BaseDatabaseWrapper, own_folder: Path) -> Iterator[ListedFile]:
    warehouse, incoming = config.warehouse_folder.name, config.incoming_folder.name
    for rows in naming_rows():
        for project, name, bytes_count in snapshot_rows(rows, snapshot):
            yield ListedFile(f"{warehouse}/project-{project}/{name}", bytes_count, "", project, is_needed=True)
    envelopes = Envelope.objects.exclude(file_name="").order_by("pk")
    columns = envelopes.values_list("file_name", "size_bytes", "sha256", "state")
    for name, bytes_count, sha256, state in snapshot_rows(columns, snapshot):
        is_needed = state in _NEEDED_ENVELOPES
        yield ListedFile(f"{incoming}/{name}", bytes_count, sha256, 0, is_needed)
    yield from _as_they_lie(config, own_folder)


def _as_they_lie(config: ServerConfig, own_folder: Path) -> Iterator[ListedFile]:
    """Return what no row names: secrets, and whatever else was put into the data folder."""
    passing = {config.warehouse_folder, config.incoming_folder, config.scratch_folder, config.backups_folder}
    passing |= {config.home / _INBOX, config.taking_folder, config.waiting_folder, config.inbox_status_file}
    database = Path(str(connection.settings_dict["NAME"])).name if connection.vendor == "sqlite" else None
    for top in sorted(config.home.iterdir()):
        if top in passing or own_folder.is_relative_to(top) or top.is_symlink():
            continue
        if top.is_file():
            is_database = database is not None and top.name.startswith(database)
            if not is_database and top.suffix not in _LEFT_OUT_SUFFIXES:
                yield _as_it_lies(config, top)
        elif top.is_dir():
            for path in sorted(top.rglob("*")):
                if path.is_file() and not path.is_symlink():
                    yield _as_it_lies(config, path)


def _as_it_lies(config: ServerConfig, path: Path) -> ListedFile:
    return ListedFile(path.relative_to(config.home).as_posix(), path.stat().st_size, "", 0, is_needed=False)


def _absent(config: ServerConfig, listed: ListedFile) -> int:
    """Settle that a file is gone: 1 for a received Envelope that nobody needs any more.

    Raises:
        JobError: if it is needed.
        GivenUpMeanwhileError: if its row has given it up since the snapshot.
    """
    name = PurePosixPath(listed.name)
    if not listed.is_needed:
        return int(name.parent.name == config.incoming_folder.name)
    if not _is_named_now(listed, name.name):
        raise GivenUpMeanwhileError(
            f"{listed.name} was given up while the backup was made. Retry the job, which looks again."
        )
    raise JobError(
        f"{listed.name} is gone from the data folder, and no backup can be made without it. Restore it from an "
        "earlier backup, then retry; `linkwright doctor` lists all files that are gone."
    )


def _is_named_now(listed: ListedFile, name: str) -> bool:
    if listed.project:
        project = LinkageProject.objects.filter(pk=listed.project).first()
        return project is not None and name in counted_file_names(project)
    return Envelope.objects.filter(file_name=name, state__in=_NEEDED_ENVELOPES).exists()


def _is_whole(listed: ListedFile, part: WrittenPart, known: Mapping[str, str]) -> bool:
    """Tell whether a file is what was once written, as far as that can be known."""
    if listed.sha256:
        return listed.sha256 == part.sha256
    if not listed.project:
        return True
    # files of the warehouse never change: an earlier backup knows what they must be
    is_known = known.get(listed.name, part.sha256) == part.sha256
    return is_known and listed.bytes_count in {None, part.bytes_count}


def _damaged(config: ServerConfig, listed: ListedFile, part: WrittenPart) -> int:
    """Settle that a file is damaged: as `_absent`.

    Raises:
        JobError: if it is needed.
    """
    if not listed.is_needed:
        return _absent(config, listed)
    raise JobError(
        f"{listed.name} is damaged: its {part.bytes_count:,} bytes are not what was once written. No backup was "
        "made, and earlier ones were kept. Restore the file from one of them, then retry; if there is none, roll "
        "back the Envelope that it belongs to and send that again."
    )
