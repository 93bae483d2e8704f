"""Owns how records files come into a matching run: through their match indexes, which are made where they lack.

Must not search or compare.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import duckdb

from linkwright.engine.scoring import strategy_columns
from linkwright.engine.strategy import MatchConfiguration
from linkwright.warehouse.limits import WrittenFile
from linkwright.warehouse.match_index import IndexContent, MatchIndex, UnusableIndexError, write_index
from linkwright.warehouse.record_set import RecordSet


@dataclass(frozen=True)
class RecordSources:
    """Where the records of a run are.

    Args:
        new: records files of the new data.
        held: records files of the live data, none of it new.
        ended: ends files; their records, new or held, take no part.
        indexes: match indexes by records file, as far as there are any.
        index_folder: where indexes are made for the others.
        index_stem: their names begin with it.
    """

    new: tuple[Path, ...]
    held: tuple[Path, ...]
    ended: tuple[Path, ...]
    index_folder: Path
    index_stem: str
    indexes: Mapping[Path, Path] = field(default_factory=dict)


def index_content(configuration: MatchConfiguration) -> IndexContent:
    """Return what match indexes must hold to serve a configuration."""
    strategies = configuration.strategies
    return IndexContent(
        rules=tuple(rule for strategy in strategies for rule in strategy.blocking_rules),
        columns=tuple(dict.fromkeys(name for strategy in strategies for name in strategy_columns(strategy))),
    )


def open_records(
    con: duckdb.DuckDBPyConnection, sources: RecordSources, configuration: MatchConfiguration
) -> tuple[RecordSet, dict[Path, WrittenFile]]:
    """Open the indexes of all records files, and make those that are absent or cannot serve.

    Returns:
        The records, and the indexes made, by records file.

    Raises:
        StorageError: if a file cannot be read or written.
    """
    content = index_content(configuration)
    made: dict[Path, WrittenFile] = {}

    def opened(records: Path) -> MatchIndex:
        known = sources.indexes.get(records)
        if known is not None:
            try:
                return MatchIndex(known, content)
            except UnusableIndexError:
                # of an earlier configuration or engine, or damaged: the records file has all that it held
                pass
        target = sources.index_folder / f"{sources.index_stem}-{len(made)}.index"
        made[records] = write_index(con, records, content, target)
        return MatchIndex(target, content)

    new = [opened(path) for path in sources.new]
    held = [opened(path) for path in sources.held]
    return RecordSet(new, held, sources.ended), made
