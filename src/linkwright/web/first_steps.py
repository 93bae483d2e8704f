"""The list of first steps on a new server: what each is, whether it is done, and which page does it."""

from dataclasses import dataclass

from django.urls import reverse

from linkwright.services.close_first_steps import close_first_steps
from linkwright.store.models import User
from linkwright.store.queries.first_steps import SetUpState, read_set_up_state

# the pages of the data catalog by step
CATALOG_ROUTES = {"provider": "provider-new", "format": "import-format-new", "event_type": "event-type-new"}


@dataclass(frozen=True)
class Step:
    """One step: `url` is '' where no page does it, or not yet."""

    name: str
    title: str
    help: str
    is_done: bool
    url: str
    verb: str


def first_steps(state: SetUpState) -> list[Step]:
    """Return the steps in their order."""
    code = state.project_code
    shown = state.reported_code
    return [
        Step(
            "provider",
            "Name a Data Provider",
            "The organisation that sends data.",
            state.has_provider,
            _catalog("provider"),
            "Create one",
        ),
        Step(
            "format",
            "Describe its files",
            "An Import Format says which column of a file is which linkage field. A sample file shows most of it.",
            state.has_format,
            _catalog("format"),
            "Start from a sample",
        ),
        Step(
            "event_type",
            "Name an Event Type",
            "A kind of record from that provider, such as births or admissions.",
            state.has_event_type,
            _catalog("event_type"),
            "Create one",
        ),
        Step(
            "project",
            "Create a Linkage Project",
            "It holds the records, how they are matched, and the groups.",
            bool(code),
            reverse("project-new"),
            "Create one",
        ),
        Step(
            "upload",
            "Submit the first data file",
            "It is checked, loaded, matched and grouped through the Job Queue.",
            state.has_envelope,
            reverse("submit", args=[code]) if code else "",
            "Submit a file",
        ),
        Step(
            "groups",
            "Look at the groups",
            "The project's page has the numbers, and finds any record and its group.",
            False,
            reverse("project", args=[shown]) if shown else "",
            "Open the project",
        ),
    ]


def note_look_at_groups(user: User) -> None:
    """Put the list away once a person who has it looks at a linked project, and all else of it is done."""
    if user.is_superuser and user.first_steps_closed_at is None and read_set_up_state().is_ready:
        close_first_steps(user)


def _catalog(step: str) -> str:
    return reverse(CATALOG_ROUTES[step])
