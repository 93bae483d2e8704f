"""Blanks what statistics, Notifications and audit messages say of data that is gone: they can name its values."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Q

from linkwright.store.models import AuditMessage, Envelope, Job, JobKind, LinkageProject, Notification

STAGE_ENDING = ": started"
"""How audit messages end that say a stage has begun: they name no values."""

FORGOTTEN_TEXT = "This text named values of data that was rolled back, and was removed with it."
PURGED_TEXT = "This text named values of records that were purged, and was removed with them."


@dataclass
class PurgedTexts:
    """What is to be blanked, by primary key; of statistics what takes their place."""

    notifications: list[int] = field(default_factory=list)
    audit_messages: list[int] = field(default_factory=list)
    error_messages: list[int] = field(default_factory=list)
    statistics: dict[int, dict[str, Any]] = field(default_factory=dict)

    @property
    def count(self) -> int:
        """All of them."""
        return sum(map(len, (self.notifications, self.audit_messages, self.error_messages, self.statistics)))


def forget_envelope(envelope: Envelope) -> None:
    """Blank the values of an Envelope's data that statistics, Notifications and audit messages name."""
    for job in Job.objects.filter(envelope=envelope):
        blanked = _without_names(job.statistics)
        if blanked != job.statistics:
            Job.objects.filter(pk=job.pk).update(statistics=blanked)
        if job.error_message:
            Job.objects.filter(pk=job.pk).update(error_message=FORGOTTEN_TEXT, error_with_values="")
    Notification.objects.filter(envelope=envelope).update(text=FORGOTTEN_TEXT, with_values="")
    told = AuditMessage.objects.filter(job__envelope=envelope).exclude(text__endswith=STAGE_ENDING)
    told.update(text=FORGOTTEN_TEXT, with_values="")


def _without_names(statistics: dict[str, Any]) -> dict[str, Any]:
    """Return statistics without the values that the records of a block share, and without listed identifiers."""
    named = {"largest_blocks": "values", "unknown_records": "record"}
    blanked = {key: [{**row, named[key]: ""} for row in statistics[key]] for key in named if key in statistics}
    return statistics | blanked


def find_texts(project: LinkageProject, brought_by: Collection[int], values: Collection[str]) -> PurgedTexts:
    """Find the texts of a project that can name purged records.

    Args:
        project: of the records.
        brought_by: ids of the Envelopes that brought them. What their Load jobs said goes in any case: it quotes
            what could not be read, and so stands in no records file.
        values: that no live record has any more, in lower case. Texts of other jobs that hold one go.
    """
    loads = Q(job__kind=JobKind.LOAD, job__envelope__in=list(brought_by))
    raised = Notification.objects.filter(envelope__project=project)
    told = AuditMessage.objects.filter(job__project=project).exclude(text__endswith=STAGE_ENDING)
    found = PurgedTexts(
        notifications=list(raised.filter(loads).exclude(text=PURGED_TEXT).values_list("pk", flat=True)),
        audit_messages=list(told.filter(loads).exclude(text=PURGED_TEXT).values_list("pk", flat=True)),
    )
    if values:
        found.notifications += _naming(
            raised.exclude(loads).values_list("pk", "text", "with_values").iterator(), values
        )
        found.audit_messages += _naming(
            told.exclude(loads).values_list("pk", "text", "with_values").iterator(), values
        )
        _look_through_jobs(found, project, values)
    return found


def _look_through_jobs(found: PurgedTexts, project: LinkageProject, values: Collection[str]) -> None:
    jobs = Job.objects.filter(project=project)
    errors = jobs.exclude(error_message="").values_list("pk", "error_message", "error_with_values")
    found.error_messages += _naming(errors.iterator(), values)
    matches = jobs.filter(kind=JobKind.MATCH).values_list("pk", "statistics")
    for key, statistics in matches.iterator():
        blocks = statistics.get("largest_blocks", [])
        blanked = [{**block, "values": ""} if _names(block["values"], values) else block for block in blocks]
        if blanked != blocks:
            found.statistics[key] = {**statistics, "largest_blocks": blanked}


def blank_texts(texts: PurgedTexts) -> None:
    """Blank them; call it in the transaction that ends the job."""
    for chunk in _chunks(texts.notifications):
        Notification.objects.filter(pk__in=chunk).update(text=PURGED_TEXT, with_values="")
    for chunk in _chunks(texts.audit_messages):
        AuditMessage.objects.filter(pk__in=chunk).update(text=PURGED_TEXT, with_values="")
    for chunk in _chunks(texts.error_messages):
        Job.objects.filter(pk__in=chunk).update(error_message=PURGED_TEXT, error_with_values="")
    for key, statistics in texts.statistics.items():
        Job.objects.filter(pk=key).update(statistics=statistics)


def _naming(texts: Iterable[tuple[int, str, str]], values: Collection[str]) -> list[int]:
    return [key for key, *told in texts if any(_names(text, values) for text in told)]


def _names(text: str, values: Collection[str]) -> bool:
    lowered = text.lower()
    return any(value in lowered for value in values)


def _chunks(keys: list[int], size: int = 10_000) -> list[list[int]]:
    return [keys[start : start + size] for start in range(0, len(keys), size)]
