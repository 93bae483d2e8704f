"""Any sequence of Envelopes and rollbacks with Compacts in between equals the same without."""

from collections.abc import Sequence
from dataclasses import dataclass

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from linkwright.envelopes.manifest import RequestType
from linkwright.services.start_compact import start_compact
from linkwright.store.audit_log import COMMAND_LINE
from linkwright.store.models import Envelope, EnvelopeState, JobState
from tests.integration.pipeline.conftest import PROJECT_YAML, System
from tests.integration.pipeline.test_compact import PEOPLE, person, project, roll_back
from tests.integration.pipeline.visible_state import visible

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("without_drawing")]


@dataclass
class Twins:
    """Two projects that are treated alike, but for Compact, which only the first one knows."""

    system: System
    codes: tuple[str, str]
    standing: list[tuple[Envelope, Envelope]]
    live: list[str]

    def send(self, name: str, content: Sequence[str], request_type: RequestType) -> None:
        pair = []
        for code in self.codes:
            lines = "".join(f"{line.format(project=code)}\n" for line in content).encode()
            path = self.system.build_raw(f"{name}-{code}", {"ADM": lines}, project=code, request_type=request_type)
            envelope = self.system.submit(path)
            self.system.drain()
            envelope.refresh_from_db()
            assert envelope.state == EnvelopeState.SUCCESS, envelope.jobs.filter(state=JobState.ERRORS).first()
            pair.append(envelope)
        self.standing.append((pair[0], pair[1]))

    def load(self, name: str, people: Sequence[tuple[str, str, str]]) -> None:
        identifiers = [f"{name}.{number}" for number in range(len(people))]
        rows = [",".join(person(one, *of)) for one, of in zip(identifiers, people, strict=True)]
        self.send(name, ["id,given,surname,dob,postcode", *rows], RequestType.SUBMIT_LINKAGE)
        self.live += identifiers

    def delete(self, name: str, identifier: str) -> None:
        self.send(name, [identifier], RequestType.SUBMIT_DELETION)

    def review(self, name: str, one: str, other: str) -> None:
        lines = [f"{{project}},{one},ADM,x", f"{{project}},{other},ADM,y"]
        self.send(name, lines, RequestType.SUBMIT_QUALITY_REVIEW)

    def roll_back(self, place: int) -> None:
        for envelope in self.standing.pop(place):
            roll_back(self.system, envelope)
        self.standing = [
            pair for pair in self.standing if Envelope.objects.get(pk=pair[0].pk).state == EnvelopeState.SUCCESS
        ]

    def still_live(self) -> list[str]:
        return sorted(self.system.group_ids(self.codes[0]))


def make_twins(system: System, number: int, method: str) -> Twins:
    content = yaml.safe_load(PROJECT_YAML)
    (one,) = content["projects"]
    codes = (f"A{number}", f"B{number}")
    content["projects"] = [{**one, "code": code, "grouping": {"method": method}} for code in codes]
    system.apply(yaml.safe_dump(content, sort_keys=False))
    return Twins(system, codes, [], [])


ACTIONS = ("load", "load", "delete", "review", "roll back the latest", "roll back any")
numbers = iter(range(1_000_000))


@settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data(), method=st.sampled_from(["merge", "best_link"]))
def test_any_sequence_with_compacts_in_between_equals_the_same_without(
    by_hand: System, data: st.DataObject, method: str
) -> None:
    twins = make_twins(by_hand, next(numbers), method)
    people = st.lists(st.sampled_from(PEOPLE), min_size=1, max_size=3)
    twins.load("e0", data.draw(people))
    for step, action in enumerate(data.draw(st.lists(st.sampled_from(ACTIONS), min_size=2, max_size=6)), start=1):
        live = twins.still_live()
        if action == "delete" and live:
            twins.delete(f"e{step}", data.draw(st.sampled_from(live)))
        elif action == "review" and len(live) > 1:
            one, other = data.draw(st.permutations(live))[:2]
            twins.review(f"e{step}", one, other)
        elif action.startswith("roll back") and twins.standing:
            last = len(twins.standing) - 1
            twins.roll_back(last if "latest" in action else data.draw(st.integers(0, last)))
        else:
            twins.load(f"e{step}", data.draw(people))
        if data.draw(st.booleans()) and start_compact(project(twins.codes[0]), COMMAND_LINE):
            assert [job.state for job in by_hand.drain()] == [JobState.SUCCESS]
    assert visible(by_hand, twins.codes[0]) == visible(by_hand, twins.codes[1])
    twins.load("last", PEOPLE)
    assert visible(by_hand, twins.codes[0]) == visible(by_hand, twins.codes[1])
