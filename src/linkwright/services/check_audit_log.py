"""Walks the chain of the audit log and finds the first entry that does not fit. Changes nothing.

A change, a gap, an entry put in or moved and a tail that was cut off are found. What cannot be found from inside
is a database whose whole chain and head were worked out anew: for that a head is to be kept elsewhere, which
doctor prints, every backup's manifest holds, and `fault_of_kept` compares.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from linkwright.config import ServerConfig
from linkwright.store.audit_chain import Head, content_sha256, own_sha256, read_head
from linkwright.store.backup.folder import FoundBackup, backup_folder, list_backups
from linkwright.store.models import AuditLogEntry, Job, JobKind, JobState

ROWS_AT_ONCE = 2000


@dataclass(frozen=True)
class ChainCheck:
    """What the walk found.

    Args:
        head: as it stands apart from the entries.
        checked_count: entries that were looked at and fit.
        fault: what is wrong with the first one that does not fit, or ''.
        fault_number: its number; None if none or if it has no number.
    """

    head: Head
    checked_count: int
    fault: str = ""
    fault_number: int | None = None

    @property
    def ok(self) -> bool:
        """Whether everything fits."""
        return not self.fault

    @property
    def is_whole(self) -> bool:
        """Whether every entry was looked at."""
        return self.checked_count == self.head.entries_count


def check_audit_log(newest: int | None = None) -> ChainCheck:
    """Check all of the chain, or the `newest` so many entries, of which the first is taken to follow rightly."""
    # first the entries: a head read before could be older than an entry that is being written
    last = AuditLogEntry.objects.exclude(number=None).order_by("-number").values_list("number", flat=True).first()
    head = read_head()
    loose = AuditLogEntry.objects.filter(number=None).order_by("pk").values_list("pk", flat=True).first()
    first = 1 if newest is None else max(1, head.entries_count - newest + 1)
    walk = _Walk(head, first - 1, _hash_of(first - 1))
    for entry in _entries(first, head.entries_count):
        fault = walk.fault_of(entry)
        if fault:
            return ChainCheck(head, walk.checked_count, fault, walk.number + 1)
        walk.step(entry)
    if walk.number < head.entries_count:
        text = f"Entry {walk.number + 1} is not there: {head.entries_count - walk.number:,} were cut off the end."
        return ChainCheck(head, walk.checked_count, text, walk.number + 1)
    if walk.previous != head.sha256:
        text = (
            f"The head says {head.sha256 or 'nothing'}, and entry {walk.number} has {walk.previous or 'nothing'}."
        )
        return ChainCheck(head, walk.checked_count, text, walk.number or None)
    if last is not None and last > head.entries_count:
        text = f"Entry {head.entries_count + 1} is not known to the head."
        return ChainCheck(head, walk.checked_count, text, head.entries_count + 1)
    if loose is not None:
        text = f"The entry with the id {loose} is in no place of the chain: it was written past Linkwright."
        return ChainCheck(head, walk.checked_count, text)
    return ChainCheck(head, walk.checked_count)


def fault_of_kept(kept: Head) -> str:
    """Compare a head that was kept outside with the entry that it tells of; returns what is wrong, or ''."""
    if not kept.entries_count:
        return ""
    if not AuditLogEntry.objects.filter(number=kept.entries_count).exists():
        return f"Entry {kept.entries_count} is not there, though a head that was kept tells of it."
    found = _hash_of(kept.entries_count)
    if found != kept.sha256:
        return f"Entry {kept.entries_count} has the hash {found}, and had {kept.sha256} when its head was kept."
    return ""


def fault_of_backups(config: ServerConfig) -> str:
    """Compare the heads in the manifests of this system's backups; returns what is wrong with the first, or ''.

    Another system may share the folder, or go on there from an older backup: only those count that this database
    knows as made.
    """
    made = dict(
        Job.objects.filter(kind=JobKind.BACKUP, state=JobState.SUCCESS).values_list("statistics__name", "pk")
    )
    for backup in reversed(list_backups(backup_folder(config))):
        fault = _fault_of_backup(backup) if _is_own(backup, made) else ""
        if fault:
            return f"{backup.name}: {fault}"
    return ""


def _is_own(backup: FoundBackup, made: dict[str, int]) -> bool:
    return backup.manifest is not None and made.get(backup.name) == backup.manifest.job


def _fault_of_backup(backup: FoundBackup) -> str:
    mark = backup.manifest.audit_log if backup.manifest else None
    return fault_of_kept(Head(mark.entries_count, mark.sha256)) if mark else ""


@dataclass
class _Walk:
    """Where the walk is: after the entry `number`, whose hash is `previous`."""

    head: Head
    number: int
    previous: str
    checked_count: int = 0

    def fault_of(self, entry: AuditLogEntry) -> str:
        number = entry.number or 0
        if number != self.number + 1:
            return f"Entry {self.number + 1} is not there; the next one is {number}."
        named = f"Entry {number} ({entry})"
        content = content_sha256(entry)
        if content != entry.content_sha256:
            return f"{named} was changed: its values are not those that were written."
        if entry.previous_sha256 != self.previous:
            return f"{named} does not follow entry {self.number}: one of them was changed, put in or moved."
        if own_sha256(number, entry.pk, self.previous, content) != entry.sha256:
            return f"{named} was changed or moved: its hash is not that of its place."
        return ""

    def step(self, entry: AuditLogEntry) -> None:
        self.number, self.previous = entry.number or 0, entry.sha256
        self.checked_count += 1


def _hash_of(number: int) -> str:
    found = AuditLogEntry.objects.filter(number=number).values_list("sha256", flat=True).first()
    return found or ""


def _entries(first: int, last: int) -> Iterator[AuditLogEntry]:
    """Return entries by their place, in short reads: no writer's log has to be kept for a long one."""
    following = first
    while piece := list(
        AuditLogEntry.objects.filter(number__gte=following, number__lte=last).order_by("number")[:ROWS_AT_ONCE]
    ):
        yield from piece
        following = (piece[-1].number or 0) + 1
