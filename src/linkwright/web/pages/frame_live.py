"""The poll of pages that have little live beside their frame: the queue pill and the banner, results."""

from django.http import HttpRequest, HttpResponse

from linkwright.web.access import access_of, signed_in
from linkwright.web.extraction_pieces import shown_extractions
from linkwright.web.frame import frame_pieces, queue_view_of
from linkwright.web.live import changes_response, not_modified, page_token, read_shown


def frame_live(request: HttpRequest) -> HttpResponse:
    """Answer a poll."""
    user = signed_in(request)
    token = page_token(user, request)
    unchanged = not_modified(request, token)
    if unchanged:
        return unchanged
    queue, shown = queue_view_of(request), read_shown(request)
    pieces = [*frame_pieces(queue), *shown_extractions(access_of(request), shown)]
    return changes_response(token, pieces, shown, is_active=queue.is_active)
