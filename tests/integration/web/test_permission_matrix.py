"""Who may do what: every route, asked by every role, a member of another project and nobody, by GET and by POST.

The routes come from the URL configuration: one without an entry here fails the test. What a person may not do is
refused and changes nothing; what belongs to a project of others does not exist; and no page shows a link or a
button that its reader may not use. Routes of the REST API have tests of their own.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from html import unescape

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, resolve

from linkwright.services.create_api_key import create_api_key
from linkwright.store.audit_log import COMMAND_LINE, record_action
from linkwright.store.models import (
    ApiKey,
    AuditLogEntry,
    Envelope,
    Job,
    JobEvent,
    JobKind,
    MatchConfigurationVersion,
    QueueState,
    User,
)
from linkwright.store.permissions import Permission
from tests.integration.web.conftest import SignIn
from tests.integration.web.seed import World

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
    "jobs/": Rule("/jobs/"),
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
        for name in ("link", "role", "administrator", "deactivate", "reactivate", "sessions", "lift")
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


def _routes(patterns: list[URLPattern | URLResolver] | None = None, prefix: str = "") -> Iterator[str]:
    """Return the name of every route of the pages, or its address where it has no name."""
    for pattern in get_resolver().url_patterns if patterns is None else patterns:
        route = f"{prefix}{pattern.pattern}"
        if isinstance(pattern, URLResolver):
            yield from _routes(pattern.url_patterns, route)
        elif not route.startswith("api/"):
            yield pattern.name or route


def _path(world: World, template: str) -> str:
    return template.format(
        key=_key_of_the_owner() if "{key}" in template else 0,
        person=_person().pk if "{person}" in template else 0,
        member=User.objects.get(username="viewer").pk,
        entry=_entry_of_the_project() if "{entry}" in template else 0,
        result=world.result.pk if world.result else 0,
        queued=world.envelopes["HOSP-2026-10"].pk,
        failed=world.job("BIRTHS-2025-late", JobKind.LOAD).pk,
        estimation=world.estimation.pk if world.estimation else 0,
    )


def _key_of_the_owner() -> int:
    owner = User.objects.get(username="owner")
    held = ApiKey.objects.filter(user=owner, revoked_at=None).first()
    return (held or create_api_key(owner, f"key {ApiKey.objects.count()}", COMMAND_LINE).key).pk


def _person() -> User:
    """Return somebody to whom everything may be done."""
    return User.objects.get_or_create(username="newcomer")[0]


def _entry_of_the_project() -> int:
    held = AuditLogEntry.objects.filter(project_code="PERINATAL").first()
    if held is None:
        record_action(COMMAND_LINE, "tidy", project_code="PERINATAL")
        held = AuditLogEntry.objects.latest("pk")
    return held.number or 0


def _state() -> list[object]:
    """Return what acting would change."""
    return [
        AuditLogEntry.objects.count(),
        JobEvent.objects.count(),
        MatchConfigurationVersion.objects.count(),
        list(Envelope.objects.order_by("pk").values_list("pk", "state")),
        list(Job.objects.order_by("pk").values_list("pk", "state", "cancel_requested_at")),
        list(QueueState.objects.values_list("paused_at", flat=True)),
    ]


def test_every_route_has_its_rule() -> None:
    assert sorted(set(_routes())) == sorted(RULES)


@pytest.mark.parametrize("method", ["get", "post"])
@pytest.mark.parametrize("person", PEOPLE)
def test_every_route_answers_each_person_by_its_rule(
    world: World, sign_in: SignIn, person: str, method: str
) -> None:
    refused = {name: rule for name, rule in RULES.items() if not rule.may(person)}
    _key_of_the_owner()
    _entry_of_the_project()
    _person()
    before, faults = _state(), []
    # those that are refused first: they must change nothing
    for name, rule in [*refused.items(), *((name, rule) for name, rule in RULES.items() if rule.may(person))]:
        client = sign_in(getattr(world, person, None))
        status = _ask(client, method, _path(world, rule.path))
        if method not in rule.methods and (person != "nobody" or rule.is_public):
            right = status == 405
        elif name in refused:
            right = status == (302 if person == "nobody" else 404 if _is_foreign(rule, person) else 403)
        else:
            right = status != 403 and (status == 404) == rule.is_absent
        right = right and (name not in refused or _state() == before)
        if not right:
            faults.append(f"{method} {name}: {status}")
    assert faults == []


def _is_foreign(rule: Rule, person: str) -> bool:
    return rule.is_own or (rule.of_project and person == "stranger")


def _ask(client: Client, method: str, path: str) -> int:
    """Send one request; returns its status."""
    send: Callable[..., object] = getattr(client, method)
    response = send(path, {"reason": "tidying"} if method == "post" else None)
    if getattr(response, "streaming", False):
        # a download is a file that is open until it has been read
        b"".join(response)  # type: ignore[arg-type]
    return int(getattr(response, "status_code", 0))


@pytest.mark.parametrize("method", ["get", "post"])
def test_what_belongs_to_others_is_answered_as_what_does_not_exist(
    world: World, sign_in: SignIn, method: str
) -> None:
    client = sign_in(world.stranger)
    for rule in RULES.values():
        if not rule.of_project or method not in rule.methods:
            continue
        here, nowhere = _path(world, rule.path), re.sub(r"PERINATAL|\{\w+\}", "987654", rule.path)
        answers = [getattr(client, method)(path, headers={"HX-Request": "true"}) for path in (here, nowhere)]
        texts = [re.sub(r"PERINATAL|\d+", "#", answer.content.decode()) for answer in answers]
        assert [answer.status_code for answer in answers] == [404, 404]
        assert texts[0] == texts[1]


@pytest.mark.parametrize("person", ["operator", "viewer", "stranger"])
def test_an_envelope_without_a_project_exists_for_its_sender_and_the_administrator_only(
    world: World, sign_in: SignIn, person: str
) -> None:
    path = f"/jobs/envelopes/{world.envelopes['DEATHS-2026-Q1'].pk}/notifications/"
    assert sign_in(getattr(world, person)).get(path).status_code == 404
    assert sign_in(world.owner).get(path).status_code == 200
    assert sign_in(world.admin).get(path).status_code == 200


def _addresses_in(html: str) -> set[str]:
    """Return every address of the pages that a page leads, or sends, to."""
    found = re.findall(r'\s(?:href|action|data-toggle|hx-get|formaction)="(/[^"#]*)', html)
    return {unescape(address) for address in found if not address.startswith(("/static/", "/api/"))}


@pytest.mark.parametrize("person", PEOPLE[:-1])
def test_no_page_shows_a_link_or_a_button_that_its_reader_may_not_use(
    world: World, sign_in: SignIn, person: str
) -> None:
    client = sign_in(getattr(world, person))
    rows = ".".join(f"envelope-{envelope.pk}" for envelope in world.envelopes.values())
    steps = ".".join(f"step-{job.pk}" for job in Job.objects.filter(envelope=world.envelopes["HOSP-2026-08"]))
    waiting = ["/projects/", f"/jobs/envelopes/?open={rows}.{steps}", "/jobs/all/?status=Errors"]
    seen: set[str] = set()
    asked: dict[str, int] = {}
    faults = []
    while waiting:
        address = waiting.pop()
        name = resolve(address.split("?")[0]).url_name or address
        # a few of each kind say it all
        if address in seen or asked.get(name, 0) >= 4:
            continue
        seen.add(address)
        asked[name] = asked.get(name, 0) + 1
        if not RULES[name].may(person) and not RULES[name].of_project:
            faults.append(f"{name} is shown")
        response = client.get(address)
        if response.streaming:
            b"".join(response)
        if response.status_code == 403 or (response.status_code == 404 and not RULES[name].is_absent):
            faults.append(f"{address}: {response.status_code}")
        elif response.status_code == 200 and response["Content-Type"].startswith("text/html"):
            waiting += sorted(_addresses_in(response.content.decode()))
    assert faults == []
    # the walk has come to where its role lets it act
    expected = {name for name in ("envelope-cancel", "queue-pause") if RULES[name].may(person)}
    assert expected <= set(asked)
    assert {"envelope-jobs", "queue-history", "projects"} <= set(asked)


def test_values_that_identify_people_are_shown_to_those_who_may_see_them_only(
    world: World, sign_in: SignIn
) -> None:
    job = world.job("BIRTHS-2025-late", JobKind.LOAD)
    told = {"error_message": "The row of [hidden] is wrong.", "error_with_values": "The row of Anna Lee is wrong."}
    Job.objects.filter(pk=job.pk).update(**told)
    job.audit_messages.create(
        attempt=1, at=job.queued_at, text="Reading [hidden].", with_values="Reading Anna Lee."
    )
    envelope = world.envelopes["BIRTHS-2025-late"]
    envelope.notifications.update(text=told["error_message"], with_values=told["error_with_values"])
    pages = {
        "audit": f"/jobs/{job.pk}/audit/",
        "notifications": f"/jobs/envelopes/{envelope.pk}/notifications/",
        "statistics": f"/jobs/all/?open=job-{job.pk}",
        "retry": f"/jobs/{job.pk}/retry/",
        "live": f"/jobs/all/live/?shown=audit-{job.pk}~{'0' * 12},statistics-{job.pk}~{'0' * 12},"
        f"notifications-{envelope.pk}~{'0' * 12},job-{job.pk}~{'0' * 12}",
        "envelopes": "/jobs/envelopes/",
    }
    for person in ("admin", "owner", "reviewer", "operator", "viewer"):
        client = sign_in(getattr(world, person))
        shows = {name for name, path in pages.items() if "Anna Lee" in client.get(path).content.decode()}
        full = {"audit", "notifications", "statistics", "live"}
        assert shows == (full if person in {"admin", "owner", "reviewer"} else set()), person
    html = sign_in(world.viewer).get(pages["notifications"]).content.decode()
    assert "The row of [hidden] is wrong." in html
