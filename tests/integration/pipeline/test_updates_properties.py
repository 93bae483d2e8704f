"""Property: whatever was loaded, replaced, deleted and rolled back, the map is that of the last versions alone."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from linkwright.engine.updates import UpdateMode
from linkwright.envelopes.manifest import RequestType
from linkwright.store.audit_log import COMMAND_LINE
from linkwright.store.models import (
    AttachedEventType,
    Batch,
    Envelope,
    EnvelopeState,
    EventType,
    LinkageProject,
    MatchConfigurationVersion,
)
from linkwright.store.settings import change_setting
from tests.integration.pipeline.conftest import Row, System
from tests.integration.pipeline.updating import live_pairs, person, roll_back

pytestmark = pytest.mark.django_db

PEOPLE = [
    (given, surname, birth)
    for given in ("Anna", "Carl")
    for surname in ("Berg", "Cole")
    for birth in ("1980-01-02", "1975-05-06")
]
IDENTIFIERS = st.sampled_from("abcdef")
ROWS = st.dictionaries(IDENTIFIERS, st.sampled_from(PEOPLE), min_size=1, max_size=4)


@dataclass
class Step:
    """An Envelope that stands: what it loaded, and what it deleted."""

    loaded: Mapping[str, Row] = field(default_factory=dict)
    deleted: frozenset[str] = frozenset()


def versions(steps: Sequence[Step]) -> dict[str, Row]:
    """Return the last version of each record."""
    current: dict[str, Row] = {}
    for step in steps:
        current |= step.loaded
        current = {key: row for key, row in current.items() if key not in step.deleted}
    return current


def new_project() -> str:
    """Make a project as P1, without records, and return its code."""
    first = LinkageProject.objects.get(code="P1")
    code = f"P{LinkageProject.objects.count() + 1}"
    project = LinkageProject.objects.create(code=code, name=code, grouping=first.grouping)
    definition = MatchConfigurationVersion.objects.filter(project=first).latest("version").definition
    MatchConfigurationVersion.objects.create(project=project, version=1, definition=definition)
    AttachedEventType.objects.create(project=project, event_type=EventType.objects.get(code="ADM"))
    return code


def process(system: System, path: Path) -> Envelope:
    """Take an Envelope in and process it."""
    envelope = system.submit(path)
    system.drain()
    envelope.refresh_from_db()
    assert envelope.state == EnvelopeState.SUCCESS
    return envelope


def delete(system: System, code: str, identifiers: Sequence[str]) -> Envelope:
    lines = "".join(f"{identifier}\n" for identifier in identifiers).encode()
    content = {"ADM": lines}
    return process(
        system,
        system.build_raw("deletion", content, project=code, request_type=RequestType.SUBMIT_DELETION),
    )


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_sequence_equals_a_project_built_from_the_last_versions(system: System, data: st.DataObject) -> None:
    change_setting("Worker.Load.MaxRejectedRows", 10, COMMAND_LINE)
    code, stands = new_project(), dict[Envelope, Step]()
    for _number in range(data.draw(st.integers(2, 5), label="steps")):
        held, before = versions(list(stands.values())), system.group_ids(code)
        if held and data.draw(st.integers(0, 4), label="deletes") == 0:
            gone = data.draw(st.lists(st.sampled_from(sorted(held)), min_size=1, unique=True), label="deleted")
            envelope, step = delete(system, code, gone), Step(deleted=frozenset(gone))
        else:
            mode = data.draw(st.sampled_from(UpdateMode), label="mode")
            AttachedEventType.objects.filter(project__code=code).update(updates=mode)
            rows = {key: person(key, *values) for key, values in data.draw(ROWS, label="rows").items()}
            envelope = process(system, system.build("load", rows.values(), project=code))
            takes_all = mode is UpdateMode.REPLACE
            step = Step(loaded={key: row for key, row in rows.items() if takes_all or key not in held})
        stands[envelope] = step
        if data.draw(st.integers(0, 2), label="undoes the latest") == 0 and is_latest(envelope):
            del stands[envelope]
            roll_back(system, envelope)
            assert system.group_ids(code) == before
        elif data.draw(st.integers(0, 2), label="undoes another") == 0:
            undone = data.draw(st.sampled_from(list(stands)), label="undone")
            del stands[undone]
            roll_back(system, undone)
    scratch, last = new_project(), list(versions(list(stands.values())).values())
    if last:
        process(system, system.build("scratch", last, project=scratch))
    assert system.groups(code) == system.groups(scratch)
    assert live_pairs(system, code) == live_pairs(system, scratch)


def is_latest(envelope: Envelope) -> bool:
    """Tell whether it was written last; a rollback out of order is a batch of its own behind the others."""
    return Batch.objects.latest("pk").envelope_id == envelope.pk
