"""What can be done on a page can be done over the API: every route of the pages, beside its operation there.

A new route without an entry fails. What has no operation says why; a page that changes something has an operation
that does, and the other way round. SPEC section 8: the browser, the API and the file do the same things.
"""

import inspect
import re
from dataclasses import dataclass

import pytest
from django.urls import URLPattern

from linkwright.api.application import API_PATH
from linkwright.api.urls import openapi_document
from linkwright.web.urls import urlpatterns

P = "/projects/{code}"
EXTRACTION = f"{P}/extraction-projects/{{extraction_code}}"
ESTIMATION = f"{P}/estimations/{{estimation_id}}"
EVENT_TYPE = f"{P}/event-types/{{event_type_code}}"
MATCH = f"{P}/match-configuration"
DEFAULT = "/default-match-configuration"
PERSON = "/people/{person_id}"


@dataclass(frozen=True)
class Acts:
    """The page changes something; so do these operations: 'post /queue/pause'."""

    operations: tuple[str, ...]


@dataclass(frozen=True)
class Reads:
    """The page only shows something; so do these operations."""

    operations: tuple[str, ...]


@dataclass(frozen=True)
class Apart:
    """There is no such operation, and this is why."""

    reason: str


def acts(*operations: str) -> Acts:
    return Acts(operations)


def reads(*paths: str) -> Reads:
    return Reads(tuple(f"get {path}" for path in paths))


LEADS_ON = Apart("It leads on to another page, and shows nothing itself.")
FOLLOWS = Apart("It keeps an open page up to date; a program asks the lists and rows again.")
PASSWORD = Apart("Passwords and sign-in are a person's at a browser: a key opens no session and sees no password.")
FIRST_RUN = Apart(
    "The first run is led through by pages; `linkwright demo`, `create-administrator`, `apply` are for machines."
)
CSV = Apart("The same rows as a table for spreadsheets; a program reads the list in pages.")

ROUTES: dict[str, Acts | Reads | Apart] = {
    "home": LEADS_ON,
    "health": Apart("It asks for no sign-in: whoever watches the server asks it itself."),
    "favicon.ico": LEADS_ON,
    "sign-in": PASSWORD,
    "provider-sign-in": PASSWORD,
    "provider-sign-in-back": PASSWORD,
    "sign-out": PASSWORD,
    "password": PASSWORD,
    "invitation": PASSWORD,
    "set-up": FIRST_RUN,
    "first-steps": FIRST_RUN,
    "first-steps-close": FIRST_RUN,
    "demo-load": FIRST_RUN,
    "frame-live": FOLLOWS,
    "projects": reads("/projects"),
    "reports": reads("/projects", f"{P}/numbers"),
    "project-reports": reads(f"{P}/reports"),
    "envelope-report": reads(f"{P}/reports/{{envelope_id}}"),
    "report-download": reads(f"{P}/reports/{{envelope_id}}"),
    "search": Apart("It leads people to what lists and codes give a program."),
    "project-new": acts("post /projects"),
    "project-file-all": reads("/export"),
    "project": reads(P, f"{P}/numbers", f"{P}/event-types", f"{P}/estimations", f"{P}/extraction-projects"),
    "project-change": acts(f"put {P}"),
    "project-archive": acts(f"post {P}/archive"),
    "project-unarchive": acts(f"post {P}/unarchive"),
    "project-delete": acts(f"post {P}/delete"),
    "project-file": reads("/export"),
    "submit": acts(f"post {P}/data-files", "post /uploads"),
    "submit-confirm": acts(f"post {P}/data-files", "post /uploads/{upload_id}/finish"),
    "submit-cancel": acts("delete /uploads/{upload_id}"),
    "event-type-attach": acts(f"post {P}/event-types"),
    "event-type-updates": acts(f"put {EVENT_TYPE}"),
    "event-type-detach": acts(f"post {EVENT_TYPE}/detach"),
    "records": reads(f"{P}/records"),
    # what is searched is sent by POST, so that it stands in no address
    "records-by-values": acts(f"post {P}/records/search"),
    "record": reads(f"{P}/records/{{record_id}}"),
    "pair-chosen": LEADS_ON,
    "pair": reads(f"{P}/pairs/{{record_id}}/{{other_record_id}}"),
    "group": reads(f"{P}/groups/{{group_id}}"),
    "group-review": acts(f"post {P}/groups/{{group_id}}/review"),
    "project-estimate": acts(f"post {P}/estimations"),
    "project-frequencies": acts(f"post {P}/frequencies"),
    "members": reads(f"{P}/members"),
    "member-add": acts(f"post {P}/members"),
    "member-role": acts(f"put {P}/members/{{person_id}}", f"delete {P}/members/{{person_id}}"),
    "project-compact": acts(f"post {P}/compact"),
    "project-purge": acts(f"post {P}/purge"),
    "estimation": reads(ESTIMATION),
    "estimation-apply": acts(f"post {ESTIMATION}/apply"),
    "estimation-download": reads(f"{ESTIMATION}/file"),
    "extraction-new": acts(f"post {P}/extraction-projects"),
    "extraction": reads(EXTRACTION, f"{EXTRACTION}/results"),
    "extraction-change": acts(f"put {EXTRACTION}"),
    "extraction-extract": acts(f"post {EXTRACTION}/extract"),
    "extraction-close": acts(f"post {EXTRACTION}/close"),
    "extraction-download": reads(f"{EXTRACTION}/results/{{result_id}}/file"),
    "linkage-fields": reads(f"{P}/linkage-fields"),
    "match-configuration": reads(MATCH, f"{MATCH}/versions"),
    "match-differences": Apart("Both versions can be read whole; what differs is the reader's to see."),
    "match-download": reads(f"{MATCH}/file"),
    "match-edit": acts(f"put {MATCH}"),
    "match-check": acts(f"post {MATCH}/validate"),
    "match-try": acts(f"post {MATCH}/try"),
    "default-match": reads(DEFAULT, f"{DEFAULT}/versions"),
    "default-match-differences": Apart("Both versions can be read whole; what differs is the reader's to see."),
    "default-match-download": reads(DEFAULT),
    "default-match-edit": acts(f"put {DEFAULT}"),
    "default-match-check": acts(f"post {DEFAULT}/validate"),
    "default-match-built-in": acts(f"put {DEFAULT}"),
    # a draft is tried on the records of a project, and read for its fields, whatever it is for
    "default-match-try": acts(f"post {MATCH}/try"),
    "default-match-upload": acts(f"post {MATCH}/read-file"),
    "match-upload": acts(f"post {MATCH}/read-file"),
    "catalog": LEADS_ON,
    "catalog-providers": reads("/providers", "/providers/{code}"),
    "catalog-event-types": reads("/event-types", "/event-types/{code}"),
    "catalog-import-formats": reads("/import-formats"),
    "provider-new": acts("post /providers"),
    "provider-change": acts("put /providers/{code}"),
    "provider-delete": acts("delete /providers/{code}"),
    "event-type-new": acts("post /event-types"),
    "event-type-change": acts("put /event-types/{code}"),
    "event-type-delete": acts("delete /event-types/{code}"),
    "import-format": reads("/import-formats/{code}"),
    "import-format-new": acts("post /import-formats"),
    "import-format-preview": acts("post /import-format-samples"),
    "import-format-change": acts("put /import-formats/{code}"),
    "import-format-delete": acts("delete /import-formats/{code}"),
    "jobs/": LEADS_ON,
    "envelopes": reads("/envelopes", "/envelopes/{envelope_id}"),
    "envelopes-live": FOLLOWS,
    "envelopes-export": CSV,
    "upload": acts("post /envelopes"),
    "uploads": acts("post /uploads"),
    "upload-slices": acts(
        "put /uploads/{upload_id}", "delete /uploads/{upload_id}", "post /uploads/{upload_id}/finish"
    ),
    "envelope-jobs": reads("/envelopes/{envelope_id}/jobs"),
    "envelope-notifications": reads("/envelopes/{envelope_id}/notifications"),
    "envelope-download": reads("/envelopes/{envelope_id}/file"),
    "envelope-cancel": acts("post /envelopes/{envelope_id}/cancel"),
    "envelope-rollback": acts("post /envelopes/{envelope_id}/rollback"),
    "jobs": reads("/jobs", "/queue"),
    "jobs-live": FOLLOWS,
    "jobs-export": CSV,
    "job-statistics": reads("/jobs/{job_id}"),
    "job-audit": reads("/jobs/{job_id}/audit-messages"),
    "job-retry": acts("post /jobs/{job_id}/retry"),
    "job-cancel": acts("post /jobs/{job_id}/cancel"),
    "job-rejects": reads("/jobs/{job_id}/rejects"),
    "queue-pause": acts("post /queue/pause"),
    "queue-resume": acts("post /queue/resume"),
    "queue-clear": acts("post /queue/clear"),
    "queue-history": reads("/audit-log"),
    "queue-history-live": FOLLOWS,
    "api-keys": reads("/api-keys"),
    "api-key-create": acts("post /api-keys"),
    "api-key-revoke": acts("post /api-keys/{key_id}/revoke"),
    "admin": LEADS_ON,
    "audit-log": reads("/audit-log"),
    "audit-log-check": reads("/audit-log/check"),
    "audit-log-export": CSV,
    "audit-entry": reads("/audit-log"),
    "settings": reads("/settings"),
    "setting-change": acts("put /settings/{name}"),
    "people": reads("/people"),
    "person-invite": acts("post /people"),
    "person": reads(PERSON),
    "person-link": acts(f"post {PERSON}/link"),
    "person-role": acts(
        f"post {P}/members", f"put {P}/members/{{person_id}}", f"delete {P}/members/{{person_id}}"
    ),
    "person-administrator": acts(f"put {PERSON}/administrator"),
    "person-deactivate": acts(f"post {PERSON}/deactivate"),
    "person-reactivate": acts(f"post {PERSON}/reactivate"),
    "person-sessions": acts(f"post {PERSON}/end-sessions"),
    "person-unbind": acts(f"post {PERSON}/unbind"),
    "person-lift": acts(f"post {PERSON}/lift-wait"),
    "backups": reads("/backups"),
    "backups-live": FOLLOWS,
    "backup-start": acts("post /backups"),
}


def routes() -> dict[str, URLPattern]:
    return {pattern.name or str(pattern.pattern): pattern for pattern in urlpatterns}


def operations() -> set[str]:
    paths = openapi_document()["paths"]
    return {f"{method} {path.removeprefix(API_PATH)}" for path, item in paths.items() for method in item}


def source_of(pattern: URLPattern) -> str:
    """Return the text of a page's function, with what stands above it."""
    return inspect.getsource(inspect.unwrap(pattern.callback))


def test_every_route_of_the_pages_has_its_place_in_the_table() -> None:
    assert sorted(routes()) == sorted(ROUTES)


def test_every_operation_in_the_table_is_one() -> None:
    named = {one for entry in ROUTES.values() if not isinstance(entry, Apart) for one in entry.operations}
    assert named - operations() == set()


@pytest.mark.parametrize("name", [name for name, entry in ROUTES.items() if isinstance(entry, Acts)])
def test_a_page_that_changes_something_has_an_operation_that_does(name: str) -> None:
    entry = ROUTES[name]
    assert isinstance(entry, Acts)
    assert {one.split()[0] for one in entry.operations} <= {"post", "put", "delete"}
    assert entry.operations


@pytest.mark.parametrize("name", [name for name, entry in ROUTES.items() if isinstance(entry, Reads)])
def test_a_page_that_is_said_to_show_something_takes_no_form(name: str) -> None:
    source = source_of(routes()[name])
    assert not re.search(r"\bPOST\b|require_POST", source)
    assert "def " in source


def test_no_page_stands_apart_without_a_reason() -> None:
    assert all(len(entry.reason) > 30 for entry in ROUTES.values() if isinstance(entry, Apart))


def test_every_operation_that_changes_something_is_one_that_a_page_has() -> None:
    named = {one for entry in ROUTES.values() if isinstance(entry, Acts) for one in entry.operations}
    changing = {one for one in operations() if not one.startswith("get ")}
    assert changing - named == set()
