"""Measures a project's linkage map against a truth that is known from outside."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from linkwright.config import ServerConfig
from linkwright.engine.quality import PairwiseQuality, pairwise_quality
from linkwright.jobs.context import project_folder
from linkwright.store.batch_catalog import live_batches
from linkwright.store.models import BatchKind, LinkageProject
from linkwright.warehouse.identified_map import read_identified_map
from linkwright.warehouse.limits import EngineLimits


@dataclass(frozen=True)
class MapMeasure:
    """The live map of a project: its size and its pairwise quality."""

    records_count: int
    groups_count: int
    quality: PairwiseQuality


def measure_map(config: ServerConfig, project: LinkageProject, true_person: Callable[[str], str]) -> MapMeasure:
    """Compare the live map with the truth.

    Args:
        config: of this server.
        project: whose map is measured.
        true_person: the person that a Source Unique ID belongs to.
    """
    folder = project_folder(config, project)
    records = [folder / batch.file_name for batch in live_batches(project, BatchKind.RECORDS)]
    assignments = [folder / batch.file_name for batch in live_batches(project, BatchKind.ASSIGNMENTS)]
    ended = [folder / batch.file_name for batch in live_batches(project, BatchKind.ENDS)]
    limits = EngineLimits(scratch_folder=config.scratch_folder / "measure")
    rows = read_identified_map(limits, records, assignments, ended)
    groups = {row.group_id for row in rows}
    return MapMeasure(
        records_count=len(rows),
        groups_count=len(groups),
        quality=pairwise_quality(
            np.array([row.group_id for row in rows], dtype=np.int64),
            np.array([true_person(row.source_unique_id) for row in rows], dtype=np.str_),
        ),
    )
