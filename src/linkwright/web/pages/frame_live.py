"""The poll of pages that have nothing live but their frame: the queue pill and the banner."""

from django.http import HttpRequest, HttpResponse

from linkwright.web.access import signed_in
from linkwright.web.frame import frame_pieces, queue_view_of
from linkwright.web.live import changes_response, not_modified, page_token, read_shown


def frame_live(request: HttpRequest) -> HttpResponse:
    """Answer a poll."""
    user = signed_in(request)
    token = page_token(user, request)
    unchanged = not_modified(request, token)
    if unchanged:
        return unchanged
    queue = queue_view_of(request)
    return changes_response(token, frame_pieces(queue), read_shown(request), is_active=queue.is_active)
