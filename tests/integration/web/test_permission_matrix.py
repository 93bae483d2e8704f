"""Who may do what: every route, asked by every role, a member of another project and nobody, by GET and by POST.

The routes come from the URL configuration: one without an entry in permission_rules.py fails the test. What a
person may not do is refused and changes nothing; what belongs to a project of others does not exist; and no page
shows a link or a button that its reader may not use. Routes of the REST API have tests of their own.
"""

import re
from collections.abc import Callable, Iterator
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
from tests.integration.web.conftest import SignIn
from tests.integration.web.permission_rules import PEOPLE, RULES, Rule
from tests.integration.web.seed import World


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
        reported=world.envelopes["HOSP-2026-08"].pk,
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
