"""Property: whatever was done to a project, it is as if only that had been done which remains."""

import os
import shutil
from collections.abc import Sequence

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from linkwright.engine.update_mode import UpdateMode
from linkwright.envelopes.manifest import RequestType
from linkwright.services.roll_back_envelope import RollbackScope
from linkwright.store.audit_log import COMMAND_LINE
from linkwright.store.models import LinkageProject
from linkwright.store.settings import change_setting
from linkwright.warehouse import kept_parts
from tests.integration.pipeline.any_history import (
    EVENT_TYPES,
    Compact,
    Delete,
    Extract,
    History,
    Load,
    Review,
    RollBack,
    Snapshot,
    Step,
    make_project,
    people_files,
)
from tests.integration.pipeline.conftest import System
from tests.integration.pipeline.disturbed import Disturbance, Fault
from tests.integration.pipeline.remaining import demand_grouped, demand_merged, replay, see

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("without_drawing", "small_parts")]

EXAMPLES = int(os.environ.get("LINKWRIGHT_PROPERTY_EXAMPLES", "6"))
"""More of them find more; so many are done in half a minute, beside the two that are always done."""

PART_ROWS = 3
"""So few records lie in one part of a snapshot or ledger here, so that rollbacks meet the borders of parts."""

# two records are linked if they have the date of birth and one of the names in common
PEOPLE = [
    (given, surname, birth)
    for birth in ("1980-01-02", "1975-05-06")
    for given in ("Anna", "Carl")
    for surname in ("Berg", "Cole")
]
KEYS = st.tuples(st.sampled_from(EVENT_TYPES), st.sampled_from("abcd"))
PICKS = st.integers(0, 7)


@pytest.fixture
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept_parts, "PART_ROWS", PART_ROWS)


def disturbed_by(*faults: Fault) -> st.SearchStrategy[Disturbance]:
    """Return the faults that a step may meet; most meet none."""
    met = st.tuples(st.sampled_from(faults), st.integers(0, 5))
    return st.one_of(st.none(), st.none(), st.none(), met)


MENDED = (Fault.KILLED, Fault.COMMIT_REFUSED, Fault.DISK_FULL)
OF_ENVELOPES = disturbed_by(*MENDED, Fault.GIVEN_UP, Fault.CANCELLED)
LOADS = st.builds(
    Load,
    st.dictionaries(KEYS, st.sampled_from(PEOPLE), min_size=1, max_size=4),
    st.sampled_from(UpdateMode),
    OF_ENVELOPES,
)
DELETIONS = st.builds(Delete, st.lists(PICKS, min_size=1, max_size=2), OF_ENVELOPES)
MOVES = st.tuples(PICKS, st.sampled_from("xyz"))
REVIEWS = st.builds(Review, st.lists(MOVES, min_size=1, max_size=4), OF_ENVELOPES)
ROLLBACKS = st.builds(
    RollBack, st.integers(0, 4), st.sampled_from(RollbackScope), disturbed_by(*MENDED, Fault.GIVEN_UP)
)
ASIDE = st.one_of(*(st.builds(kind, disturbed_by(*MENDED)) for kind in (Snapshot, Extract, Compact)))
STEPS = st.lists(st.one_of(LOADS, DELETIONS, REVIEWS, LOADS, ROLLBACKS, ASIDE), min_size=2, max_size=10)


def load(*identifiers: str, person: int, fault: Disturbance = None, mode: UpdateMode = UpdateMode.REJECT) -> Load:
    """Return the loading of admissions of one of the people."""
    return Load({("ADM", identifier): PEOPLE[person] for identifier in identifiers}, mode, fault)


# what seldom comes together by chance: reviews and snapshots made since, ids and keys that are given out anew
EARLIER_ONE_GOES: list[Step] = [
    load("b", person=1),
    Snapshot(None),
    Extract(None),
    # about records that stay when b goes
    Review([(0, "x"), (2, "y")], None),
    load("c", person=4),
    Snapshot(None),
    RollBack(2, RollbackScope.ALONE, (Fault.COMMIT_REFUSED, 0)),
    Delete([0], None),
    load("d", person=0, fault=(Fault.KILLED, 3)),
    Compact(None),
    # what was deleted comes back, and is matched with what came since
    RollBack(1, RollbackScope.ALONE, None),
]
LATEST_GO_ONE_BY_ONE: list[Step] = [
    load("b", "c", person=4),
    Extract(None),
    load("b", person=1, mode=UpdateMode.REPLACE),
    Delete([2], (Fault.DISK_FULL, 1)),
    Snapshot(None),
    RollBack(0, RollbackScope.ALONE, None),
    RollBack(0, RollbackScope.WITH_LATER, (Fault.KILLED, 0)),
    RollBack(0, RollbackScope.ALONE, None),
    load("d", person=7, fault=(Fault.CANCELLED, 2)),
    load("e", person=6),
]


@example(first=load("a", "z", person=0), steps=EARLIER_ONE_GOES, method="merge")
@example(first=load("a", person=0), steps=LATEST_GO_ONE_BY_ONE, method="merge")
@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
@given(first=LOADS, steps=STEPS, method=st.sampled_from(["merge", "merge", "best_link"]))
def test_any_history_leaves_what_a_project_built_of_the_remains_is(
    by_hand: System, first: Load, steps: Sequence[Step], method: str
) -> None:
    change_setting("Worker.Load.MaxRejectedRows", 10, COMMAND_LINE)
    number = LinkageProject.objects.count()
    history = History(by_hand, f"A{number}")
    make_project(by_hand, history.code, method)
    for step in (first, *steps):
        history.take(step)
    history.extract()
    history.demand_snapshots()
    demand_what_remains(history, f"B{number}", method)
    shutil.rmtree(by_hand.config.scratch_folder)
    by_hand.config.scratch_folder.mkdir()


def demand_what_remains(history: History, scratch_code: str, method: str) -> None:
    """Build another project of what remains, and compare."""
    seen, remains = see(history.system, history.code), replay(history.standing)
    assert seen.people == remains.people
    assert seen.decided == remains.decided()
    demand_grouped(seen)
    make_project(history.system, scratch_code, method)
    # merge knows no order
    envelopes = [remains.people] if method == "merge" else remains.by_envelope()
    for number, people in enumerate(filter(None, envelopes)):
        files = people_files(people)
        name = f"{scratch_code}-{number}"
        history.system.submit(
            history.system.build_raw(name, files, project=scratch_code, request_type=RequestType.SUBMIT_LINKAGE)
        )
    history.system.drain()
    scratch = see(history.system, scratch_code)
    assert scratch.people == seen.people
    assert scratch.named_pairs == seen.named_pairs
    if not any(seen.decided):
        assert scratch.named_partition == seen.named_partition
    if method == "merge":
        demand_merged(seen)
