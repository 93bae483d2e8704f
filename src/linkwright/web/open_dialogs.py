"""The live pieces inside dialogs: a job's audit messages, an Envelope's Notifications."""

from django.db.models import Count

from linkwright.store.models import AuditMessage, Envelope, Job, Notification, Severity, User
from linkwright.store.queries.envelope_lists import visible_envelopes
from linkwright.store.queries.job_lists import visible_jobs
from linkwright.store.queries.shown_status import shown_job_status
from linkwright.web.access import Access
from linkwright.web.live import Piece, Shown, make_piece
from linkwright.web.progress_view import view_progress

# the newest ones; a job that says more has said it before
LISTED_MESSAGES = 500
# worst first
SEVERITIES = (Severity.ERROR, Severity.WARNING, Severity.INFO)


def audit_piece(job: Job, access: Access) -> Piece:
    """Return the audit messages of a job, all attempts, oldest first; values for those who may see them."""
    shows_values = access.may_see_values(job.project_id)
    newest = list(AuditMessage.objects.filter(job=job).order_by("-pk")[: LISTED_MESSAGES + 1])
    messages = newest[:LISTED_MESSAGES][::-1]
    status = shown_job_status(job.state, errors_occurred=job.errors_occurred)
    attempts: dict[int, list[AuditMessage]] = {}
    for message in messages:
        attempts.setdefault(message.attempt, []).append(message)
    progress = view_progress(job.progress) if status.is_active else None
    context = {
        "job": job,
        "status": status,
        "progress": progress,
        "attempts": list(attempts.items()),
        "is_cut": len(newest) > LISTED_MESSAGES,
        "cut_count": LISTED_MESSAGES,
        "shows_values": shows_values,
    }
    last = newest[0].pk if newest else 0
    state = (last, status, job.attempt, shows_values, progress)
    return make_piece(f"audit-{job.pk}", "web/partials/audit_messages.html", context, *state)


def notifications_piece(envelope: Envelope, access: Access) -> Piece:
    """Return what was raised for an Envelope, newest first, with the count of each severity.

    With values for those who may see them.
    """
    shows_values = access.may_see_values(envelope.project_id)
    of_envelope = Notification.objects.filter(envelope=envelope)
    raised = list(of_envelope.select_related("job").order_by("-pk")[:LISTED_MESSAGES])
    counted = dict(of_envelope.order_by().values_list("severity").annotate(count=Count("pk")))
    counts = [(severity, counted.get(severity.value, 0)) for severity in SEVERITIES]
    context = {
        "notifications": raised,
        "counts": counts,
        "is_cut": sum(counted.values()) > len(raised),
        "cut_count": LISTED_MESSAGES,
        "shows_values": shows_values,
    }
    return make_piece(
        f"notifications-{envelope.pk}",
        "web/partials/notification_list.html",
        context,
        [item.pk for item in raised],
        counts,
        shows_values,
    )


def open_dialog_pieces(user: User, shown: Shown) -> list[Piece]:
    """Look up again what the dialogs show that a browser has open."""
    access = Access(user)
    jobs = visible_jobs(user).filter(pk__in=shown.keys("audit")) if shown.keys("audit") else []
    keys = shown.keys("notifications")
    envelopes = visible_envelopes(user).filter(pk__in=keys) if keys else []
    return [
        *(audit_piece(job, access) for job in jobs),
        *(notifications_piece(envelope, access) for envelope in envelopes),
    ]
