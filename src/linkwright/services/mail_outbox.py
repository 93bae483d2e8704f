"""Writes into the outbox what is to be told by e-mail: one row for each thing that an address is to know.

Called inside the transaction that ends a job: what did not happen is told to nobody, and what happened is told
even if everything stops a moment later. Sends nothing (services/deliver_mail.py does). The lines name Envelopes
and numbers only, never an error's text: it could quote what must not leave the system. Source: SPEC sections
1 and 7.
"""

from collections.abc import Iterable

from django.utils import timezone

from linkwright.store.models import Envelope, EnvelopeState, Job, LinkageProject, MailEvent, Notification, Severity
from linkwright.store.settings import read_setting

NAME_LENGTH = 120
_SWITCHES = {
    EnvelopeState.SUCCESS: "OnSuccess",
    EnvelopeState.ERRORS: "OnFailure",
    EnvelopeState.CORRUPT: "OnFailure",
    EnvelopeState.ROLLED_BACK: "OnRollback",
}


def tell_envelopes(ids: Iterable[int], state: EnvelopeState | None, job: Job | None = None) -> None:
    """Tell that Envelopes ended in a state; one that goes on, or that a person cancelled, is told to nobody.

    Args:
        ids: of the Envelopes.
        state: how they ended.
        job: the one whose failure ended them, if one did.
    """
    if state not in _SWITCHES or not _is_wanted(_SWITCHES[state]):
        return
    for envelope in Envelope.objects.filter(pk__in=list(ids)).select_related("project").order_by("pk"):
        _add(
            _address_of(envelope.project),
            f"{_named(envelope)}: {state.value}. {_outcome(envelope, state, job)}".strip(),
            f"/jobs/envelopes/{envelope.pk}/jobs/",
        )


def tell_job_failure(job: Job) -> None:
    """Tell that a job which belongs to no Envelope failed."""
    if _is_wanted("OnFailure"):
        _add(_address_of(job.project), f"J{_job_text(job)[1:]} failed.", f"/jobs/{job.pk}/statistics/")


def tell_pause(job: Job) -> None:
    """Tell that the queue paused itself because a job failed: whoever looks after the system, else the project."""
    if _is_wanted("OnFailure"):
        address = _setting("SystemAddress") or _address_of(job.project)
        _add(address, f"The Job Queue has paused itself: {_job_text(job)} failed.", "/jobs/all/")


def one_line(text: str, length: int = NAME_LENGTH) -> str:
    """Return a text that cannot begin a new line or a header, nor turn the direction of what follows."""
    plain = " ".join("".join(character if character.isprintable() else " " for character in text).split())
    return plain if len(plain) <= length else plain[: length - 1] + "…"


def _add(address: str, text: str, path: str) -> None:
    if address:
        MailEvent.objects.create(address=address, text=text, path=path, happened_at=timezone.now())


def _named(envelope: Envelope) -> str:
    where = f" of {envelope.project.code}" if envelope.project else ""
    return f"Envelope {envelope.pk} ({one_line(envelope.name)}){where}"


def _job_text(job: Job) -> str:
    where = f" of {job.project.code}" if job.project else ""
    return f"job {job.pk} ({job.kind}){where}"


def _outcome(envelope: Envelope, state: EnvelopeState, job: Job | None) -> str:
    if state == EnvelopeState.CORRUPT:
        return "It cannot be used."
    if state == EnvelopeState.ERRORS and job is not None:
        return f"Job {job.pk} ({job.kind}) failed; nothing has been changed."
    if state != EnvelopeState.SUCCESS:
        return ""
    warnings = Notification.objects.filter(envelope=envelope, severity=Severity.WARNING).count()
    told = [f"{envelope.records_count or 0:,} records"] if envelope.records_count is not None else []
    told += [f"{warnings} warning{'s' if warnings > 1 else ''}"] if warnings else []
    return f"{', '.join(told)}." if told else ""


def _address_of(project: LinkageProject | None) -> str:
    return project.notification_email if project is not None else _setting("SystemAddress")


def _is_wanted(switch: str) -> bool:
    return bool(read_setting("Notifications.Email.Enabled") and read_setting(f"Notifications.Email.{switch}"))


def _setting(name: str) -> str:
    return str(read_setting(f"Notifications.Email.{name}"))
