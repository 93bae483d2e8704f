"""All that can be seen of a project, to compare projects that were treated differently."""

from typing import Any

import pyarrow.parquet as pq

from linkwright.jobs.context import project_folder
from linkwright.services.explain_group import HistoryEntry, UnknownGroupError, explain_group
from linkwright.store.audit_log import COMMAND_LINE
from linkwright.store.batch_catalog import live_batches
from linkwright.store.models import BatchKind, Envelope, EnvelopeState, LinkageProject
from tests.integration.pipeline.conftest import System


def files_count(code: str = "P1") -> dict[str, int]:
    """Return how many files are read for the current state, by kind."""
    kinds = (BatchKind.RECORDS, BatchKind.PAIRS, BatchKind.ASSIGNMENTS, BatchKind.ENDS, BatchKind.DECISIONS)
    return {kind.value: live_batches(_project(code), kind).count() for kind in kinds}


def visible(system: System, code: str) -> dict[str, Any]:
    """Return all that can be seen of a project: records, pairs, map, and the history of every group."""
    folder = project_folder(system.config, _project(code))

    def rows(kind: BatchKind) -> list[dict[str, Any]]:
        return [
            row
            for batch in live_batches(_project(code), kind)
            for row in pq.read_table(folder / batch.file_name).to_pylist()
        ]

    groups = system.group_ids(code)
    highest = max(groups.values(), default=0)
    return {
        "records": rows(BatchKind.RECORDS),
        "pairs": sorted(rows(BatchKind.PAIRS), key=lambda row: (row["record_id_l"], row["record_id_r"])),
        "ended": sorted({row["record_id"] for row in rows(BatchKind.ENDS)}),
        "groups": groups,
        "histories": [history(system, code, group_id) for group_id in range(1, highest + 1)],
        "report": reported(code),
    }


def history(system: System, code: str, group_id: int) -> list[tuple[Any, ...]]:
    """Return what happened to a group, as far as it is the same in another project."""
    try:
        told = explain_group(system.config, COMMAND_LINE, code, group_id).history
    except UnknownGroupError:
        # all that it ever held was rolled back
        return []
    return [
        (entry.event.kind.value, [str(key) for key in entry.records], entry.event.other_group_id, named(entry))
        for entry in told
    ]


def named(entry: HistoryEntry) -> str:
    """Return what a change came with."""
    # a Rollback belongs to no Envelope, and has another number in each project
    return entry.envelope.name.split("-")[0] if entry.envelope else str(entry.job.kind)


def reported(code: str) -> dict[str, Any]:
    """Return the numbers of the latest report."""
    last = Envelope.objects.filter(project__code=code, state=EnvelopeState.SUCCESS).order_by("pk").last()
    return {} if last is None else dict(last.report.statistics["project"])


def _project(code: str) -> LinkageProject:
    return LinkageProject.objects.get(code=code)
