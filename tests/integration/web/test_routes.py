"""Every route, asked by the Administrator, an Owner, a Viewer, a stranger and nobody."""

import re

import pytest
from django.test import Client
from django.urls import get_resolver

from linkwright.services.create_api_key import create_api_key
from linkwright.store.audit_log import COMMAND_LINE, record_action
from linkwright.store.models import ApiKey, AuditLogEntry, Job, JobKind, QueueState, User, WorkerPresence
from tests.integration.web.conftest import SignIn
from tests.integration.web.seed import World

PEOPLE = ("admin", "owner", "viewer", "stranger", "nobody")
SIGN_IN = 302
ADMINISTRATORS = (200, 403, 403, 403, SIGN_IN)
# nothing is filled in, or it is in use: whoever may configure the catalog is told so
ADMINISTRATORS_REFUSED = (409, 403, 403, 403, SIGN_IN)

# name: what each of the five gets on GET; 'stranger' is the Owner of another project
PAGES: dict[str, tuple[str, tuple[int, int, int, int, int]]] = {
    "home": ("/", (302, 302, 302, 302, SIGN_IN)),
    "health": ("/health", (200, 200, 200, 200, 200)),
    "sign-in": ("/sign-in/", (302, 302, 302, 302, 200)),
    # no provider is configured
    "provider-sign-in": ("/sign-in/provider/", (404, 404, 404, 404, 404)),
    "provider-sign-in-back": ("/sign-in/provider/back/", (404, 404, 404, 404, 404)),
    "sign-out": ("/sign-out/", (405, 405, 405, 405, SIGN_IN)),
    "frame-live": ("/live/", (200, 200, 200, 200, SIGN_IN)),
    "projects": ("/projects/", (200, 200, 200, 200, SIGN_IN)),
    "project": ("/projects/PERINATAL/", (200, 200, 200, 404, SIGN_IN)),
    # the project holds no records: whoever belongs to it is told that there is no such record or group
    "records": ("/projects/PERINATAL/records/?id=B-1", (200, 200, 200, 404, SIGN_IN)),
    "records-by-values": ("/projects/PERINATAL/records/by-values/", (200, 200, 403, 404, SIGN_IN)),
    "record": ("/projects/PERINATAL/records/1/", (404, 404, 404, 404, SIGN_IN)),
    "pair-chosen": ("/projects/PERINATAL/pairs/?one=1&other=2", (302, 302, 302, 404, SIGN_IN)),
    "pair": ("/projects/PERINATAL/pairs/1/2/", (404, 404, 404, 404, SIGN_IN)),
    "group": ("/projects/PERINATAL/groups/1/", (404, 404, 404, 404, SIGN_IN)),
    "group-review": ("/projects/PERINATAL/groups/1/review/", (405, 405, 405, 405, SIGN_IN)),
    "submit": ("/projects/PERINATAL/submit/", (200, 200, 403, 404, SIGN_IN)),
    # no such file waits: whoever may submit is told so
    "submit-confirm": (f"/projects/PERINATAL/submit/{'0' * 32}/", (302, 302, 403, 404, SIGN_IN)),
    "submit-cancel": (f"/projects/PERINATAL/submit/{'0' * 32}/cancel/", (405, 405, 405, 405, SIGN_IN)),
    "project-estimate": ("/projects/PERINATAL/estimate/", (200, 200, 403, 404, SIGN_IN)),
    "project-frequencies": ("/projects/PERINATAL/frequencies/", (200, 200, 403, 404, SIGN_IN)),
    "event-type-attach": ("/projects/PERINATAL/event-types/attach/", (200, 200, 403, 404, SIGN_IN)),
    "event-type-updates": ("/projects/PERINATAL/event-types/BIRTHS/updates/", (200, 200, 403, 404, SIGN_IN)),
    "event-type-detach": ("/projects/PERINATAL/event-types/BIRTHS/detach/", (200, 200, 403, 404, SIGN_IN)),
    "project-compact": ("/projects/PERINATAL/compact/", (200, 200, 403, 404, SIGN_IN)),
    "project-purge": ("/projects/PERINATAL/purge/", (200, 200, 403, 404, SIGN_IN)),
    "linkage-fields": ("/projects/PERINATAL/linkage-fields/", (200, 200, 200, 404, SIGN_IN)),
    "default-match": ("/catalog/default-match/", (200, 200, 200, 200, SIGN_IN)),
    "default-match-differences": (
        "/catalog/default-match/differences/?from=0&to=0",
        (200, 200, 200, 200, SIGN_IN),
    ),
    "default-match-download": ("/catalog/default-match/download/", (200, 200, 200, 200, SIGN_IN)),
    "default-match-edit": ("/catalog/default-match/edit/", ADMINISTRATORS),
    "default-match-check": ("/catalog/default-match/check/", (405, 405, 405, 405, SIGN_IN)),
    "default-match-upload": ("/catalog/default-match/upload/", (405, 405, 405, 405, SIGN_IN)),
    "default-match-try": ("/catalog/default-match/try/", (405, 405, 405, 405, SIGN_IN)),
    "default-match-built-in": ("/catalog/default-match/built-in/", ADMINISTRATORS),
    "match-configuration": ("/projects/PERINATAL/match-configuration/", (200, 200, 200, 404, SIGN_IN)),
    # it has one version only
    "match-differences": (
        "/projects/PERINATAL/match-configuration/differences/?from=2&to=3",
        (404, 404, 404, 404, SIGN_IN),
    ),
    # the version of this world does not fit the fields: it cannot be written
    "match-download": ("/projects/PERINATAL/match-configuration/download/", (409, 409, 409, 404, SIGN_IN)),
    "match-edit": ("/projects/PERINATAL/match-configuration/edit/", (200, 200, 403, 404, SIGN_IN)),
    "match-check": ("/projects/PERINATAL/match-configuration/check/", (405, 405, 405, 405, SIGN_IN)),
    "match-try": ("/projects/PERINATAL/match-configuration/try/", (405, 405, 405, 405, SIGN_IN)),
    "match-upload": ("/projects/PERINATAL/match-configuration/upload/", (405, 405, 405, 405, SIGN_IN)),
    "estimation": ("/projects/PERINATAL/estimations/{estimation}/", (200, 200, 200, 404, SIGN_IN)),
    "estimation-apply": ("/projects/PERINATAL/estimations/{estimation}/apply/", (200, 200, 403, 404, SIGN_IN)),
    "estimation-download": (
        "/projects/PERINATAL/estimations/{estimation}/download/",
        (200, 200, 200, 404, SIGN_IN),
    ),
    "extraction-new": ("/projects/PERINATAL/new-extraction/", (200, 200, 403, 404, SIGN_IN)),
    "extraction": ("/projects/PERINATAL/extractions/DIABETES/", (200, 200, 200, 404, SIGN_IN)),
    "extraction-change": ("/projects/PERINATAL/extractions/DIABETES/change/", (200, 200, 403, 404, SIGN_IN)),
    "extraction-extract": ("/projects/PERINATAL/extractions/DIABETES/extract/", (200, 200, 403, 404, SIGN_IN)),
    "extraction-close": ("/projects/PERINATAL/extractions/DIABETES/close/", (200, 200, 403, 404, SIGN_IN)),
    "extraction-download": (
        "/projects/PERINATAL/extractions/DIABETES/results/{result}/",
        (200, 200, 403, 404, SIGN_IN),
    ),
    "catalog": ("/catalog/", (302, 302, 302, 302, SIGN_IN)),
    "catalog-providers": ("/catalog/providers/", (200, 200, 200, 200, SIGN_IN)),
    "catalog-event-types": ("/catalog/event-types/", (200, 200, 200, 200, SIGN_IN)),
    "catalog-import-formats": ("/catalog/import-formats/", (200, 200, 200, 200, SIGN_IN)),
    "provider-new": ("/catalog/new-provider/", ADMINISTRATORS),
    "event-type-new": ("/catalog/new-event-type/", ADMINISTRATORS),
    "import-format-new": ("/catalog/new-import-format/", ADMINISTRATORS),
    "import-format-preview": ("/catalog/format-preview/", (405, 405, 405, 405, SIGN_IN)),
    "provider-change": ("/catalog/providers/WAHEALTH/change/", ADMINISTRATORS),
    "provider-delete": ("/catalog/providers/WAHEALTH/delete/", ADMINISTRATORS),
    "event-type-change": ("/catalog/event-types/BIRTHS/change/", ADMINISTRATORS),
    "event-type-delete": ("/catalog/event-types/BIRTHS/delete/", ADMINISTRATORS),
    "import-format": ("/catalog/import-formats/CSV/", (200, 200, 200, 200, SIGN_IN)),
    "import-format-change": ("/catalog/import-formats/CSV/change/", ADMINISTRATORS),
    "import-format-delete": ("/catalog/import-formats/CSV/delete/", ADMINISTRATORS),
    "set-up": ("/set-up/none/", (404, 404, 404, 404, 404)),
    "first-steps": ("/first-steps/", (200, 403, 403, 403, SIGN_IN)),
    "first-steps-close": ("/first-steps/close/", (405, 405, 405, 405, SIGN_IN)),
    "demo-load": ("/first-steps/demo/", (405, 405, 405, 405, SIGN_IN)),
    "project-new": ("/new-project/", (200, 403, 403, 403, SIGN_IN)),
    "project-file-all": ("/project-file/", (200, 403, 403, 403, SIGN_IN)),
    "project-file": ("/projects/PERINATAL/project-file/", (200, 200, 403, 404, SIGN_IN)),
    "project-change": ("/projects/PERINATAL/change/", (200, 200, 403, 404, SIGN_IN)),
    "project-archive": ("/projects/PERINATAL/archive/", (200, 200, 403, 404, SIGN_IN)),
    "project-unarchive": ("/projects/PERINATAL/unarchive/", (200, 200, 403, 404, SIGN_IN)),
    "project-delete": ("/projects/PERINATAL/delete/", (200, 403, 403, 404, SIGN_IN)),
    "search": ("/search/?q=HOSP", (200, 200, 200, 200, SIGN_IN)),
    "reports": ("/reports/", (200, 200, 200, 200, SIGN_IN)),
    "project-reports": ("/reports/PERINATAL/", (200, 200, 200, 404, SIGN_IN)),
    "envelope-report": ("/reports/PERINATAL/{reported}/", (200, 200, 200, 404, SIGN_IN)),
    "report-download": ("/reports/PERINATAL/{reported}/download/", (200, 200, 200, 404, SIGN_IN)),
    "envelopes": ("/jobs/envelopes/", (200, 200, 200, 200, SIGN_IN)),
    "envelopes-live": ("/jobs/envelopes/live/", (200, 200, 200, 200, SIGN_IN)),
    "envelopes-export": ("/jobs/envelopes/export/", (200, 200, 200, 200, SIGN_IN)),
    "upload": ("/jobs/envelopes/upload/", (405, 405, 405, 405, SIGN_IN)),
    "uploads": ("/uploads/", (405, 405, 405, 405, SIGN_IN)),
    # of nobody's upload: whoever may submit is told that there is none
    "upload-slices": (f"/uploads/{'0' * 32}/", (404, 404, 403, 404, SIGN_IN)),
    "envelope-jobs": ("/jobs/envelopes/{queued}/jobs/", (302, 302, 302, 404, SIGN_IN)),
    "envelope-notifications": ("/jobs/envelopes/{queued}/notifications/", (200, 200, 200, 404, SIGN_IN)),
    "envelope-cancel": ("/jobs/envelopes/{queued}/cancel/", (200, 200, 403, 404, SIGN_IN)),
    "envelope-rollback": ("/jobs/envelopes/{queued}/rollback/", (200, 200, 403, 404, SIGN_IN)),
    # its file is not there: whoever may have it is told so
    "envelope-download": ("/jobs/envelopes/{queued}/download/", (404, 404, 403, 404, SIGN_IN)),
    "jobs": ("/jobs/all/", (200, 200, 200, 200, SIGN_IN)),
    "jobs-live": ("/jobs/all/live/", (200, 200, 200, 200, SIGN_IN)),
    "jobs-export": ("/jobs/all/export/", (200, 200, 200, 200, SIGN_IN)),
    "job-statistics": ("/jobs/{failed}/statistics/", (302, 302, 302, 404, SIGN_IN)),
    "job-audit": ("/jobs/{failed}/audit/", (200, 200, 200, 404, SIGN_IN)),
    "job-retry": ("/jobs/{failed}/retry/", (200, 200, 403, 404, SIGN_IN)),
    "job-cancel": ("/jobs/{failed}/cancel/", (200, 200, 403, 404, SIGN_IN)),
    "admin": ("/admin/", (302, 302, 302, 302, SIGN_IN)),
    "audit-log": ("/admin/audit-log/", (200, 200, 403, 200, SIGN_IN)),
    "audit-log-check": ("/admin/audit-log/check/", (200, 403, 403, 403, SIGN_IN)),
    "audit-log-export": ("/admin/audit-log/export/", (200, 200, 403, 200, SIGN_IN)),
    "audit-entry": ("/admin/audit-log/{entry}/", (200, 200, 403, 404, SIGN_IN)),
    "settings": ("/admin/settings/", (200, 403, 403, 403, SIGN_IN)),
    "setting-change": ("/admin/settings/Backup.Keep/", (200, 403, 403, 403, SIGN_IN)),
    "people": ("/admin/people/", (200, 403, 403, 403, SIGN_IN)),
    "person": ("/admin/people/{person}/", (200, 403, 403, 403, SIGN_IN)),
    **{
        f"person-{name}": (f"/admin/people/{{person}}/{name}/", (200, 403, 403, 403, SIGN_IN))
        for name in ("link", "role", "administrator", "deactivate", "reactivate", "sessions", "unbind", "lift")
    },
    "person-invite": ("/admin/people/invite/", (200, 403, 403, 403, SIGN_IN)),
    "members": ("/projects/PERINATAL/people/", (200, 200, 403, 404, SIGN_IN)),
    "member-add": ("/projects/PERINATAL/people/add/", (200, 200, 403, 404, SIGN_IN)),
    "member-role": ("/projects/PERINATAL/people/{member}/", (200, 200, 403, 404, SIGN_IN)),
    "password": ("/account/password/", (200, 200, 200, 200, SIGN_IN)),
    # made up
    "invitation": (f"/invitation/{'x' * 43}/", (404, 404, 404, 404, 404)),
    "backups": ("/admin/backups/", (200, 403, 403, 403, SIGN_IN)),
    "backups-live": ("/admin/backups/live/", (200, 403, 403, 403, SIGN_IN)),
    "backup-start": ("/admin/backups/start/", (200, 403, 403, 403, SIGN_IN)),
    # this job rejected nothing: whoever may have the file is told that there is none
    "job-rejects": ("/jobs/{failed}/rejects/", (404, 404, 403, 404, SIGN_IN)),
    "queue-pause": ("/jobs/queue/pause/", (200, 200, 403, 200, SIGN_IN)),
    "queue-resume": ("/jobs/queue/resume/", (200, 200, 403, 200, SIGN_IN)),
    "queue-history": ("/jobs/queue/history/", (200, 200, 200, 200, SIGN_IN)),
    "queue-history-live": ("/jobs/queue/history/live/", (200, 200, 200, 200, SIGN_IN)),
    "queue-clear": ("/jobs/queue/clear/", (200, 403, 403, 403, SIGN_IN)),
    "api-keys": ("/account/api-keys/", (200, 200, 200, 200, SIGN_IN)),
    "api-key-create": ("/account/api-keys/new/", (200, 200, 200, 200, SIGN_IN)),
    # it is the Owner's
    "api-key-revoke": ("/account/api-keys/{key}/revoke/", (200, 200, 404, 404, SIGN_IN)),
}
# what each gets on POST, where acting is meant; a refusal must change nothing
ACTIONS: dict[str, tuple[str, tuple[int, int, int, int, int]]] = {
    # no file is sent, none waits: whoever may submit is told so
    "submit": ("/projects/PERINATAL/submit/", (302, 302, 403, 404, SIGN_IN)),
    # nothing is filled in, and there is no such group: whoever may do it is told so
    "records-by-values": ("/projects/PERINATAL/records/by-values/", (409, 409, 403, 404, SIGN_IN)),
    "group-review": ("/projects/PERINATAL/groups/1/review/", (404, 404, 403, 404, SIGN_IN)),
    "submit-confirm": (f"/projects/PERINATAL/submit/{'0' * 32}/", (302, 302, 403, 404, SIGN_IN)),
    "submit-cancel": (f"/projects/PERINATAL/submit/{'0' * 32}/cancel/", (302, 302, 403, 404, SIGN_IN)),
    # the project holds no records: whoever may configure it is told so
    "project-estimate": ("/projects/PERINATAL/estimate/", (409, 409, 403, 404, SIGN_IN)),
    "project-frequencies": ("/projects/PERINATAL/frequencies/", (409, 409, 403, 404, SIGN_IN)),
    # nothing was chosen, and no code was typed: whoever may configure the project is told so
    "event-type-attach": ("/projects/PERINATAL/event-types/attach/", (409, 409, 403, 404, SIGN_IN)),
    "event-type-updates": ("/projects/PERINATAL/event-types/BIRTHS/updates/", (302, 302, 403, 404, SIGN_IN)),
    "event-type-detach": ("/projects/PERINATAL/event-types/BIRTHS/detach/", (409, 409, 403, 404, SIGN_IN)),
    # it has no files: whoever may compact and purge is told so
    "project-compact": ("/projects/PERINATAL/compact/", (409, 409, 403, 404, SIGN_IN)),
    "project-purge": ("/projects/PERINATAL/purge/", (409, 409, 403, 404, SIGN_IN)),
    "first-steps-close": ("/first-steps/close/", (302, 403, 403, 403, SIGN_IN)),
    # nothing is filled in; its jobs wait, it is not archived: whoever may do it is told so
    "project-new": ("/new-project/", (409, 403, 403, 403, SIGN_IN)),
    "project-change": ("/projects/PERINATAL/change/", (409, 409, 403, 404, SIGN_IN)),
    "project-archive": ("/projects/PERINATAL/archive/", (409, 409, 403, 404, SIGN_IN)),
    "project-unarchive": ("/projects/PERINATAL/unarchive/", (409, 409, 403, 404, SIGN_IN)),
    "project-delete": ("/projects/PERINATAL/delete/", (409, 403, 403, 404, SIGN_IN)),
    "estimation-apply": ("/projects/PERINATAL/estimations/{estimation}/apply/", (302, 302, 403, 404, SIGN_IN)),
    # nothing is filled in: whoever may create or change one is told so
    "extraction-new": ("/projects/PERINATAL/new-extraction/", (409, 409, 403, 404, SIGN_IN)),
    "extraction-change": ("/projects/PERINATAL/extractions/DIABETES/change/", (409, 409, 403, 404, SIGN_IN)),
    "extraction-extract": ("/projects/PERINATAL/extractions/DIABETES/extract/", (302, 302, 403, 404, SIGN_IN)),
    "extraction-close": ("/projects/PERINATAL/extractions/DIABETES/close/", (302, 302, 403, 404, SIGN_IN)),
    "upload": ("/jobs/envelopes/upload/", (302, 302, 403, 302, SIGN_IN)),
    "envelope-cancel": ("/jobs/envelopes/{queued}/cancel/", (302, 302, 403, 404, SIGN_IN)),
    # it is queued: whoever may roll back is told so
    "envelope-rollback": ("/jobs/envelopes/{queued}/rollback/", (409, 409, 403, 404, SIGN_IN)),
    # another Envelope of the project has run since: whoever may retry is told so
    "job-retry": ("/jobs/{failed}/retry/", (409, 409, 403, 404, SIGN_IN)),
    # it is one of an Envelope: whoever may cancel is told so
    "job-cancel": ("/jobs/{failed}/cancel/", (409, 409, 403, 404, SIGN_IN)),
    **{
        f"person-{name}": (f"/admin/people/{{person}}/{name}/", (302, 403, 403, 403, SIGN_IN))
        for name in ("administrator", "deactivate", "reactivate", "sessions", "lift", "unbind")
    },
    "default-match-edit": ("/catalog/default-match/edit/", ADMINISTRATORS),
    "default-match-check": ("/catalog/default-match/check/", ADMINISTRATORS),
    "default-match-upload": ("/catalog/default-match/upload/", ADMINISTRATORS_REFUSED),
    # no project is named
    "default-match-try": ("/catalog/default-match/try/", (404, 403, 403, 403, SIGN_IN)),
    "default-match-built-in": ("/catalog/default-match/built-in/", (302, 403, 403, 403, SIGN_IN)),
    # the link is shown on the answer
    "person-link": ("/admin/people/{person}/link/", (200, 403, 403, 403, SIGN_IN)),
    # nothing was filled in: whoever may manage people is told so
    "person-role": ("/admin/people/{person}/role/", (409, 403, 403, 403, SIGN_IN)),
    "person-invite": ("/admin/people/invite/", (409, 403, 403, 403, SIGN_IN)),
    "member-add": ("/projects/PERINATAL/people/add/", (409, 409, 403, 404, SIGN_IN)),
    "member-role": ("/projects/PERINATAL/people/{member}/", (409, 409, 403, 404, SIGN_IN)),
    "password": ("/account/password/", (409, 409, 409, 409, SIGN_IN)),
    "invitation": (f"/invitation/{'x' * 43}/", (404, 404, 404, 404, 404)),
    # nothing was typed: whoever may change settings is told so
    "setting-change": ("/admin/settings/Backup.Keep/", (409, 403, 403, 403, SIGN_IN)),
    "provider-new": ("/catalog/new-provider/", ADMINISTRATORS_REFUSED),
    "event-type-new": ("/catalog/new-event-type/", ADMINISTRATORS_REFUSED),
    "import-format-new": ("/catalog/new-import-format/", ADMINISTRATORS_REFUSED),
    "import-format-preview": ("/catalog/format-preview/", ADMINISTRATORS),
    "provider-change": ("/catalog/providers/WAHEALTH/change/", ADMINISTRATORS_REFUSED),
    "provider-delete": ("/catalog/providers/WAHEALTH/delete/", ADMINISTRATORS_REFUSED),
    "event-type-change": ("/catalog/event-types/BIRTHS/change/", ADMINISTRATORS_REFUSED),
    "event-type-delete": ("/catalog/event-types/BIRTHS/delete/", ADMINISTRATORS_REFUSED),
    "import-format-change": ("/catalog/import-formats/CSV/change/", ADMINISTRATORS_REFUSED),
    "import-format-delete": ("/catalog/import-formats/CSV/delete/", ADMINISTRATORS_REFUSED),
    "backup-start": ("/admin/backups/start/", (302, 403, 403, 403, SIGN_IN)),
    "queue-pause": ("/jobs/queue/pause/", (302, 302, 403, 302, SIGN_IN)),
    # it is not paused: whoever may resume is told so
    "queue-resume": ("/jobs/queue/resume/", (409, 409, 403, 409, SIGN_IN)),
    "queue-clear": ("/jobs/queue/clear/", (302, 403, 403, 403, SIGN_IN)),
    # without a name
    "api-key-create": ("/account/api-keys/new/", (409, 409, 409, 409, SIGN_IN)),
    "api-key-revoke": ("/account/api-keys/{key}/revoke/", (302, 302, 404, 404, SIGN_IN)),
}


def path_of(world: World, template: str) -> str:
    """Fill the ids of the seeded world into an address."""
    return template.format(
        key=create_api_key(world.owner, f"key {ApiKey.objects.count()}", COMMAND_LINE).key.pk
        if "{key}" in template
        else 0,
        person=User.objects.get_or_create(username="newcomer")[0].pk,
        member=world.viewer.pk,
        entry=_entry_of_the_project() if "{entry}" in template else 0,
        queued=world.envelopes["HOSP-2026-10"].pk,
        reported=world.envelopes["HOSP-2026-08"].pk,
        failed=world.job("BIRTHS-2025-late", JobKind.LOAD).pk,
        estimation=world.estimation.pk if world.estimation else 0,
        result=world.result.pk if world.result else 0,
    )


def _entry_of_the_project() -> int:
    record_action(COMMAND_LINE, "tidy", project_code="PERINATAL")
    return AuditLogEntry.objects.latest("pk").number or 0


def _statuses(world: World, sign_in: SignIn, template: str, method: str) -> dict[str, int]:
    path, statuses = path_of(world, template), {}
    for person in PEOPLE:
        ask = getattr(sign_in(getattr(world, person, None)), method)
        response = ask(path, {"reason": "tidying"} if method == "post" else None)
        statuses[person] = response.status_code
        if response.streaming:
            # a download is a file that is open until it has been read
            b"".join(response)
    return statuses


@pytest.mark.parametrize("name", PAGES)
def test_each_person_gets_what_their_role_allows(world: World, sign_in: SignIn, name: str) -> None:
    template, expected = PAGES[name]
    assert _statuses(world, sign_in, template, "get") == dict(zip(PEOPLE, expected, strict=True))


@pytest.mark.parametrize("name", ACTIONS)
@pytest.mark.parametrize("person", range(len(PEOPLE)), ids=PEOPLE)
def test_each_person_may_do_what_their_role_allows(world: World, sign_in: SignIn, name: str, person: int) -> None:
    template, expected = ACTIONS[name]
    client = sign_in(getattr(world, PEOPLE[person], None))
    response = client.post(path_of(world, template), {"reason": "tidying"})
    assert response.status_code == expected[person]


def test_no_route_is_left_out_of_these_tables() -> None:
    named = {name for name in get_resolver().reverse_dict if isinstance(name, str)}
    assert named == set(PAGES)


def test_nobody_is_sent_to_sign_in_and_back(world: World, sign_in: SignIn) -> None:
    response = sign_in(None).get("/projects/PERINATAL/")
    assert response["Location"] == "/sign-in/?next=/projects/PERINATAL/"


def test_an_action_without_its_token_is_refused_in_words(world: World) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(world.admin)
    response = client.post("/jobs/queue/pause/", {"reason": "no token"})
    assert response.status_code == 403
    assert "This form was opened too long ago" in response.content.decode()
    assert QueueState.objects.get(pk=1).paused_at is None


def test_every_page_forbids_scripts_and_styles_of_others(world: World, sign_in: SignIn) -> None:
    for path in ("/sign-in/", "/jobs/envelopes/", "/no/such/page/"):
        policy = sign_in(None).get(path)["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy


def test_no_page_carries_a_style_or_script_of_its_own(world: World, sign_in: SignIn) -> None:
    client = sign_in(world.admin)
    rows = ".".join(f"envelope-{envelope.pk}" for envelope in world.envelopes.values())
    jobs = ".".join(f"step-{job.pk}" for job in Job.objects.all())
    for path in (
        f"/jobs/envelopes/?open={rows}.{jobs}",
        "/jobs/all/",
        "/projects/PERINATAL/",
        "/projects/PERINATAL/new-extraction/",
        "/projects/PERINATAL/extractions/DIABETES/",
        "/jobs/queue/clear/",
        "/catalog/import-formats/CSV/change/",
    ):
        html = client.get(path).content.decode()
        assert not re.search(r"<style|\sstyle=|<script(?![^>]*\ssrc=)|\son[a-z]+=", html)


def test_health_tells_database_and_worker(world: World, sign_in: SignIn) -> None:
    assert sign_in(None).get("/health").json() == {"database": "ok", "worker": "active"}
    WorkerPresence.objects.all().delete()
    assert sign_in(None).get("/health").json() == {"database": "ok", "worker": "absent"}
