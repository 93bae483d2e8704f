"""Finds by a text whatever has a name, a code or a number: projects, Envelopes, a job, the data catalog.

Never writes. A person finds only what exists for them. Records are searched in their project, where a look is
written down.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

from django.db.models import Model, Q, QuerySet

from linkwright.store.models import DataProvider, EventType, ImportFormat, LinkageProject, User
from linkwright.store.permissions import visible_projects
from linkwright.store.queries.catalog import visible_event_types, visible_import_formats, visible_providers
from linkwright.store.queries.envelope_lists import EnvelopeRow, list_envelopes
from linkwright.store.queries.envelope_search import EnvelopeFilter, number_in
from linkwright.store.queries.job_lists import JobRow, read_job_rows, visible_jobs

MOST_SHOWN = 10
Row = TypeVar("Row", bound=Model)


@dataclass(frozen=True)
class FoundEverywhere:
    """What a text finds, at most `MOST_SHOWN` of a kind. `has_more_envelopes`: the list of Envelopes has more."""

    projects: Sequence[LinkageProject]
    envelopes: Sequence[EnvelopeRow]
    has_more_envelopes: bool
    jobs: Sequence[JobRow]
    providers: Sequence[DataProvider]
    event_types: Sequence[EventType]
    import_formats: Sequence[ImportFormat]

    @property
    def is_empty(self) -> bool:
        """Whether nothing was found."""
        shown = (
            self.projects,
            self.envelopes,
            self.jobs,
            self.providers,
            self.event_types,
            self.import_formats,
        )
        return not any(shown)


def search_everywhere(user: User, text: str, *, sees_catalog: bool) -> FoundEverywhere:
    """Look a text up: every word of it stands in what is found; a number also finds that Envelope and that job."""
    envelopes = list_envelopes(user, EnvelopeFilter(text=text), limit=MOST_SHOWN)
    number = number_in(text)
    jobs = visible_jobs(user).filter(pk=number).values_list("pk", flat=True) if number is not None else []
    return FoundEverywhere(
        projects=_named(visible_projects(user), text, "code", "name"),
        envelopes=envelopes.rows,
        has_more_envelopes=bool(envelopes.older),
        jobs=read_job_rows(list(jobs)),
        providers=_named(visible_providers(user, sees_all=sees_catalog), text, "code", "organisation"),
        event_types=_named(visible_event_types(user, sees_all=sees_catalog), text, "code", "description"),
        import_formats=_named(visible_import_formats(user, sees_all=sees_catalog), text, "code"),
    )


def _named(rows: QuerySet[Row], text: str, *fields: str) -> list[Row]:
    for word in text.split():
        fits = Q()
        for field in fields:
            fits |= Q(**{f"{field}__icontains": word})
        rows = rows.filter(fits)
    return list(rows.order_by("code")[:MOST_SHOWN])
