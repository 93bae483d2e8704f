"""What the seeded lists are made of: projects, providers, Event Types, and the shares of states and kinds.

Drawn with a fixed seed. Sizes of projects and providers fall off as they do in life: one project has a third of
all Envelopes, the last one a handful, so that filters meet frequent and rare values.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass

from linkwright.engine.default_configuration import default_match_definition
from linkwright.engine.fields import STANDARD_FIELDS
from linkwright.store.models import (
    DataProvider,
    EventType,
    ImportFormat,
    LinkageProject,
    MatchConfigurationVersion,
    Membership,
    QueueState,
    Role,
    Series,
    User,
)

PROJECTS_COUNT = 20
PROVIDERS_COUNT = 24
SEED = 20261122
ACTIONS = (
    ("SubmitLinkage", 0.93),
    ("SubmitDeletion", 0.03),
    ("SubmitQualityReview", 0.02),
    ("EstimateProbabilities", 0.02),
)
EVENT_KINDS = ("BIRTHS", "HOSP", "DEATHS", "TUMOURS", "EMERG", "MENTAL")


@dataclass(frozen=True)
class Pattern:
    """One series, and how often it comes."""

    series: Series
    weight: float


@dataclass(frozen=True)
class ListWorld:
    """Who and what the lists are about."""

    admin: User
    # the Owner of one project among the twenty: of average size
    member: User
    projects: Sequence[LinkageProject]
    # the project of `member`
    own: LinkageProject
    patterns: Sequence[Pattern]
    # Corrupt ones name nothing; those of an unknown project belong to none
    corrupt: Series
    unknown: Series
    system: Sequence[Series]


def make_list_world() -> ListWorld:
    """Make people, catalog, projects and every series."""
    draw = random.Random(SEED)
    QueueState.objects.get_or_create(pk=1)
    admin = User.objects.create(username="bench-admin", is_superuser=True)
    member = User.objects.create(username="bench-member")
    named = ["source_unique_id", *(field.name for field in STANDARD_FIELDS)]
    columns = {name: number for number, name in enumerate(named, start=1)}
    form = ImportFormat.objects.create(code="BENCH", definition={"columns": columns})
    configuration = default_match_definition(STANDARD_FIELDS)
    types = _make_providers(form)
    projects, patterns = [], []
    for number in range(PROJECTS_COUNT):
        project = LinkageProject.objects.create(code=f"PROJECT-{number:02}", name=f"Project {number}")
        MatchConfigurationVersion.objects.create(project=project, version=1, definition=configuration)
        projects.append(project)
        weight = 0.35 * 0.72**number
        patterns += _patterns_of(project, weight, types, draw)
    own = projects[3]
    Membership.objects.create(user=member, project=own, role=Role.OWNER)
    return ListWorld(
        admin=admin,
        member=member,
        projects=projects,
        own=own,
        patterns=patterns,
        corrupt=Series.objects.fitting(project_id=None, owner_id=member.pk),
        unknown=Series.objects.fitting(
            project_id=None,
            project_code="UNKNOWN",
            sender_code="PROV-01",
            request_type="SubmitLinkage",
            event_type_codes=["BIRTHS-01"],
            owner_id=admin.pk,
        ),
        system=[Series.objects.fitting(project_id=one.pk, project_code=one.code) for one in projects],
    )


def _make_providers(form: ImportFormat) -> list[list[EventType]]:
    found = []
    for number in range(PROVIDERS_COUNT):
        provider = DataProvider.objects.create(code=f"PROV-{number:02}", organisation=f"Provider {number}")
        found.append(
            [
                EventType.objects.create(code=f"{kind}-{number:02}", provider=provider, import_format=form)
                for kind in EVENT_KINDS[: 2 + number % 5]
            ]
        )
    return found


def _patterns_of(
    project: LinkageProject, weight: float, types: Sequence[Sequence[EventType]], draw: random.Random
) -> list[Pattern]:
    """Return a project's series: a few providers, for each a few sets of Event Types and every data action."""
    found = []
    senders = draw.sample(range(PROVIDERS_COUNT), draw.randint(1, 5))
    for rank, sender in enumerate(senders):
        project.event_types.add(*types[sender])
        codes = sorted(one.code for one in types[sender])
        for place, chosen in enumerate((codes, codes[:1], codes[-2:])):
            for action, share in ACTIONS:
                series = Series.objects.fitting(
                    project_id=project.pk,
                    project_code=project.code,
                    sender_code=types[sender][0].provider.code,
                    request_type=action,
                    event_type_codes=chosen,
                )
                found.append(Pattern(series, weight * 0.5**rank * (0.7, 0.2, 0.1)[place] * share))
    return found
