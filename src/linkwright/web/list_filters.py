"""The filters above a list: what the address asks for, what can be chosen, and the chips that take a filter off.

What an address holds and nobody can read (a status that does not exist, a day that is none) is left out of the
question, and said.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

from linkwright.store.kept_query import KeptQuery, given_one_of
from linkwright.store.models import AttachedEventType, EventType, JobKind, LinkageProject, User
from linkwright.store.permissions import held_roles
from linkwright.store.queries.envelope_search import EnvelopeFilter
from linkwright.store.queries.job_search import JobFilter
from linkwright.store.queries.paging import Page
from linkwright.store.queries.shown_status import ENVELOPE_STATUSES, JOB_STATUSES, ShownStatus
from linkwright.web.address import FILTERS, ListAddress, read_day, unread_choice_note, unread_day_note
from linkwright.web.words import DATA_ACTIONS

_ONE_DAY = timedelta(days=1)
ENVELOPE_TEXT_HINT = "Name or number"
JOB_TEXT_HINT = "Envelope or number"


@dataclass(frozen=True)
class Choice:
    """One select: its name in the address, what it says while nothing is chosen, and values with their words."""

    name: str
    label: str
    any_label: str
    value: str
    options: Sequence[tuple[str, str]]

    @property
    def options_html(self) -> SafeString:
        """The <option> elements: plain text, for there may be hundreds of codes."""
        return mark_safe(  # noqa: S308 - escaped here
            "".join(
                f'<option value="{escape(value)}"{" selected" * (value == self.value)}>{escape(label)}</option>'
                for value, label in self.options
            )
        )


@dataclass(frozen=True)
class Chip:
    """A filter in use, and the address without it."""

    label: str
    value: str
    url: str


@dataclass(frozen=True)
class FilterView:
    """Everything that the filters above a list show; `date_label` says which dates 'From' and 'To' are about."""

    choices: Sequence[Choice]
    chips: Sequence[Chip]
    notes: Sequence[str]
    text_hint: str
    date_label: str


def envelope_filter(address: ListAddress) -> EnvelopeFilter:
    """Return what the address of a list of Envelopes asks for."""
    return EnvelopeFilter(
        status=_status(address, ENVELOPE_STATUSES),
        project_code=address["project"],
        text=address["text"],
        sender_code=address["provider"],
        request_type=address["action"],
        event_type_code=address["type"],
        received_from=read_day(address["from"]),
        received_before=_end_of_day(address["to"]),
    )


def job_filter(address: ListAddress) -> JobFilter:
    """Return what the address of the list of jobs asks for."""
    return JobFilter(
        status=_status(address, JOB_STATUSES),
        project_code=address["project"],
        text=address["text"],
        kind=address["kind"] if address["kind"] in JobKind.values else "",
        sender_code=address["provider"],
        request_type=address["action"],
        event_type_code=address["type"],
        started_from=read_day(address["from"]),
        started_before=_end_of_day(address["to"]),
    )


def envelope_filters(user: User, address: ListAddress, *, has_project: bool = True) -> FilterView:
    """Return the filters of a list of Envelopes; without that of the project on a project's own page."""
    statuses = _words(ENVELOPE_STATUSES)
    catalog = _catalog(user)
    choices = [
        Choice("status", "Status", "Any status", address["status"], statuses),
        *([_project_choice(address, catalog)] if has_project else []),
        *_catalog_choices(address, catalog),
        Choice("action", "Data action", "Any data action", address["action"], list(DATA_ACTIONS.items())),
    ]
    unread = _unread(address, {"status": [status.value for status in ENVELOPE_STATUSES]})
    return FilterView(_with_present(choices), _chips(address), unread, ENVELOPE_TEXT_HINT, "Received")


def job_filters(user: User, address: ListAddress) -> FilterView:
    """Return the filters of the list of jobs."""
    catalog = _catalog(user)
    choices = [
        Choice("status", "Status", "Any status", address["status"], _words(JOB_STATUSES)),
        Choice("kind", "Kind", "Any kind", address["kind"], _words(_kinds(user))),
        _project_choice(address, catalog),
        *_catalog_choices(address, catalog),
    ]
    known = {"status": [status.value for status in JOB_STATUSES], "kind": JobKind.values}
    return FilterView(_with_present(choices), _chips(address), _unread(address, known), JOB_TEXT_HINT, "Started")


def _kinds(user: User) -> list[str]:
    """Return the kinds of jobs that can exist for a person: those of the whole system are the Administrator's."""
    return [kind for kind in JobKind.values if user.is_superuser or kind != JobKind.BACKUP]


def paging_context(address: ListAddress, page: Page[Any]) -> dict[str, Any]:
    """Return what the links below a list need; its keys stay true whatever comes to the list meanwhile."""
    return {
        "newer_url": address.with_changes(before="", after=page.newer).url if page.newer else "",
        "older_url": address.with_changes(after="", before=page.older).url if page.older else "",
        "first_url": address.with_changes(before="", after="").url,
        "is_partial": page.is_partial,
        "searched_to": page.searched_to,
        "goes_upward": bool(address.after),
    }


@dataclass(frozen=True)
class _Catalog:
    projects: Sequence[str]
    providers: Sequence[str]
    event_types: Sequence[str]


_PROJECTS = KeptQuery(lambda: LinkageProject.objects.order_by("code").values_list("code", flat=True))
_EVENT_TYPES = KeptQuery(lambda: EventType.objects.order_by("code").values_list("code", "provider__code"))
_TYPES_OF_PROJECTS = KeptQuery(
    lambda: (
        AttachedEventType.objects.filter(given_one_of("project_id", "keys"))
        .order_by()
        .values_list("event_type__code", "event_type__provider__code")
    )
)


def _catalog(user: User) -> _Catalog:
    """Return the codes that a person can choose from: of their projects, and of what is attached to these."""
    if user.is_superuser:
        projects, types = _PROJECTS.rows(), _EVENT_TYPES.rows()
    else:
        roles = held_roles(user)
        projects = sorted(held.project_code for held in roles.values())
        types = sorted(set(_TYPES_OF_PROJECTS.among(roles)))
    return _Catalog(
        projects,
        sorted({provider for _code, provider in types}),
        [code for code, _provider in types],
    )


def _project_choice(address: ListAddress, catalog: _Catalog) -> Choice:
    return Choice("project", "Project", "Any project", address["project"], _words(catalog.projects))


def _catalog_choices(address: ListAddress, catalog: _Catalog) -> list[Choice]:
    return [
        Choice("provider", "Provider", "Any provider", address["provider"], _words(catalog.providers)),
        Choice("type", "Event Type", "Any Event Type", address["type"], _words(catalog.event_types)),
    ]


def _words(values: Iterable[str]) -> list[tuple[str, str]]:
    return [(str(value), str(value)) for value in values]


def _with_present(choices: Iterable[Choice]) -> list[Choice]:
    """Add to each select what the address asks for, if the catalog does not hold it: it is shown as chosen."""
    return [
        choice
        if not choice.value or choice.value in dict(choice.options)
        else Choice(
            choice.name, choice.label, choice.any_label, choice.value, [*choice.options, (choice.value,) * 2]
        )
        for choice in choices
    ]


def _chips(address: ListAddress) -> list[Chip]:
    return [
        Chip(
            FILTERS[name],
            DATA_ACTIONS.get(value, value) if name == "action" else value,
            address.with_filter(name, "").url,
        )
        for name, value in address.filter_parts
    ]


def _status(address: ListAddress, allowed: Iterable[ShownStatus]) -> ShownStatus | None:
    return next((status for status in allowed if status.value == address["status"]), None)


def _end_of_day(text: str) -> datetime | None:
    day = read_day(text)
    return None if day is None else day + _ONE_DAY


def _unread(address: ListAddress, known: Mapping[str, Sequence[str]]) -> list[str]:
    """Return a sentence for each filter that cannot be read, and is left out."""
    notes = [
        unread_choice_note(address[name], FILTERS[name])
        for name, values in known.items()
        if address[name] and address[name] not in values
    ]
    return notes + [
        unread_day_note(address[name], FILTERS[name])
        for name in ("from", "to")
        if address[name] and read_day(address[name]) is None
    ]
