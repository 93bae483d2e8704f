"""A report tells of all flagged groups of the project, whichever Envelope touched them last."""

import pytest

from linkwright.engine.grouping import GroupingConfiguration
from linkwright.store.models import Envelope, EnvelopeReport, EventType, Job, JobKind, LinkageProject
from tests.integration.pipeline.acting import delete, person, review, roll_back
from tests.integration.pipeline.conftest import System

pytestmark = pytest.mark.django_db
ANNAS = [person("a1"), person("a2")]
BENS = [person("b1", "Ben", "Cole", "1975-05-06"), person("b2", "Ben", "Cole", "1975-05-06")]


def _counts(envelope: Envelope) -> tuple[int, int]:
    """Return the flagged groups that the Envelope touched, and those of the project after it."""
    told = EnvelopeReport.objects.get(envelope=envelope).statistics
    touched = Job.objects.get(envelope=envelope, kind=JobKind.GROUP).statistics["flagged_groups_count"]
    assert told["envelope"]["flagged_groups_count"] == touched
    return touched, told["project"]["flagged_groups_count"]


def test_what_was_flagged_before_is_still_told(system: System) -> None:
    EventType.objects.filter(code="ADM").update(authoritative=True)
    assert _counts(system.load("first", ANNAS)) == (1, 1)
    assert _counts(system.load("second", BENS)) == (1, 2)
    third = system.load("third", [person("c", "Cleo", "Dunn", "1990-09-10")])
    assert _counts(third) == (0, 2)
    project = EnvelopeReport.objects.get(envelope=third).statistics["project"]
    assert project["flagged_by_reason"] == [
        {"reason": "more than one record of an authoritative Event Type", "groups_count": 2}
    ]
    assert [row["records_count"] for row in project["flagged_groups"]] == [2, 2]
    assert _counts(delete(system, "a1")) == (0, 1)
    assert _counts(review(system, "b1>x", "b2>y")) == (0, 0)


def test_weak_links_of_the_whole_project_are_told_and_decisions_are_strong(system: System) -> None:
    grouping = GroupingConfiguration(flag_links_under=100.0).model_dump(mode="json", exclude_none=True)
    LinkageProject.objects.filter(code="P1").update(grouping=grouping)
    assert _counts(system.load("first", [*ANNAS, *BENS])) == (2, 2)
    reviewed = review(system, "a1>x", "a2>x")
    assert _counts(reviewed) == (0, 1)
    roll_back(system, reviewed)
    assert _counts(system.load("second", [person("c", "Cleo", "Dunn", "1990-09-10")])) == (0, 2)
