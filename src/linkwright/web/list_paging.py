"""What stands below a list: links to its neighbouring pages, and its export. Live, for the first page moves.

Rows that come push others off the first page: the link to older ones has to begin where the page now ends.
"""

from django.http import HttpResponseRedirect

from linkwright.store.queries.paging import Page, Row
from linkwright.web.address import ListAddress
from linkwright.web.list_filters import paging_context
from linkwright.web.live import Piece, make_piece

PAGING_ID = "paging"


def paging_piece(address: ListAddress, page: Page[Row], *, export_url: str, searched_word: str) -> Piece:
    """Return the piece; `searched_word` says which time the list is ordered by, as 'started'."""
    context = {
        **paging_context(address, page),
        "rows_html": bool(page.rows),
        "export_url": export_url,
        "searched_word": searched_word,
    }
    return make_piece(PAGING_ID, "web/partials/live_paging.html", context, *context.items())


def to_the_first_page(address: ListAddress, page: Page[Row]) -> HttpResponseRedirect | None:
    """Return the way to the first page, for who has walked up to the newest rows: only there new ones appear."""
    if not address.after or page.newer:
        return None
    return HttpResponseRedirect(address.with_changes(after="").url)
