"""A project's batches for tests of grouping, written by hand: Envelopes come, records end, decisions are made."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from linkwright.engine.grouping import GroupingConfiguration
from linkwright.engine.progress import silent
from linkwright.warehouse.group import GroupRequest, group_records
from linkwright.warehouse.group_history import HistoryBatch
from linkwright.warehouse.group_result import GroupResult
from linkwright.warehouse.limits import EngineLimits
from linkwright.warehouse.linkage_map import read_map
from linkwright.warehouse.regroup import RegroupRequest, records_touched_by, regroup_records
from tests.record_batches import read_rows, write_decisions, write_ends, write_pairs, write_records

MATCH_THRESHOLD = 5.0

Pair = tuple[int, int, float]
NewRecord = int | Mapping[str, Any]


class GroupedProject:
    """Takes Envelopes and keeps their files, as the catalog does.

    A record is its id, or a row with a record_id; without an Event Type it is of E. A pair is a match from
    `MATCH_THRESHOLD` on.
    """

    def __init__(self, folder: Path, *, authoritative: Sequence[str] = (), **grouping: Any) -> None:
        self.folder = folder
        self.limits = EngineLimits(folder / "scratch", memory_mib=512, threads=1)
        self.authoritative = tuple(authoritative)
        self.configuration = GroupingConfiguration(**grouping)
        self.records: list[Path] = []
        self.pairs: list[Path] = []
        self.assignments: list[Path] = []
        self.ended: list[Path] = []
        self.decisions: list[Path] = []
        self.history: list[HistoryBatch] = []
        self.next_group_id = 1
        self._files_count = 0

    def path(self) -> Path:
        """Return where the next file goes."""
        self._files_count += 1
        return self.folder / f"{self._files_count}.parquet"

    def group(self, new: Iterable[NewRecord], pairs: Sequence[Pair] = ()) -> GroupResult:
        """Take an Envelope of new records and the pairs that were found for them."""
        request = self.request(new, pairs)
        result = group_records(request, silent)
        self.records.extend(request.new_records)
        self.pairs.extend(request.new_pairs)
        self._take(result)
        return result

    def request(self, new: Iterable[NewRecord], pairs: Sequence[Pair] = ()) -> GroupRequest:
        """Return what to group for an Envelope."""
        rows = [{"record_id": one} if isinstance(one, int) else one for one in new]
        weighed = [(one, other, weight, weight >= MATCH_THRESHOLD) for one, other, weight in pairs]
        return GroupRequest(
            new_records=(write_records(self.path(), rows),),
            held_records=tuple(self.records),
            new_pairs=(write_pairs(self.path(), weighed),),
            held_pairs=tuple(self.pairs),
            assignments=tuple(self.assignments),
            ended=tuple(self.ended),
            decisions=tuple(self.decisions),
            configuration=self.configuration,
            authoritative_event_types=self.authoritative,
            next_group_id=self.next_group_id,
            target=self.path(),
            limits=self.limits,
        )

    def end(self, *record_ids: int) -> None:
        """Delete records; their groups stay as they are until a regroup."""
        self.ended.append(write_ends(self.path(), record_ids))
        self.history.append(HistoryBatch(len(self.history), None, (self.ended[-1],)))

    def decide(self, *, together: Sequence[tuple[int, int]] = (), apart: Sequence[tuple[int, int]] = ()) -> None:
        """Take a Quality Review; it counts from the next run on."""
        rows = [(*pair, "together") for pair in together] + [(*pair, "apart") for pair in apart]
        self.decisions.append(write_decisions(self.path(), rows))

    def regroup(self, groups: Sequence[int] = (), records: Sequence[int] = ()) -> GroupResult:
        """Work groups, or the groups of records, out anew."""
        request = RegroupRequest(
            touched_group_ids=np.array(groups, dtype=np.int64),
            touched_record_ids=np.array(records, dtype=np.int64),
            records=tuple(self.records),
            pairs=tuple(self.pairs),
            assignments=tuple(self.assignments),
            arrivals=tuple(self.assignments),
            ended=tuple(self.ended),
            decisions=tuple(self.decisions),
            configuration=self.configuration,
            authoritative_event_types=self.authoritative,
            next_group_id=self.next_group_id,
            target=self.path(),
            limits=self.limits,
        )
        result = regroup_records(request, silent)
        self._take(result)
        return result

    def roll_back(self, envelope: int) -> GroupResult:
        """Undo an Envelope out of order; only for projects in which each assignments file is an Envelope's."""
        dropped = self.assignments[envelope]
        touched = records_touched_by(self.limits, self.assignments, [dropped], self.ended)
        gone = [row["record_id"] for row in read_rows(self.records[envelope])]
        for files in (self.records, self.pairs, self.assignments):
            del files[envelope]
        # later Envelopes may have moved the records that are gone
        self.ended.append(write_ends(self.path(), gone))
        return self.regroup(records=touched.tolist())

    @property
    def map(self) -> dict[int, int]:
        """The current map: record id → group id."""
        current = read_map(self.limits, self.assignments, self.ended)
        return dict(zip(current.record_ids.tolist(), current.group_ids.tolist(), strict=True))

    @property
    def partition(self) -> set[frozenset[int]]:
        """The groups as sets of records, without their ids."""
        return partition_of(self.map)

    @property
    def written(self) -> list[tuple[int, int]]:
        """The rows of the latest assignments file, in their order."""
        return [(row["record_id"], row["group_id"]) for row in read_rows(self.assignments[-1])]

    def _take(self, result: GroupResult) -> None:
        self.assignments.append(result.assignments.path)
        self.history.append(HistoryBatch(len(self.history), result.assignments.path))
        self.next_group_id = result.max_group_id + 1


def partition_of(groups: Mapping[int, int]) -> set[frozenset[int]]:
    """Return a map's groups as sets of records."""
    members: dict[int, set[int]] = {}
    for record_id, group_id in groups.items():
        members.setdefault(group_id, set()).add(record_id)
    return {frozenset(records) for records in members.values()}
