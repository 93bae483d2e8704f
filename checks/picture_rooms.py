"""The pictures of the pages, in the order of the tabs: what each shows, at which address, in one sentence.

tests/contract/test_pictures.py holds them to the routes: a page that is served needs a picture. Must not know how
a picture is taken.
"""

from dataclasses import dataclass

_P, _F = "/projects/PERINATAL", "/projects/FEBRL4"


@dataclass(frozen=True)
class Picture:
    """One picture, in both themes.

    `address`: of the page, or of the open dialog; a `*` stands for what differs from run to run.
    `says`: one sentence. `template`: of the page or dialog, where it is not what the address alone gives.
    """

    name: str
    address: str
    says: str
    template: str = ""


@dataclass(frozen=True)
class Room:
    """The pictures under one heading, and what is said before them."""

    heading: str
    says: str
    pictures: tuple[Picture, ...]


_FIRST_RUN = Room(
    "The first run",
    "[First steps](first-steps.md) walks through these pages.",
    (
        Picture(
            "set-up",
            "/set-up/*/",
            "The link that `linkwright serve` prints opens the page that makes the Administrator.",
            "pages/set_up.html",
        ),
        Picture(
            "set-up-over",
            "/set-up/*/",
            "It works once; whoever opens it later is told so.",
            "pages/set_up_over.html",
        ),
        Picture("first-steps", "/first-steps/", "What is left to set up, and what is done."),
        Picture(
            "import-format",
            "/catalog/new-import-format/",
            "An Import Format from a dropped sample: what was detected, the columns, the first rows.",
        ),
        Picture("new-project", "/new-project/", "A new Linkage Project and the Event Types that it takes."),
        Picture(
            "submit-file",
            f"{_P}/submit/*/",
            "A data file as it will be read, before it is queued.",
            "pages/confirm_file.html",
        ),
        Picture("first-groups", f"{_P}/", "The project after its first two files."),
    ),
)
_PROJECTS = Room(
    "PROJECTS",
    "",
    (
        Picture("projects", "/projects/", "Linkage Projects with their latest numbers."),
        Picture(
            "project",
            f"{_F}/",
            "A project: its numbers, plots of the latest Envelope and over time, and all that belongs to it.",
        ),
        Picture(
            "project-change", f"{_P}/change/", "Name, e-mail and description can be changed; the code cannot."
        ),
        Picture(
            "event-type-attach",
            f"{_P}/event-types/attach/",
            "Attaching an Event Type asks what is done with records that come again.",
        ),
        Picture("event-type-updates", f"{_P}/event-types/*/updates/", "That can be changed later."),
        Picture(
            "event-type-detach",
            f"{_P}/event-types/*/detach/",
            "Detaching an Event Type says what becomes of its records, and asks for its code.",
        ),
        Picture(
            "submit", f"{_P}/submit/", "Submitting a single data file: the data action, the Event Type, the file."
        ),
        Picture("members", f"{_P}/people/", "People of a project, and their roles in it."),
        Picture("member-add", f"{_P}/people/add/", "An Owner adds a person to the project."),
        Picture("member-role", f"{_P}/people/*/", "The role of a member is changed."),
        Picture(
            "project-estimate",
            f"{_F}/estimate/",
            "Before parameters are estimated, the dialog says what the job will do.",
        ),
        Picture("estimation", f"{_F}/estimations/1/", "An estimation beside what is in force."),
        Picture("estimation-apply", f"{_F}/estimations/1/apply/", "Nothing is applied by itself."),
        Picture("project-frequencies", f"{_F}/frequencies/", "Term frequencies are built on request."),
        Picture(
            "new-extraction",
            f"{_F}/new-extraction/",
            "A new Extraction Project: its kind, Event Types and columns.",
        ),
        Picture("extraction", f"{_F}/extractions/AIR-2026/", "An Extraction Project and its results."),
        Picture("extraction-change", f"{_F}/extractions/AIR-2026/change/", "What of it can be changed later."),
        Picture("extraction-extract", f"{_F}/extractions/AIR-2026/extract/", "Extracting anew."),
        Picture(
            "extraction-close",
            f"{_F}/extractions/AIR-2026/close/",
            "Closing an Extraction Project is for good, and asks for a reason.",
        ),
        Picture("project-compact", f"{_F}/compact/", "Compacting says how many files become few."),
        Picture(
            "project-purge",
            f"{_F}/purge/",
            "Purging says whose values go, and which Envelopes cannot be rolled back afterwards.",
        ),
        Picture("project-archive", f"{_P}/archive/", "Archiving a project."),
        Picture("archived", "/projects/PILOT/", "An archived project says so, and can be taken out again."),
        Picture("project-unarchive", "/projects/PILOT/unarchive/", "Taking it out of the archive."),
        Picture(
            "project-delete",
            "/projects/PILOT/delete/",
            "Deleting a project says what goes with it, and asks for its code.",
        ),
    ),
)
_RESULT = Room(
    "The result",
    "[Looking at the result](looking-at-groups.md) tells what stands on these pages.",
    (
        Picture("records-by-id", f"{_P}/records/", "Records found by their Source Unique ID."),
        Picture(
            "records", f"{_P}/records/by-values/", "Records found by their values, for those who may see them."
        ),
        Picture(
            "record",
            f"{_P}/records/*/",
            "A record: where it came from, its values, its group over time.",
            "pages/record.html",
        ),
        Picture(
            "group",
            f"{_P}/groups/*/",
            "A group: its records side by side, its links, and what can be decided about it.",
            "pages/group.html",
        ),
        Picture("group-decide", f"{_P}/groups/*/", "A decision: two records are chosen as another person's."),
        Picture(
            "group-reviewed",
            f"{_F}/groups/*/",
            "A group after a Quality Review: who decided what, and its history.",
        ),
        Picture(
            "group-hidden",
            f"{_P}/groups/*/",
            "The same group for a Viewer: values are hidden, and nothing can be decided.",
        ),
        Picture(
            "pair",
            f"{_P}/pairs/*/*/",
            "Why two records are linked: the weight of each comparison.",
            "pages/pair.html",
        ),
    ),
)
_MATCHING = Room(
    "Matching",
    "",
    (
        Picture(
            "linkage-fields",
            f"{_F}/linkage-fields/",
            "Linkage fields: where each comes from, how it is standardised, what uses it.",
        ),
        Picture(
            "match-configuration",
            f"{_F}/match-configuration/",
            "A version of the match configuration, with its history below.",
        ),
        Picture("match-edit", f"{_F}/match-configuration/edit/", "Its editor, which checks while one types."),
        Picture(
            "match-try",
            f"{_F}/match-configuration/edit/",
            "*Try it*: what a draft would link, with the pairs around its thresholds.",
        ),
        Picture(
            "match-differences",
            f"{_F}/match-configuration/differences/",
            "Differences between two versions.",
            "pages/match_differences.html",
        ),
    ),
)
_CATALOG = Room(
    "DATA CATALOG",
    "[The data catalog](data-catalog.md) tells the rules.",
    (
        Picture("providers", "/catalog/providers/", "Data Providers."),
        Picture("provider-new", "/catalog/new-provider/", "A new Data Provider."),
        Picture("provider-change", "/catalog/providers/HEALTH/change/", "A Data Provider is changed."),
        Picture("provider-delete", "/catalog/providers/CENSUS/delete/", "One that nothing uses is deleted."),
        Picture(
            "provider-in-use",
            "/catalog/providers/HEALTH/delete/",
            "One that is used stays, and the dialog says what uses it.",
        ),
        Picture("event-types", "/catalog/event-types/", "Event Types."),
        Picture("event-type-new", "/catalog/new-event-type/", "A new Event Type."),
        Picture("event-type-change", "/catalog/event-types/BIRTHS/change/", "An Event Type is changed."),
        Picture(
            "event-type-delete", "/catalog/event-types/DEATHS/delete/", "One that no project takes is deleted."
        ),
        Picture("import-formats", "/catalog/import-formats/", "Import Formats."),
        Picture(
            "format",
            "/catalog/import-formats/ADMISSIONS-CSV/",
            "An Import Format: how a file is written, and what fills which linkage field.",
        ),
        Picture(
            "format-change",
            "/catalog/import-formats/ADMISSIONS-CSV/change/",
            "An Import Format is changed, without a sample.",
        ),
        Picture("format-delete", "/catalog/import-formats/BIRTHS-CSV/delete/", "One that is used stays."),
        Picture(
            "default-match", "/catalog/default-match/", "The match configuration that new projects start with."
        ),
        Picture(
            "default-match-edit",
            "/catalog/default-match/edit/",
            "Its editor; a draft is tried on the records of a project.",
        ),
        Picture(
            "default-match-differences",
            "/catalog/default-match/differences/",
            "What differs from the built-in one.",
        ),
        Picture("default-match-built-in", "/catalog/default-match/built-in/", "Going back to the built-in one."),
    ),
)
_JOBS = Room(
    "JOBS",
    "",
    (
        Picture(
            "envelopes",
            "/jobs/envelopes/",
            "All Envelopes: the upload panel, what is processed or has failed lately, and what can be done.",
        ),
        Picture("envelopes-filtered", "/jobs/envelopes/", "Filters in use stand as chips that can be removed."),
        Picture("upload", "/jobs/envelopes/", "An upload on its way: bytes, rate and time left."),
        Picture(
            "upload-refused", "/jobs/envelopes/", "What is no Envelope is refused, with the reason and what to do."
        ),
        Picture("statistics", "/jobs/envelopes/", "A row opens to its jobs, and a job to its statistics."),
        Picture("notifications", "/jobs/envelopes/*/notifications/", "The Notifications of an Envelope."),
        Picture(
            "envelope-cancel",
            "/jobs/envelopes/*/cancel/",
            "Cancelling an Envelope says what stops and what is removed.",
        ),
        Picture("rollback", "/jobs/envelopes/*/rollback/", "What a rollback would undo, before it is asked for."),
        Picture("jobs", "/jobs/all/", "All Jobs: what runs, how far it has come, and what waits, in order."),
        Picture("job-audit-live", "/jobs/*/audit/", "The audit messages of a job while it runs."),
        Picture("job-audit", "/jobs/*/audit/", "And of one that has ended."),
        Picture("job-cancel", "/jobs/*/cancel/", "A job outside an Envelope is cancelled."),
        Picture("job-retry", "/jobs/*/retry/", "A failed job is retried: the dialog shows its error."),
        Picture("retry-refused", "/jobs/all/", "Where a job cannot be retried any more, its place says why."),
        Picture("queue-pause", "/jobs/queue/pause/", "Pausing says what goes on and what waits."),
        Picture("queue-paused", "/jobs/all/", "A paused queue says so on every page: who, when and why."),
        Picture("queue-resume", "/jobs/queue/resume/", "Resuming says what goes on first."),
        Picture("queue-clear", "/jobs/queue/clear/", "Clearing says what is removed."),
        Picture("queue-history", "/jobs/queue/history/", "Who paused, cleared, retried, cancelled, and why."),
    ),
)
_REPORTS = Room(
    "REPORTS",
    "",
    (
        Picture("reports", "/reports/", "Every project's latest numbers."),
        Picture("project-reports", "/reports/FEBRL4/", "One project over time."),
        Picture("envelope-report", "/reports/FEBRL4/*/", "One Envelope."),
    ),
)
_ADMIN = Room(
    "ADMIN",
    "",
    (
        Picture("people", "/admin/people/", "People, their roles and when they were here last."),
        Picture("person-invite", "/admin/people/invite/", "A person is invited."),
        Picture(
            "person-link-shown",
            "/admin/people/*/link/",
            "The link to choose a password is shown once.",
            "pages/person_link.html",
        ),
        Picture("person", "/admin/people/*/", "One person: roles, open sessions, API keys."),
        Picture("person-link", "/admin/people/*/link/", "A new link, for instance after a forgotten password."),
        Picture("person-role", "/admin/people/*/role/", "A role is given."),
        Picture("person-administrator", "/admin/people/*/administrator/", "A person becomes an Administrator."),
        Picture("person-sessions", "/admin/people/*/sessions/", "Open sessions are ended."),
        Picture("person-deactivate", "/admin/people/*/deactivate/", "An account is deactivated."),
        Picture("person-reactivate", "/admin/people/*/reactivate/", "And reactivated."),
        Picture(
            "person-lift",
            "/admin/people/*/lift/",
            "Who typed wrong passwords has to wait, unless an Administrator ends it.",
        ),
        Picture(
            "settings", "/admin/settings/", "Settings: each with its help, its default and who changed it last."
        ),
        Picture(
            "setting-change", "/admin/settings/Worker.Jobs.PauseProcessingOnFailure/", "A setting is changed."
        ),
        Picture(
            "setting-refused",
            "/admin/settings/Worker.Load.MaxRejectedRows/",
            "A wrong value is refused, with what is allowed.",
        ),
        Picture("audit-log", "/admin/audit-log/", "The audit log: who did what, when and why."),
        Picture(
            "audit-entry", "/admin/audit-log/*/", "One entry with all that was noted, and its place in the chain."
        ),
        Picture("audit-log-check", "/admin/audit-log/check/", "Whether the chain of entries holds."),
        Picture("backups", "/admin/backups/", "Backups."),
        Picture("backup-start", "/admin/backups/start/", "A backup is started."),
    ),
)
_OWN = Room(
    "Everybody's own",
    "",
    (
        Picture(
            "sign-in",
            "/sign-in/",
            "Sign in.",
            "pages/sign_in.html",
        ),
        Picture("sign-in-refused", "/sign-in/", "A wrong password."),
        Picture("sign-in-wait", "/sign-in/", "After several of them one has to wait."),
        Picture(
            "invitation",
            "/invitation/*/",
            "An invited person chooses a password.",
            "pages/invitation.html",
        ),
        Picture("invitation-over", "/invitation/*/", "The link works once.", "pages/invitation_over.html"),
        Picture("password", "/account/password/", "One's own password and sessions."),
        Picture("api-keys", "/account/api-keys/", "API keys."),
        Picture("api-key-new", "/account/api-keys/new/", "A new API key, narrowed to what it is for."),
        Picture("api-key-shown", "/account/api-keys/new/", "It is shown once.", "pages/api_key_created.html"),
        Picture("api-key-revoke", "/account/api-keys/*/revoke/", "An API key is revoked."),
        Picture("search", "/search/", "The search of the top bar."),
        Picture("keys", "/projects/", "The keys, on `?`."),
        Picture("forbidden", "/admin/settings/", "A page that one may not see.", "pages/error.html"),
        Picture(
            "not-found",
            "/projects/NOWHERE/",
            "A page that is not there, or not for this person.",
            "pages/error.html",
        ),
    ),
)
ROOMS = (_FIRST_RUN, _PROJECTS, _RESULT, _MATCHING, _CATALOG, _JOBS, _REPORTS, _ADMIN, _OWN)
