"""Owns what is worked out to undo an Envelope on which later data was built: ends of its records, groups anew.

Must not know the catalog. An Envelope on which nothing was built is undone by dropping its files: nothing is
worked out for it.

Source: SPEC section 3 (Rollback); ARCHITECTURE section 6; docs/decisions/0011 and 0012.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from linkwright.engine.fields import RECORD_ID
from linkwright.engine.id_arrays import NO_IDS
from linkwright.engine.progress import Progress, ReportProgress
from linkwright.engine.sql import identifier, string_list
from linkwright.warehouse.connection import open_engine, write_parquet
from linkwright.warehouse.group_result import GroupResult
from linkwright.warehouse.limits import WrittenFile
from linkwright.warehouse.record_views import read_record_ids
from linkwright.warehouse.regroup import RegroupRequest, records_touched_by, regroup_records


@dataclass(frozen=True)
class UndoRequest:
    """What to undo.

    Args:
        remaining: how to work the groups out, with the files that stay alone; its `ended` without the new ends,
            its touched ids are filled in here.
        assignments: all assignments files of the live map, with those to be dropped, the oldest batch first.
        dropped_records: records files of the Envelope.
        dropped_assignments: its assignments files.
        released: its ends and decisions files: the records that they name are touched, too.
        ends_target: the ends file to write.
    """

    remaining: RegroupRequest
    assignments: tuple[Path, ...]
    dropped_records: tuple[Path, ...]
    dropped_assignments: tuple[Path, ...]
    released: tuple[Path, ...]
    ends_target: Path


@dataclass(frozen=True)
class UndoResult:
    """What undoing wrote.

    Args:
        ends: a file of the ids of all records of the Envelope: later batches may still name them.
        last_record_id: the highest of these ids; 0 if there are none.
        groups: the touched groups, worked out anew.
    """

    ends: WrittenFile
    last_record_id: int
    groups: GroupResult


def undo_records(request: UndoRequest, report: ReportProgress) -> UndoResult:
    """End the records of an Envelope, and work out anew the groups that they were part of.

    Raises:
        StorageError: if a file cannot be read or written.
    """
    remaining = request.remaining
    report(Progress("touched"))
    touched = records_touched_by(
        remaining.limits, request.assignments, request.dropped_assignments, remaining.ended
    )
    touched = np.union1d(touched, read_record_ids(remaining.limits, request.released))
    with open_engine(remaining.limits) as con:
        ends = write_parquet(con, _ids_sql(request.dropped_records), request.ends_target)
        last = con.execute(f"SELECT coalesce(max(record_id), 0) FROM ({_ids_sql([ends.path])})").fetchall()[0][0]
    groups = regroup_records(
        replace(
            remaining,
            touched_group_ids=NO_IDS,
            touched_record_ids=touched,
            ended=(*remaining.ended, ends.path),
        ),
        report,
    )
    return UndoResult(ends=ends, last_record_id=int(last), groups=groups)


def _ids_sql(files: Sequence[Path]) -> str:
    if not files:
        return "SELECT CAST(NULL AS BIGINT) AS record_id WHERE FALSE"
    return f"SELECT {identifier(RECORD_ID)} FROM read_parquet({string_list(list(files))}) ORDER BY record_id"
