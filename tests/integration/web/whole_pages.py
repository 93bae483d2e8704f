"""Which routes give a whole page: derived from the routes, so that a new page is looked at without being listed.

Every route has its address in test_routes.PAGES. What an Administrator of the seeded world gets there is a whole
page, unless the route stands here with the reason why not; test_whole_pages.py holds both to it.
"""

from tests.integration.web.seed import World
from tests.integration.web.test_routes import PAGES, path_of

_LEADS_ON = "leads on to another page"
_FRAGMENT = "a part of a page, or what is asked while one is open"
_FILE = "a file to download"
_ACTION = "takes an action, and shows nothing"
_NOBODY = "for people who are not signed in; tests/browser/test_access.py opens it"
_PROVIDER = "leads to the identity provider and back"
_LOOKING = "needs linked records; tests/browser/test_looking_by_hand.py looks at it"
# nothing of this is a whole page for an Administrator of the seeded world
ELSEWHERE: dict[str, str] = {
    **dict.fromkeys(("home", "catalog", "admin", "pair-chosen", "envelope-jobs", "job-statistics"), _LEADS_ON),
    **dict.fromkeys(
        ("health", "frame-live", "envelopes-live", "jobs-live", "queue-history-live", "backups-live"), _FRAGMENT
    ),
    **dict.fromkeys(("import-format-preview", "match-check", "match-try", "uploads", "upload-slices"), _FRAGMENT),
    **dict.fromkeys(
        ("project-file", "project-file-all", "match-download", "estimation-download", "extraction-download"), _FILE
    ),
    **dict.fromkeys(
        ("envelopes-export", "jobs-export", "audit-log-export", "envelope-download", "job-rejects"), _FILE
    ),
    **dict.fromkeys(("sign-out", "submit-cancel", "group-review", "match-upload", "upload"), _ACTION),
    **dict.fromkeys(("first-steps-close", "demo-load"), _ACTION),
    **dict.fromkeys(("sign-in", "set-up", "invitation"), _NOBODY),
    **dict.fromkeys(("provider-sign-in", "provider-sign-in-back"), _PROVIDER),
    **dict.fromkeys(("record", "pair", "group"), _LOOKING),
    "submit-confirm": "needs a file that waits; tests/browser/test_submit_file_by_hand.py looks at it",
    **dict.fromkeys(("default-match-check", "default-match-try", "default-match-upload"), _FRAGMENT),
    **dict.fromkeys(("default-match-download", "report-download"), _FILE),
    "match-differences": "needs two versions; tests/browser/test_match_editor_by_hand.py looks at it",
}
# reasons for which a route shows nobody a page or a dialog of its own
_NO_PAGE = {_LEADS_ON, _FRAGMENT, _FILE, _ACTION, _PROVIDER}


def page_routes() -> set[str]:
    """Return the names of the routes that show somebody a page, or a dialog, in some state of the world."""
    return {name for name in PAGES if ELSEWHERE.get(name) not in _NO_PAGE}


def whole_pages(world: World) -> dict[str, str]:
    """Return the address of each whole page, by the name of its route."""
    return {name: path_of(world, template) for name, (template, _) in PAGES.items() if name not in ELSEWHERE}
