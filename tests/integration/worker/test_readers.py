"""Readers beside a working queue: an Envelope is in the map with all of its records, or not at all."""

import threading
from pathlib import Path

import pyarrow.parquet as pq
from django.db import connection

from linkwright.jobs.context import project_folder
from linkwright.store.models import Batch, BatchKind, BatchState, Envelope, EnvelopeState, LinkageProject
from linkwright.warehouse.limits import EngineLimits
from linkwright.warehouse.linkage_map import read_map
from tests.integration.worker.conftest import Submit, wait_for_state
from tests.live_system import LiveSystem
from tests.small_envelopes import PROJECT_CODES

ENVELOPES = 6


class Reader:
    """Reads the live map of one project again and again, as a page would, and notes what it saw."""

    def __init__(self, live: LiveSystem, project: LinkageProject) -> None:
        self._folder = project_folder(live.config, project)
        self._limits = EngineLimits(scratch_folder=live.home / "reader")
        self._project = project
        self._stop = threading.Event()
        self.faults: list[str] = []
        self.sizes: list[int] = []
        self.thread = threading.Thread(target=self._read_on, name="reader")

    def stop(self) -> None:
        self._stop.set()
        self.thread.join()

    def _read_on(self) -> None:
        try:
            while not self._stop.is_set():
                self._read_once()
        except Exception as error:  # noqa: BLE001 - it is told by the test's own thread
            self.faults.append(repr(error))
        finally:
            connection.close()

    def _read_once(self) -> None:
        # one query, so one moment
        batches = list(Batch.objects.filter(project=self._project, state=BatchState.LIVE))
        files: dict[str, list[Path]] = {kind: [] for kind in BatchKind.values}
        envelopes: dict[str, set[int | None]] = {kind: set() for kind in BatchKind.values}
        for batch in batches:
            files[batch.kind].append(self._folder / batch.file_name)
            envelopes[batch.kind].add(batch.envelope_id)
        loaded = [
            record_id
            for path in files[BatchKind.RECORDS]
            for record_id in pq.read_table(path, columns=["record_id"])["record_id"].to_pylist()
        ]
        grouped = read_map(self._limits, files[BatchKind.ASSIGNMENTS]).record_ids.tolist()
        if sorted(loaded) != grouped:
            self.faults.append(f"{len(loaded)} records, but {len(grouped)} of them in groups")
        of_kinds = [envelopes[kind] for kind in (BatchKind.RECORDS, BatchKind.PAIRS, BatchKind.ASSIGNMENTS)]
        if any(of_kind != of_kinds[0] for of_kind in of_kinds):
            self.faults.append(f"records, pairs and assignments of different Envelopes: {of_kinds}")
        self.sizes.append(len(loaded))


def test_a_reader_never_sees_a_part_of_an_envelope(live: LiveSystem, submit: Submit) -> None:
    envelopes = [submit() for _ in range(ENVELOPES)]
    project = LinkageProject.objects.get(code="TA")
    reader = Reader(live, project)
    reader.thread.start()
    worker = live.start_worker()
    try:
        for number, envelope in enumerate(envelopes):
            # some Envelopes are grouped at the first attempt, some after their job was killed
            if number in {1, 3}:
                job = worker.job()
                if job is not None:
                    job.kill()
            wait_for_state(envelope, EnvelopeState.SUCCESS)
    finally:
        reader.stop()
    assert reader.faults == []
    own = Envelope.objects.filter(project=project).order_by("pk").values_list("records_count", flat=True)
    counts = [count for count in own if count is not None]
    assert len(counts) == ENVELOPES // len(PROJECT_CODES)
    allowed = {sum(counts[:number]) for number in range(len(counts) + 1)}
    assert set(reader.sizes) <= allowed
    # what once was seen does not go again, and in the end all is there
    assert reader.sizes == sorted(reader.sizes)
    assert reader.sizes[-1] == sum(counts)
