"""Owns which groups of a whole linkage map a person should look at, whoever touched them last.

Group looks at the groups that it touches; a report tells of all. Reads; writes nothing.

Source: SPEC section 5 (Report: flagged groups).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb
import numpy as np

from linkwright.engine.reviews import settle
from linkwright.warehouse.group_input import decided_between, read_decisions
from linkwright.warehouse.group_outcome import FlagSources, flag_groups
from linkwright.warehouse.group_result import FlaggedGroups
from linkwright.warehouse.linkage_map import read_group_array


@dataclass(frozen=True)
class WholeMap:
    """A linkage map, and by what its groups are flagged.

    Args:
        assignments: assignments files, the oldest batch first.
        ended: ends files.
        decisions: decisions files, the oldest batch first.
        sources: where the reasons are read: records and pairs files of all live data, and the project's rules.
    """

    assignments: Sequence[Path]
    ended: Sequence[Path]
    decisions: Sequence[Path]
    sources: FlagSources


def flag_whole_map(con: duckdb.DuckDBPyConnection, wanted: WholeMap) -> FlaggedGroups:
    """Look at every group of the map; all that are flagged are counted, the first are named."""
    current = read_group_array(con, wanted.assignments, wanted.ended)
    settled = settle(read_decisions(con, wanted.decisions, wanted.ended))
    together, _apart = decided_between(settled, lambda record_ids: current.of(record_ids) > 0)
    everything = np.ones(current.sizes().size, dtype=np.bool_)
    return flag_groups(con, current, everything, together, wanted.sources)
