"""Property: whatever was loaded, replaced, deleted and rolled back, the map is that of the last versions alone."""

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

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
from tests.integration.pipeline.updating import live_pairs, person, roll_back, set_mode

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


def delete(system: System, name: str, identifiers: Sequence[str]) -> Envelope:
    lines = "".join(f"{identifier}\n" for identifier in identifiers).encode()
    path = system.build_raw(name, {"ADM": lines}, request_type=RequestType.SUBMIT_DELETION)
    envelope = system.submit(path)
    system.drain()
    envelope.refresh_from_db()
    return envelope


def from_scratch(system: System, code: str, rows: Sequence[Row]) -> None:
    """Load rows as one Envelope into a new project that is otherwise the same."""
    first = LinkageProject.objects.get(code="P1")
    project = LinkageProject.objects.create(code=code, name=code, grouping=first.grouping)
    definition = MatchConfigurationVersion.objects.filter(project=first).latest("version").definition
    MatchConfigurationVersion.objects.create(project=project, version=1, definition=definition)
    AttachedEventType.objects.create(project=project, event_type=EventType.objects.get(code="ADM"))
    if rows:
        envelope = system.submit(system.build(f"scratch-{code}", rows, project=code))
        system.drain()
        envelope.refresh_from_db()
        assert envelope.state == EnvelopeState.SUCCESS


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_sequence_equals_a_project_built_from_the_last_versions(system: System, data: st.DataObject) -> None:
    change_setting("Worker.Load.MaxRejectedRows", 10, COMMAND_LINE)
    stands: dict[Envelope, Step] = {}
    for number in range(data.draw(st.integers(2, 5), label="steps")):
        held, before = versions(list(stands.values())), system.group_ids()
        if held and data.draw(st.integers(0, 4), label="deletes") == 0:
            gone = data.draw(st.lists(st.sampled_from(sorted(held)), min_size=1, unique=True), label="deleted")
            envelope, step = delete(system, f"deletion{number}", gone), Step(deleted=frozenset(gone))
        else:
            mode = data.draw(st.sampled_from(UpdateMode), label="mode")
            set_mode(mode)
            rows = {key: person(key, *values) for key, values in data.draw(ROWS, label="rows").items()}
            envelope = system.load(f"load{number}", rows.values())
            takes_all = mode is UpdateMode.REPLACE
            step = Step(loaded={key: row for key, row in rows.items() if takes_all or key not in held})
        assert envelope.state == EnvelopeState.SUCCESS
        stands[envelope] = step
        if data.draw(st.integers(0, 2), label="undoes the latest") == 0 and is_latest(envelope):
            del stands[envelope]
            roll_back(system, envelope)
            assert system.group_ids() == before
        elif data.draw(st.integers(0, 2), label="undoes another") == 0:
            undone = data.draw(st.sampled_from(list(stands)), label="undone")
            del stands[undone]
            roll_back(system, undone)
    code = f"S{LinkageProject.objects.count()}"
    from_scratch(system, code, list(versions(list(stands.values())).values()))
    assert system.groups() == system.groups(code)
    assert live_pairs(system) == live_pairs(system, code)
    for envelope in reversed(stands):
        roll_back(system, envelope)
    assert system.groups() == set()
    shutil.rmtree(system.config.scratch_folder, ignore_errors=True)
    system.config.scratch_folder.mkdir()


def is_latest(envelope: Envelope) -> bool:
    """Tell whether it was written last; a rollback out of order is a batch of its own behind the others."""
    return Batch.objects.latest("pk").envelope_id == envelope.pk
