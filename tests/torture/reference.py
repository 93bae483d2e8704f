"""The same Envelopes without any kill: how long their jobs take, and what must come out of them."""

from collections import defaultdict
from pathlib import Path
from statistics import median
from typing import Any

import pyarrow.parquet as pq

from linkwright.jobs.context import project_folder
from linkwright.services.receive_envelope import receive_envelope
from linkwright.store.audit_log import COMMAND_LINE
from linkwright.store.models import Batch, BatchKind, BatchState, Envelope, EnvelopeState, Job, Notification
from tests.live_system import LiveSystem
from tests.small_envelopes import build_small_envelope

# what a job measures of itself differs from run to run
MEASURED = ("stages",)


class Reference:
    """An undisturbed system; grows as more Envelopes are asked for.

    Args:
        system: with tables and projects, without workers; entered for the length of each call.
        folder: for Envelopes.
    """

    def __init__(self, system: LiveSystem, folder: Path) -> None:
        self._system = system
        self._folder = folder
        self._submitted = 0

    def process(self, count: int) -> None:
        """Let the first `count` Envelopes be processed, as far as they are not."""
        with self._system.entered():
            while self._submitted < count:
                path = build_small_envelope(self._folder, self._submitted)
                receive_envelope(path, name="", actor=COMMAND_LINE)
                self._submitted += 1
            self._system.command("worker", "--until-idle")
            assert not Envelope.objects.exclude(state=EnvelopeState.SUCCESS).exists()

    def typical_s(self) -> dict[str, float]:
        """Return the median duration of each job kind, in seconds."""
        spent_s: dict[str, list[float]] = defaultdict(list)
        with self._system.entered():
            for job in Job.objects.all():
                if job.started_at and job.ended_at:
                    spent_s[job.kind].append((job.ended_at - job.started_at).total_seconds())
        return {kind: median(values_s) for kind, values_s in spent_s.items()}

    def content(self, count: int) -> list[dict[str, Any]]:
        """Return what the first `count` Envelopes became."""
        with self._system.entered():
            return content_of(self._system)[:count]


def content_of(system: LiveSystem) -> list[dict[str, Any]]:
    """Return what each Envelope of the entered system became, in their order: rows, numbers, Notifications."""
    return [_content_of_envelope(system, envelope) for envelope in Envelope.objects.order_by("pk")]


def _content_of_envelope(system: LiveSystem, envelope: Envelope) -> dict[str, Any]:
    assert envelope.project is not None
    folder = project_folder(system.config, envelope.project)
    live = Batch.objects.filter(envelope=envelope, state=BatchState.LIVE)
    # a match index goes when its file is compacted, which depends on when Envelopes come
    batches = live.exclude(kind=BatchKind.INDEX).order_by("id")
    statistics = Job.objects.filter(envelope=envelope).order_by("chain_position").values_list("kind", "statistics")
    notifications = Notification.objects.filter(envelope=envelope).values_list("severity", "text")
    return {
        "name": envelope.name,
        "project": envelope.project.code,
        "records_count": envelope.records_count,
        "batches": [(batch.kind, batch.rows_count, batch.first_id, batch.last_id) for batch in batches],
        "rows": [_rows(folder / batch.file_name) for batch in batches if batch.file_name.endswith(".parquet")],
        "statistics": [
            (kind, {k: v for k, v in of_job.items() if k not in MEASURED}) for kind, of_job in statistics
        ],
        "notifications": sorted(notifications),
    }


def _rows(path: Path) -> list[str]:
    """Return a file's rows as text, sorted: the order in a file means nothing."""
    return sorted(repr(row) for row in pq.read_table(path).to_pylist())
