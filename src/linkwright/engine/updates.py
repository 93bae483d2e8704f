"""Owns how versions of one record follow each other.

Must not know files, nor which records are live.

Source: SPEC section 1 (a Source Unique ID is unique within its Event Type in a project); docs/decisions/0018.
"""

import numpy as np

from linkwright.engine.id_arrays import Ids


class Replacements:
    """Which record took the place of which.

    Args:
        old: record ids, each once.
        new: the record that took the place of each.
    """

    def __init__(self, old: Ids, new: Ids) -> None:
        order = np.argsort(old, kind="stable")
        self.old, self.new = old[order], new[order]

    def latest_of(self, record_ids: Ids) -> Ids:
        """Return the last version of each record: itself, if nothing took its place."""
        return _followed(record_ids, self.old, self.new)

    def places_of(self, record_ids: Ids) -> Ids:
        """Return the first version of each record, whose place it has: itself, if it took nobody's place."""
        # once a version between them was rolled back, several old ones have the same new one: the oldest counts
        order = np.lexsort((self.old, self.new))
        news, firsts = np.unique(self.new[order], return_index=True)
        return _followed(record_ids, news, self.old[order][firsts])


def _followed(record_ids: Ids, sources: Ids, targets: Ids) -> Ids:
    """Follow each id from source to target until it is no source; sources ascending, without cycles."""
    found = record_ids.copy()
    if not sources.size:
        return found
    moving = np.arange(found.size)
    while moving.size:
        spots = np.minimum(np.searchsorted(sources, found[moving]), sources.size - 1)
        is_source = sources[spots] == found[moving]
        moving, spots = moving[is_source], spots[is_source]
        found[moving] = targets[spots]
    return found
