"""Whom each route of the pages is for: the table that test_permission_matrix.py holds the pages to.

A route without an entry here fails that test.
"""

from dataclasses import dataclass, replace

from linkwright.store.permissions import Permission

PEOPLE = ("admin", "owner", "operator", "reviewer", "viewer", "stranger", "nobody")
MEMBERS = {"owner", "operator", "reviewer", "viewer"}
# SPEC section 6, as docs/operating.md tells it; written down once more, so that a change of the code is seen here
HOLDERS: dict[Permission, set[str]] = {
    Permission.SEE_JOBS: MEMBERS,
    Permission.SUBMIT: {"owner", "operator"},
    Permission.CANCEL: {"owner", "operator"},
    Permission.RETRY: {"owner", "operator"},
    Permission.ROLL_BACK: {"owner", "operator"},
    Permission.PAUSE_AND_RESUME: {"owner", "operator"},
    Permission.CLEAR: set(),
    Permission.CONFIGURE_CATALOG: set(),
    Permission.CONFIGURE_PROJECTS: {"owner"},
    Permission.EXTRACT: {"owner", "operator"},
    Permission.REVIEW: {"owner", "reviewer"},
    Permission.SEE_IDENTIFYING_VALUES: {"owner", "reviewer"},
    Permission.CHANGE_SETTINGS: set(),
    Permission.MANAGE_PEOPLE: {"owner"},
    Permission.READ_AUDIT_LOG: {"owner"},
}


@dataclass(frozen=True)
class Rule:
    """What a route asks for. `permission`: None for whoever is signed in; `is_public`: for nobody as well.

    `of_project`: the route names something of the project PERINATAL, which the stranger does not belong to.
    """

    path: str
    permission: Permission | None = None
    of_project: bool = False
    is_public: bool = False
    # what is there to be found only in other states: whoever may have it is told that there is none
    is_absent: bool = False
    # the Owner's own: it does not exist for anybody else
    is_own: bool = False
    # any other is refused to everybody who is signed in, before anything is looked at
    methods: tuple[str, ...] = ("get", "post")

    def may(self, person: str) -> bool:
        """Tell whether a person may use the route."""
        if person == "admin" or self.is_public:
            return True
        if person == "nobody":
            return False
        if self.is_own:
            return person == "owner"
        if self.permission is None:
            return not self.of_project or person in MEMBERS
        # the stranger owns another project: what concerns the whole queue is theirs, too
        as_owner = person == "stranger" and not self.of_project
        return ("owner" if as_owner else person) in HOLDERS[self.permission]


def _project(path: str, permission: Permission = Permission.SEE_JOBS) -> Rule:
    return Rule(path, permission, of_project=True)


MATCH = "/projects/PERINATAL/match-configuration/"
DEFAULT_MATCH = "/catalog/default-match/"
ESTIMATION = "/projects/PERINATAL/estimations/{estimation}/"
ENVELOPE = "/jobs/envelopes/{queued}/"
EVENT_TYPE = "/projects/PERINATAL/event-types/BIRTHS/"
EXTRACTION = "/projects/PERINATAL/extractions/DIABETES/"
# no such file waits: whoever may submit is told so
WAITING = f"/projects/PERINATAL/submit/{'0' * 32}/"
RULES: dict[str, Rule] = {
    "home": Rule("/"),
    "health": Rule("/health", is_public=True),
    "favicon.ico": Rule("/favicon.ico", is_public=True),
    "sign-in": Rule("/sign-in/", is_public=True),
    # no provider is configured
    "provider-sign-in": Rule("/sign-in/provider/", is_public=True, is_absent=True, methods=("get",)),
    "provider-sign-in-back": Rule("/sign-in/provider/back/", is_public=True, is_absent=True, methods=("get",)),
    "sign-out": Rule("/sign-out/", methods=("post",)),
    # no such link: whoever asks is told so
    "set-up": Rule("/set-up/none/", is_public=True, is_absent=True),
    "first-steps": Rule("/first-steps/", Permission.CHANGE_SETTINGS, methods=("get",)),
    "first-steps-close": Rule("/first-steps/close/", Permission.CHANGE_SETTINGS, methods=("post",)),
    "demo-load": Rule("/first-steps/demo/", Permission.CHANGE_SETTINGS, methods=("post",)),
    "frame-live": Rule("/live/"),
    "project-new": Rule("/new-project/", Permission.CHANGE_SETTINGS),
    "project-file-all": Rule("/project-file/", Permission.CHANGE_SETTINGS, methods=("get",)),
    "project-file": replace(
        _project("/projects/PERINATAL/project-file/", Permission.CONFIGURE_PROJECTS), methods=("get",)
    ),
    "project-change": _project("/projects/PERINATAL/change/", Permission.CONFIGURE_PROJECTS),
    "project-archive": _project("/projects/PERINATAL/archive/", Permission.CONFIGURE_PROJECTS),
    "project-unarchive": _project("/projects/PERINATAL/unarchive/", Permission.CONFIGURE_PROJECTS),
    "project-delete": _project("/projects/PERINATAL/delete/", Permission.CHANGE_SETTINGS),
    "projects": Rule("/projects/"),
    "project": _project("/projects/PERINATAL/"),
    # the project holds no records: whoever belongs to it is told that there is no such record or group
    "records": replace(_project("/projects/PERINATAL/records/"), methods=("get",)),
    "records-by-values": _project("/projects/PERINATAL/records/by-values/", Permission.SEE_IDENTIFYING_VALUES),
    "record": replace(_project("/projects/PERINATAL/records/1/"), methods=("get",), is_absent=True),
    "pair-chosen": replace(_project("/projects/PERINATAL/pairs/"), methods=("get",), is_absent=True),
    "pair": replace(_project("/projects/PERINATAL/pairs/1/2/"), methods=("get",), is_absent=True),
    "group": replace(_project("/projects/PERINATAL/groups/1/"), methods=("get",), is_absent=True),
    "group-review": replace(
        _project("/projects/PERINATAL/groups/1/review/", Permission.REVIEW), methods=("post",), is_absent=True
    ),
    "project-estimate": _project("/projects/PERINATAL/estimate/", Permission.CONFIGURE_PROJECTS),
    "project-frequencies": _project("/projects/PERINATAL/frequencies/", Permission.CONFIGURE_PROJECTS),
    "linkage-fields": replace(_project("/projects/PERINATAL/linkage-fields/"), methods=("get",)),
    "match-configuration": replace(_project(MATCH), methods=("get",)),
    # it has one version only, and no strategy that Splink would load
    "match-differences": replace(_project(f"{MATCH}differences/"), methods=("get",), is_absent=True),
    "match-download": replace(_project(f"{MATCH}download/"), methods=("get",)),
    "match-edit": _project(f"{MATCH}edit/", Permission.CONFIGURE_PROJECTS),
    "match-check": replace(_project(f"{MATCH}check/", Permission.CONFIGURE_PROJECTS), methods=("post",)),
    "match-try": replace(_project(f"{MATCH}try/", Permission.CONFIGURE_PROJECTS), methods=("post",)),
    "match-upload": replace(_project(f"{MATCH}upload/", Permission.CONFIGURE_PROJECTS), methods=("post",)),
    "estimation": replace(_project(ESTIMATION), methods=("get",)),
    "estimation-apply": _project(f"{ESTIMATION}apply/", Permission.CONFIGURE_PROJECTS),
    "estimation-download": replace(_project(f"{ESTIMATION}download/"), methods=("get",)),
    "catalog": Rule("/catalog/"),
    "catalog-providers": Rule("/catalog/providers/", methods=("get",)),
    "catalog-event-types": Rule("/catalog/event-types/", methods=("get",)),
    "catalog-import-formats": Rule("/catalog/import-formats/", methods=("get",)),
    "provider-new": Rule("/catalog/new-provider/", Permission.CONFIGURE_CATALOG),
    "event-type-new": Rule("/catalog/new-event-type/", Permission.CONFIGURE_CATALOG),
    "import-format-new": Rule("/catalog/new-import-format/", Permission.CONFIGURE_CATALOG),
    "import-format-preview": Rule("/catalog/format-preview/", Permission.CONFIGURE_CATALOG, methods=("post",)),
    "provider-change": Rule("/catalog/providers/WAHEALTH/change/", Permission.CONFIGURE_CATALOG),
    "provider-delete": Rule("/catalog/providers/WAHEALTH/delete/", Permission.CONFIGURE_CATALOG),
    "event-type-change": Rule("/catalog/event-types/BIRTHS/change/", Permission.CONFIGURE_CATALOG),
    "event-type-delete": Rule("/catalog/event-types/BIRTHS/delete/", Permission.CONFIGURE_CATALOG),
    # of everybody's Event Types: both projects' files are read by it
    "import-format": Rule("/catalog/import-formats/CSV/", methods=("get",)),
    "import-format-change": Rule("/catalog/import-formats/CSV/change/", Permission.CONFIGURE_CATALOG),
    "import-format-delete": Rule("/catalog/import-formats/CSV/delete/", Permission.CONFIGURE_CATALOG),
    "default-match": Rule(DEFAULT_MATCH, methods=("get",)),
    # no two versions are named
    "default-match-differences": Rule(f"{DEFAULT_MATCH}differences/", methods=("get",), is_absent=True),
    "default-match-download": Rule(f"{DEFAULT_MATCH}download/", methods=("get",)),
    "default-match-edit": Rule(f"{DEFAULT_MATCH}edit/", Permission.CHANGE_SETTINGS),
    "default-match-check": Rule(f"{DEFAULT_MATCH}check/", Permission.CHANGE_SETTINGS, methods=("post",)),
    "default-match-upload": Rule(f"{DEFAULT_MATCH}upload/", Permission.CHANGE_SETTINGS, methods=("post",)),
    # no project is named
    "default-match-try": Rule(
        f"{DEFAULT_MATCH}try/", Permission.CHANGE_SETTINGS, methods=("post",), is_absent=True
    ),
    "default-match-built-in": Rule(f"{DEFAULT_MATCH}built-in/", Permission.CHANGE_SETTINGS),
    "jobs/": Rule("/jobs/"),
    "search": replace(Rule("/search/"), methods=("get",)),
    "reports": replace(Rule("/reports/"), methods=("get",)),
    "project-reports": replace(_project("/reports/PERINATAL/"), methods=("get",)),
    "envelope-report": replace(_project("/reports/PERINATAL/{reported}/"), methods=("get",)),
    "report-download": replace(_project("/reports/PERINATAL/{reported}/download/"), methods=("get",)),
    "envelopes": Rule("/jobs/envelopes/"),
    "envelopes-live": Rule("/jobs/envelopes/live/"),
    "envelopes-export": Rule("/jobs/envelopes/export/", Permission.SEE_JOBS, methods=("get",)),
    "upload": Rule("/jobs/envelopes/upload/", Permission.SUBMIT, methods=("post",)),
    "uploads": Rule("/uploads/", Permission.SUBMIT, methods=("post",)),
    # there is no such upload: whoever may submit is told so
    "upload-slices": Rule(f"/uploads/{'0' * 32}/", Permission.SUBMIT, is_absent=True, methods=("get",)),
    "envelope-jobs": _project(f"{ENVELOPE}jobs/"),
    "envelope-notifications": _project(f"{ENVELOPE}notifications/"),
    "envelope-cancel": _project(f"{ENVELOPE}cancel/", Permission.CANCEL),
    "envelope-download": replace(
        _project(f"{ENVELOPE}download/", Permission.SEE_IDENTIFYING_VALUES), methods=("get",), is_absent=True
    ),
    "envelope-rollback": _project(f"{ENVELOPE}rollback/", Permission.ROLL_BACK),
    "jobs": Rule("/jobs/all/"),
    "jobs-live": Rule("/jobs/all/live/"),
    "jobs-export": Rule("/jobs/all/export/", Permission.SEE_JOBS, methods=("get",)),
    "job-statistics": _project("/jobs/{failed}/statistics/"),
    "job-audit": _project("/jobs/{failed}/audit/"),
    "job-retry": _project("/jobs/{failed}/retry/", Permission.RETRY),
    "job-cancel": _project("/jobs/{failed}/cancel/", Permission.CANCEL),
    "submit": _project("/projects/PERINATAL/submit/", Permission.SUBMIT),
    "submit-confirm": _project(WAITING, Permission.SUBMIT),
    "submit-cancel": replace(_project(f"{WAITING}cancel/", Permission.SUBMIT), methods=("post",)),
    "event-type-attach": _project("/projects/PERINATAL/event-types/attach/", Permission.CONFIGURE_PROJECTS),
    "event-type-updates": _project(f"{EVENT_TYPE}updates/", Permission.CONFIGURE_PROJECTS),
    "event-type-detach": _project(f"{EVENT_TYPE}detach/", Permission.CONFIGURE_PROJECTS),
    "project-compact": _project("/projects/PERINATAL/compact/", Permission.CONFIGURE_PROJECTS),
    "project-purge": _project("/projects/PERINATAL/purge/", Permission.CONFIGURE_PROJECTS),
    "extraction-new": _project("/projects/PERINATAL/new-extraction/", Permission.EXTRACT),
    "extraction": replace(_project(EXTRACTION), methods=("get",)),
    "extraction-change": _project(f"{EXTRACTION}change/", Permission.EXTRACT),
    "extraction-extract": _project(f"{EXTRACTION}extract/", Permission.EXTRACT),
    "extraction-close": _project(f"{EXTRACTION}close/", Permission.EXTRACT),
    "extraction-download": replace(
        _project(f"{EXTRACTION}results/{{result}}/", Permission.EXTRACT), methods=("get",)
    ),
    "admin": Rule("/admin/"),
    "audit-log": Rule("/admin/audit-log/", Permission.READ_AUDIT_LOG, methods=("get",)),
    "audit-log-check": Rule("/admin/audit-log/check/", Permission.CHANGE_SETTINGS, methods=("get",)),
    "audit-log-export": Rule("/admin/audit-log/export/", Permission.READ_AUDIT_LOG, methods=("get",)),
    "audit-entry": replace(_project("/admin/audit-log/{entry}/", Permission.READ_AUDIT_LOG), methods=("get",)),
    "settings": Rule("/admin/settings/", Permission.CHANGE_SETTINGS, methods=("get",)),
    "setting-change": Rule("/admin/settings/Backup.Keep/", Permission.CHANGE_SETTINGS),
    "people": Rule("/admin/people/", Permission.CHANGE_SETTINGS, methods=("get",)),
    "person": Rule("/admin/people/{person}/", Permission.CHANGE_SETTINGS, methods=("get",)),
    **{
        f"person-{name}": Rule(f"/admin/people/{{person}}/{name}/", Permission.CHANGE_SETTINGS)
        for name in ("link", "role", "administrator", "deactivate", "reactivate", "sessions", "unbind", "lift")
    },
    "person-invite": Rule("/admin/people/invite/", Permission.CHANGE_SETTINGS),
    "members": replace(_project("/projects/PERINATAL/people/", Permission.MANAGE_PEOPLE), methods=("get",)),
    "member-add": _project("/projects/PERINATAL/people/add/", Permission.MANAGE_PEOPLE),
    "member-role": _project("/projects/PERINATAL/people/{member}/", Permission.MANAGE_PEOPLE),
    "password": Rule("/account/password/"),
    # whoever has a link needs no account; this one was made up
    "invitation": Rule(f"/invitation/{'x' * 43}/", is_public=True, is_absent=True),
    "backups": Rule("/admin/backups/", Permission.CHANGE_SETTINGS, methods=("get",)),
    "backups-live": Rule("/admin/backups/live/", Permission.CHANGE_SETTINGS, methods=("get",)),
    "backup-start": Rule("/admin/backups/start/", Permission.CHANGE_SETTINGS),
    "api-keys": Rule("/account/api-keys/"),
    "api-key-create": Rule("/account/api-keys/new/"),
    "api-key-revoke": Rule("/account/api-keys/{key}/revoke/", is_own=True),
    "job-rejects": replace(
        _project("/jobs/{failed}/rejects/", Permission.SUBMIT), methods=("get",), is_absent=True
    ),
    "queue-pause": Rule("/jobs/queue/pause/", Permission.PAUSE_AND_RESUME),
    "queue-resume": Rule("/jobs/queue/resume/", Permission.PAUSE_AND_RESUME),
    "queue-history": Rule("/jobs/queue/history/"),
    "queue-history-live": Rule("/jobs/queue/history/live/"),
    "queue-clear": Rule("/jobs/queue/clear/", Permission.CLEAR),
}
