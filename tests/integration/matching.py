"""Finds and scores pairs of batches, each against all earlier ones, without grouping them."""

from collections.abc import Sequence
from pathlib import Path

from linkwright.engine.progress import silent
from linkwright.engine.strategy import MatchConfiguration
from linkwright.warehouse.limits import EngineLimits
from linkwright.warehouse.match import MatchRequest, match_records
from linkwright.warehouse.preflight import MatchLimits
from linkwright.warehouse.record_sources import RecordSources
from tests.integration.linking import NO_LIMIT, read_pairs
from tests.integration.splink_conversion import ScoredPair


def match_batches(
    batches: Sequence[Path],
    configuration: MatchConfiguration,
    folder: Path,
    *,
    chunk_pairs_count: int = NO_LIMIT,
    term_frequencies: Path | None = None,
) -> dict[tuple[int, int], ScoredPair]:
    """Run Match for each batch in turn."""
    folder.mkdir(exist_ok=True)
    pairs: dict[tuple[int, int], ScoredPair] = {}
    indexes: dict[Path, Path] = {}
    for number, batch in enumerate(batches):
        request = MatchRequest(
            sources=RecordSources((batch,), tuple(batches[:number]), (), folder, f"batch{number}", indexes),
            configuration=configuration,
            target=folder / f"pairs{number}.parquet",
            parts_folder=folder / f"parts{number}",
            limits=EngineLimits(folder / "scratch", memory_mib=1024, threads=2),
            match_limits=MatchLimits(NO_LIMIT),
            term_frequencies=term_frequencies,
            chunk_pairs_count=chunk_pairs_count,
        )
        matched = match_records(request, silent)
        indexes |= {records: index.path for records, index in matched.made_indexes.items()}
        added = read_pairs(matched.pairs.path, configuration)
        assert not added.keys() & pairs.keys()
        pairs |= added
    return pairs
