"""The line about the inbox in the panel 'Active and Queued Jobs', for those who may submit.

The inbox is of no project: of the Envelope that it took last, a person learns more than the time only if its
project exists for them.
"""

from linkwright.config import load_config
from linkwright.services.inbox_settings import read_inbox_settings
from linkwright.services.inbox_status import InboxStatus, read_inbox_status
from linkwright.services.queue_status import QueueStatus
from linkwright.store.permissions import Permission
from linkwright.store.queries.envelope_lists import visible_envelopes
from linkwright.web.access import Access
from linkwright.web.live import Piece, make_piece


def inbox_piece(access: Access, queue: QueueStatus) -> Piece:
    """Return the line; an empty piece if no inbox is watched or the person may submit nowhere."""
    config = load_config()
    settings = read_inbox_settings(config)
    is_shown = settings.enabled and access.may(Permission.SUBMIT)
    status, problem = InboxStatus(), ""
    if is_shown:
        status = _as_seen_by(access, read_inbox_status(config))
        problem = status.problem
        if not queue.worker_alive:
            problem = "Nobody watches the inbox: no worker is running."
    context = {
        "is_shown": is_shown,
        "folder": str(settings.folder),
        "is_starting": status.folder != str(settings.folder),
        "status": status,
        "problem": problem,
    }
    return make_piece("inbox-line", "web/partials/inbox_line.html", context, *context.values())


def _as_seen_by(access: Access, status: InboxStatus) -> InboxStatus:
    if visible_envelopes(access.user).filter(pk=status.last_envelope_id).exists():
        return status
    return status.without_last()
