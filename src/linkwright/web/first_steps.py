"""The list of first steps on a new server: what each is, whether it is done, and which page does it."""

from dataclasses import dataclass

from django.urls import reverse

from linkwright.services.close_first_steps import close_first_steps
from linkwright.store.models import User
from linkwright.store.queries.first_steps import SetUpState, read_set_up_state

# the pages of the data catalog by step
CATALOG_ROUTES = {"provider": "provider-new", "format": "import-format-new", "event_type": "event-type-new"}

# name, title, help, what the button says, and what it says once the step is done
_STEPS = (
    ("provider", "Name a Data Provider", "The organisation that sends data.", "Create one", "Add another"),
    (
        "format",
        "Describe its files",
        "An Import Format says which column of a file is which linkage field. A sample file shows most of it.",
        "Start from a sample",
        "Add another",
    ),
    (
        "event_type",
        "Name an Event Type",
        "A kind of record from that provider, such as births or admissions.",
        "Create one",
        "Add another",
    ),
    (
        "project",
        "Create a Linkage Project",
        "It holds the records, how they are matched, and the groups.",
        "Create one",
        "",
    ),
    (
        "upload",
        "Submit the first data file",
        "It is checked, loaded, matched and grouped through the Job Queue.",
        "Submit a file",
        "Submit another",
    ),
    (
        "groups",
        "Look at the groups",
        "The project's page has the numbers, and finds any record and its group.",
        "Open the project",
        "",
    ),
)


@dataclass(frozen=True)
class Step:
    """One step: `url` is '' as long as no page can do it; `again` is '' where doing it once is all."""

    name: str
    title: str
    help: str
    is_done: bool
    url: str
    verb: str
    again: str


def first_steps(state: SetUpState) -> list[Step]:
    """Return the steps in their order."""
    code, shown = state.project_code, state.reported_code
    done = (state.has_provider, state.has_format, state.has_event_type, bool(code), state.has_envelope, False)
    urls = (
        *(_catalog(step) for step in CATALOG_ROUTES),
        reverse("project-new"),
        reverse("submit", args=[code]) if code else "",
        reverse("project", args=[shown]) if shown else "",
    )
    return [
        Step(name, title, told, is_done, url, verb, again)
        for (name, title, told, verb, again), is_done, url in zip(_STEPS, done, urls, strict=True)
    ]


def note_look_at_groups(user: User) -> None:
    """Put the list away once a person who has it looks at a linked project, and all else of it is done."""
    if has_first_steps(user) and read_set_up_state().is_ready:
        close_first_steps(user)
        # the page that is looked at shows it
        user.refresh_from_db(fields=["first_steps_closed_at"])


def leads_to_next_step(user: User) -> tuple[str, str]:
    """Return address and words of the link to the next step, for whoever has the list open; else ('', '')."""
    if not has_first_steps(user):
        return "", ""
    state = read_set_up_state()
    step = next((step for step in first_steps(state) if not step.is_done), None)
    # what is ready is looked at without being told so after every change
    if step is None or not step.url or state.is_ready:
        return "", ""
    return step.url, f"Next: {step.title[0].lower()}{step.title[1:]}"


def has_first_steps(user: User) -> bool:
    """Tell whether a person has the list: an Administrator who has not put it away."""
    return user.is_superuser and user.first_steps_closed_at is None


def _catalog(step: str) -> str:
    return reverse(CATALOG_ROUTES[step])
