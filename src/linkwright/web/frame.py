"""What is on every page: tabs, queue pill, the banner while the queue is paused, person, theme, live switch.

A person who does not belong to a project learns nothing of its jobs here either: the pill then says 'Busy'.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import SimpleLazyObject

from linkwright.services.deliver_mail import read_given_up
from linkwright.services.queue_status import VisibleQueue, read_visible_queue
from linkwright.store.models import User
from linkwright.store.permissions import Permission, is_allowed
from linkwright.store.queries.shown_status import QueueActivity
from linkwright.web.access import Access, signed_in
from linkwright.web.first_steps import has_first_steps
from linkwright.web.flash import Flash, take_flashes
from linkwright.web.formatting import count_words
from linkwright.web.live import Piece, make_piece
from linkwright.web.progress_view import view_progress

THEMES = ("light", "dark")


@dataclass(frozen=True)
class Tab:
    """One tab of the top bar."""

    label: str
    url: str
    is_current: bool


@dataclass(frozen=True)
class QueueView(VisibleQueue):
    """The queue as one person may see it, and what they may do with it."""

    may_pause: bool
    may_clear: bool

    @property
    def is_active(self) -> bool:
        """Whether something runs or waits that this person may see."""
        return self.running is not None or bool(self.queued)

    @property
    def activity(self) -> QueueActivity:
        """What runs, whoever asks: from this it follows which Envelope is shown as active."""
        running = self.status.running
        return QueueActivity(
            running_job_id=running.pk if running else None,
            running_envelope_id=running.envelope_id if running else None,
            chain_envelope_id=self.status.chain_envelope_id,
            is_paused=self.status.paused_at is not None,
        )


@dataclass(frozen=True)
class Frame:
    """Everything around a page's content."""

    tabs: Sequence[Tab]
    user: User | None
    pieces: Sequence[Piece]
    flashes: Sequence[Flash]
    theme: str
    is_live_on: bool
    may_pause: bool = False
    are_keys_on: bool = True
    admin_tabs: Sequence[Tab] = ()

    @property
    def is_unclaimed(self) -> bool:
        """Whether nobody has an account yet; asked where it is shown."""
        return not User.objects.exists()

    @property
    def mail_warning(self) -> str:
        """What went wrong with e-mails lately, for those who may change the settings; asked where it is shown."""
        if self.user is None or not is_allowed(self.user, Permission.CHANGE_SETTINGS):
            return ""
        given_up_count, last_error = read_given_up()
        if not given_up_count:
            return ""
        count = count_words(given_up_count, "e-mail was", "e-mails were")
        return f"{count} given up in the last 7 days. The last: {last_error}"


def read_queue_view(user: User) -> QueueView:
    """Look at the queue with one person's eyes."""
    seen, access = read_visible_queue(user), Access(user)
    return QueueView(
        status=seen.status,
        running=seen.running,
        queued=seen.queued,
        paused_by_job=seen.paused_by_job,
        may_pause=access.may(Permission.PAUSE_AND_RESUME),
        may_clear=access.may(Permission.CLEAR),
    )


def queue_view_of(request: HttpRequest) -> QueueView:
    """Return the queue as whoever asks may see it, looked at once a request."""
    view = getattr(request, "_queue_view", None)
    if not isinstance(view, QueueView):
        view = read_queue_view(signed_in(request))
        request._queue_view = view  # type: ignore[attr-defined]  # noqa: SLF001 - a cache on Django's request
    return view


def frame_pieces(queue: QueueView) -> list[Piece]:
    """Return the live pieces of the frame: pill and banner."""
    return [_pill(queue), _banner(queue)]


def _pill(queue: QueueView) -> Piece:
    status, job = queue.status, queue.running
    waiting = count_words(len(queue.queued), "job") + " queued"
    kind, text = "idle", "Idle"
    if job is not None:
        share = view_progress(job.progress).share_text
        name = job.envelope.name if job.envelope else ""
        kind, text = "running", " · ".join(part for part in (job.kind, name, share) if part)
    elif status.running is not None:
        kind, text = "running", "Busy"
    if status.paused_at is not None:
        kind, text = "paused", f"Paused by {queue.paused_by}: {queue.paused_reason}".rstrip(": ")
    elif not status.worker_alive:
        kind, text = "stopped", f"No worker · {waiting}" if queue.queued else "No worker"
    elif kind == "idle" and queue.queued:
        kind, text = "running", waiting
    help_text = {
        "idle": "The Job Queue is empty.",
        "running": "The Job Queue is processing.",
        "paused": f"The Job Queue is paused: {queue.paused_reason}".rstrip(": "),
        "stopped": "No worker is running: jobs wait until one is started with 'linkwright worker'.",
    }[kind]
    context = {"kind": kind, "text": text, "help": help_text}
    return make_piece("queue-pill", "web/partials/queue_pill.html", context, kind, text, help_text)


def _banner(queue: QueueView) -> Piece:
    status = queue.status
    context = {
        "paused_at": status.paused_at,
        "paused_by": queue.paused_by,
        "reason": queue.paused_reason,
        "may_resume": queue.may_pause,
        "job_id": queue.paused_by_job.pk if queue.paused_by_job else None,
    }
    return make_piece("pause-banner", "web/partials/pause_banner.html", context, *context.values())


def _tabs(request: HttpRequest, user: User) -> list[Tab]:
    path = request.path
    tabs = [
        Tab("Projects", reverse("projects"), path.startswith(("/projects/", "/new-project/"))),
        Tab("Data catalog", reverse("catalog-providers"), path.startswith("/catalog/")),
        Tab("Jobs", reverse("envelopes"), path.startswith("/jobs/")),
        Tab("Reports", reverse("reports"), path.startswith("/reports/")),
    ]
    if has_first_steps(user):
        tabs.insert(0, Tab("First steps", reverse("first-steps"), path.startswith("/first-steps/")))
    own = _admin_tabs(request, user)
    if own:
        tabs.append(Tab("Admin", own[0].url, path.startswith("/admin/")))
    return tabs


def _admin_tabs(request: HttpRequest, user: User) -> list[Tab]:
    """Return the pages of the ADMIN tab that a person may see."""
    names = [("Audit log", "audit-log")]
    if user.is_superuser:
        names = [("Backups", "backups"), *names, ("Settings", "settings"), ("People", "people")]
    elif not is_allowed(user, Permission.READ_AUDIT_LOG):
        names = []
    pages = [(label, reverse(name)) for label, name in names]
    return [Tab(label, url, request.path.startswith(url)) for label, url in pages]


def build_frame(request: HttpRequest) -> Frame:
    """Gather the frame of a request; for nobody signed in it is bare."""
    user = getattr(request, "user", None)
    theme = request.COOKIES.get("theme", "")
    bare = Frame(
        tabs=[],
        user=None,
        pieces=[],
        flashes=[],
        theme=theme if theme in THEMES else "",
        is_live_on=request.COOKIES.get("live") != "off",
    )
    if not isinstance(user, User):
        return bare
    queue = queue_view_of(request)
    return Frame(
        tabs=_tabs(request, user),
        admin_tabs=_admin_tabs(request, user) if request.path.startswith("/admin/") else (),
        user=user,
        pieces=frame_pieces(queue),
        flashes=take_flashes(request),
        theme=bare.theme,
        is_live_on=bare.is_live_on,
        may_pause=queue.may_pause,
        are_keys_on=request.COOKIES.get("keys") != "off",
    )


def frame_context(request: HttpRequest) -> dict[str, Any]:
    """Give every template its frame, gathered only where a template asks for it."""
    return {"frame": SimpleLazyObject(lambda: build_frame(request))}
