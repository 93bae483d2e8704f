"""What is done to a project in the test of any history, step by step, and what a step must not change.

`remaining.py` says what a project must be after it, `disturbed.py` runs the jobs of a step.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

import yaml

from linkwright.engine.review_moves import decisions_of
from linkwright.engine.update_mode import UpdateMode
from linkwright.envelopes.manifest import RequestType
from linkwright.services.attach_event_type import change_update_mode
from linkwright.services.create_extraction_project import NewExtractionProject, create_extraction_project
from linkwright.services.roll_back_envelope import (
    RollbackScope,
    preview_rollback,
    roll_back_envelope,
)
from linkwright.services.start_compact import start_compact
from linkwright.services.start_extraction import start_extraction
from linkwright.services.sweep_files import sweep_files
from linkwright.store.audit_log import COMMAND_LINE
from linkwright.store.models import (
    Envelope,
    EnvelopeState,
    ExtractionProject,
    Job,
    JobState,
    LinkageProject,
)
from tests.integration.pipeline.conftest import COLUMNS, PROJECT_YAML, System
from tests.integration.pipeline.disturbed import Disturbance, Fault, run_disturbed
from tests.integration.pipeline.extracting import form, package, rows
from tests.integration.pipeline.remaining import Key, Person, Seen, Sent, Version, replay, see

EVENT_TYPES = ("ADM", "EMG")


@dataclass(frozen=True)
class Load:
    people: Mapping[Key, Person]
    mode: UpdateMode
    fault: Disturbance


@dataclass(frozen=True)
class Delete:
    picks: Sequence[int]
    fault: Disturbance


@dataclass(frozen=True)
class Review:
    moves: Sequence[tuple[int, str]]
    fault: Disturbance


@dataclass(frozen=True)
class RollBack:
    back: int
    scope: RollbackScope
    fault: Disturbance


@dataclass(frozen=True)
class Snapshot:
    fault: Disturbance


@dataclass(frozen=True)
class Extract:
    fault: Disturbance


@dataclass(frozen=True)
class Compact:
    fault: Disturbance


Step: TypeAlias = Load | Delete | Review | RollBack | Snapshot | Extract | Compact
Shown: TypeAlias = dict[Key, str]


@dataclass
class Kept:
    """A snapshot: what an extraction of it must give, and the versions that it holds."""

    code: str
    files: dict[str, bytes]
    shown: Shown
    versions: dict[Key, Version]


@dataclass
class Life:
    """A group from its first state to its last: all that ever was in it, and its Person Key once it has one."""

    members: set[tuple[str, int, Key]]
    key: str = ""


@dataclass
class History:
    """A project and all that was done to it.

    Args:
        stack: the Envelopes that stand, in their order; None for a rollback that had to work groups out anew.
    """

    system: System
    code: str
    stack: list[Sent | None] = field(default_factory=list)
    snapshots: list[Kept] = field(default_factory=list)
    lives: dict[int, Life] = field(default_factory=dict)
    lives_before: dict[int, dict[int, Life]] = field(default_factory=dict)
    person_of: dict[str, Life] = field(default_factory=dict)
    sent_count: int = 0

    @property
    def project(self) -> LinkageProject:
        return LinkageProject.objects.get(code=self.code)

    @property
    def standing(self) -> list[Sent]:
        return [sent for sent in self.stack if sent is not None]

    def take(self, step: Step) -> None:
        """Do a step, as far as there is something to do it to, and watch what becomes of groups and keys."""
        before = see(self.system, self.code)
        match step:
            case Load():
                self._load(step, before)
            case Delete():
                self._delete(step, before)
            case Review():
                self._review(step, before)
            case RollBack():
                self._roll_back(step, before)
            case _:
                self._leave_unchanged(step, before)
        self._follow_groups()

    def _load(self, step: Load, before: Seen) -> None:
        held = replay(self.standing).current
        for event_type in EVENT_TYPES:
            change_update_mode(self.project, event_type, COMMAND_LINE, updates=step.mode)
        taken = {key: of for key, of in step.people.items() if step.mode is UpdateMode.REPLACE or key not in held}
        sent = self._send(RequestType.SUBMIT_LINKAGE, people_files(step.people), step.fault, before)
        if sent is not None:
            now = see(self.system, self.code).record_ids
            sent.loaded.update({key: Version(sent.number, key, of, now[key]) for key, of in taken.items()})

    def _delete(self, step: Delete, before: Seen) -> None:
        held = sorted(before.record_ids)
        gone = {held[pick % len(held)] for pick in step.picks} if held else set()
        if gone and (sent := self._send(RequestType.SUBMIT_DELETION, deletion_files(gone), step.fault, before)):
            sent.deleted |= gone

    def _review(self, step: Review, before: Seen) -> None:
        held = sorted(before.record_ids)
        targets = {held[pick % len(held)]: target for pick, target in step.moves} if held else {}
        files = {
            event_type: "".join(f"{self.code},{key[1]},{key[0]},{to}\n" for key, to in listed).encode()
            for event_type in EVENT_TYPES
            if (listed := [(key, to) for key, to in sorted(targets.items()) if key[0] == event_type])
        }
        sent = self._send(RequestType.SUBMIT_QUALITY_REVIEW, files, step.fault, before) if targets else None
        if sent is None:
            return
        moved = {before.record_ids[key]: target for key, target in targets.items()}
        decided = decisions_of(moved, [sorted(group) for group in before.partition if group & moved.keys()])
        versions = {version.record_id: version for version in replay(self.standing).current.values()}
        for pairs, is_together in ((decided.together, True), (decided.apart, False)):
            sent.decided += [(versions[one], versions[other], is_together) for one, other in pairs]
        after = see(self.system, self.code)
        for one, other in decided.together:
            assert after.groups[one] == after.groups[other], "the review did not put them together"
        for one, other in decided.apart:
            assert after.groups[one] != after.groups[other], "the review did not put them apart"

    def _send(
        self, request_type: RequestType, files: Mapping[str, bytes], fault: Disturbance, before: Seen
    ) -> Sent | None:
        """Process an Envelope; returns it if it stands."""
        self.sent_count += 1
        name = f"{self.code}-{self.sent_count}"
        path = self.system.build_raw(name, files, project=self.code, request_type=request_type)
        envelope = self.system.submit(path)
        path.unlink()
        met = run_disturbed(self.system, fault)
        envelope.refresh_from_db()
        if met in {Fault.GIVEN_UP, Fault.CANCELLED}:
            assert envelope.state in {EnvelopeState.ERRORS, EnvelopeState.CANCELLED}
            assert see(self.system, self.code) == before, "an Envelope that did not succeed changed something"
            return None
        failed = envelope.jobs.filter(state=JobState.ERRORS).first()
        assert envelope.state == EnvelopeState.SUCCESS, failed and failed.error_with_values
        sent = Sent(self.sent_count, envelope.pk, request_type, before)
        self.stack.append(sent)
        self.lives_before[sent.number] = dict(self.lives)
        return sent

    def _roll_back(self, step: RollBack, before: Seen) -> None:
        if not self.standing:
            return
        sent = self.standing[-1 - step.back % len(self.standing)]
        place = self.stack.index(sent)
        later = self.stack[place + 1 :]
        goes = [
            one for one in later if one is not None and (step.scope is RollbackScope.WITH_LATER or one.is_review)
        ]
        envelope = Envelope.objects.get(pk=sent.envelope_id)
        preview = preview_rollback(envelope)
        assert not preview.refusal
        assert preview.is_latest == (not later)
        job = roll_back_envelope(sent.envelope_id, COMMAND_LINE, reason="a test", scope=step.scope)
        if run_disturbed(self.system, step.fault) in {Fault.GIVEN_UP, Fault.CANCELLED}:
            assert see(self.system, self.code) == before, "a rollback that failed changed something"
            return
        job.refresh_from_db()
        assert job.state == JobState.SUCCESS, job.error_with_values
        sweep_files(self.system.config)
        undone = {id(one) for one in (sent, *goes)}
        if len(goes) == len(later):
            del self.stack[place:]
            assert "groups_after_count" not in job.statistics
            assert see(self.system, self.code) == sent.before, "it is not as before the Envelope"
            # ids that were given out since are given out again, under other keys
            self.lives = self.lives_before[sent.number]
        else:
            self.stack = [*(one for one in self.stack if id(one) not in undone), None]
        self._mend_snapshots({one.number for one in (sent, *goes)})

    def _mend_snapshots(self, undone: set[int]) -> None:
        """Demand that snapshots lose the records of what was rolled back, and nothing else."""
        for kept in self.snapshots:
            lost = {key for key, version in kept.versions.items() if version.sent in undone}
            for key in lost:
                del kept.versions[key], kept.shown[key]
            files, shown = self._extracted(kept.code, None)
            assert shown == kept.shown
            assert lost or files == kept.files, f"the snapshot {kept.code} is not what it was"
            kept.files = files

    def demand_snapshots(self) -> None:
        """Demand that every snapshot gives what it gave."""
        self._mend_snapshots(set())

    def _leave_unchanged(self, step: Snapshot | Extract | Compact, before: Seen) -> None:
        match step:
            case Snapshot():
                self._keep_snapshot(step)
            case Extract():
                self.extract(step.fault)
            case Compact():
                if start_compact(self.project, COMMAND_LINE) is not None:
                    run_disturbed(self.system, step.fault)
        assert see(self.system, self.code) == before, f"{step} changed something"
        assert not Job.objects.filter(project=self.project, state=JobState.QUEUED).exists()

    def _keep_snapshot(self, step: Snapshot) -> None:
        code = f"S{len(self.snapshots)}"
        self._create(code, "snapshot")
        run_disturbed(self.system, step.fault)
        files, shown = self._extracted(code, None)
        current = replay(self.standing).current
        assert shown.keys() == current.keys()
        self.snapshots.append(Kept(code, files, shown, current))

    def extract(self, fault: Disturbance = None) -> None:
        """Extract with keys that last, and demand that no key ever named another person."""
        if not ExtractionProject.objects.filter(project=self.project, code="X").exists():
            self._create("X", "enduring")
        _files, shown = self._extracted("X", fault)
        now = see(self.system, self.code)
        assert shown.keys() == now.record_ids.keys()
        for key, person_key in shown.items():
            life = self.lives[now.groups[now.record_ids[key]]]
            assert self.person_of.setdefault(person_key, life) is life, "a Person Key names another person"
            life.key = life.key or person_key
            assert life.key == person_key, "a group has another Person Key than before"

    def _create(self, code: str, kind: str) -> None:
        new = NewExtractionProject(code, kind, EVENT_TYPES, form())
        create_extraction_project(self.project, new, COMMAND_LINE)

    def _extracted(self, code: str, fault: Disturbance) -> tuple[dict[str, bytes], Shown]:
        extraction_project = ExtractionProject.objects.select_related("project").get(
            project=self.project, code=code
        )
        job = start_extraction(extraction_project, COMMAND_LINE)
        run_disturbed(self.system, fault)
        job.refresh_from_db()
        assert job.state == JobState.SUCCESS, job.error_with_values
        files = {event_type: package(self.system, job, event_type) for event_type in EVENT_TYPES}
        shown = {
            (event_type, identifier): person_key
            for event_type in EVENT_TYPES
            for person_key, identifier in rows(self.system, job, event_type=event_type)[1:]
        }
        return files, shown

    def _follow_groups(self) -> None:
        """Tell groups that go on from others that were given the same id."""
        now, remains = see(self.system, self.code), replay(self.standing)
        members: dict[int, set[tuple[str, int, Key]]] = {}
        for key, version in remains.current.items():
            # a group goes on with a record of it, or with another version of one
            same = {("version", version.sent, key), ("record", remains.first[version].sent, key)}
            members.setdefault(now.groups[now.record_ids[key]], set()).update(same)
        for group_id, found in members.items():
            life = self.lives.get(group_id)
            if life is not None and life.members & found:
                life.members |= found
            else:
                self.lives[group_id] = Life(found)


def make_project(system: System, code: str, method: str) -> None:
    """Make a project like P1, with two Event Types and without records."""
    content = yaml.safe_load(PROJECT_YAML)
    (admissions, *_others), (project,) = content["event_types"], content["projects"]
    content["event_types"] = [{**admissions, "code": event_type} for event_type in EVENT_TYPES]
    content["projects"] = [
        {**project, "code": code, "event_types": list(EVENT_TYPES), "grouping": {"method": method}}
    ]
    system.apply(yaml.safe_dump(content, sort_keys=False))


def people_files(people: Mapping[Key, Person]) -> dict[str, bytes]:
    """Return the data files of records, by Event Type."""
    files: dict[str, list[str]] = {}
    for (event_type, identifier), person in sorted(people.items()):
        files.setdefault(event_type, [",".join(COLUMNS)]).append(",".join((identifier, *person, "2000")))
    return {event_type: "".join(f"{line}\n" for line in lines).encode() for event_type, lines in files.items()}


def deletion_files(keys: Iterable[Key]) -> dict[str, bytes]:
    """Return the data files of a deletion, by Event Type."""
    files: dict[str, str] = {}
    for event_type, identifier in sorted(keys):
        files[event_type] = files.get(event_type, "") + f"{identifier}\n"
    return {event_type: text.encode() for event_type, text in files.items()}
