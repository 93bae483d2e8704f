"""Commands about linking itself: what a file would cost."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from linkwright.cli.tables import data_console, shown
from linkwright.config import load_config
from linkwright.engine.identifying import revealed
from linkwright.services.estimate_pairs import PairsEstimate
from linkwright.services.estimate_pairs import estimate_pairs as count_pairs
from linkwright.services.prepare_database import prepare_database

_MIB = 1024 * 1024


def estimate_pairs(
    file: Annotated[Path, typer.Argument(help="A data file: plain, gzip or .parquet.")],
    project: Annotated[str, typer.Option(help="Linkage Project code.")],
    event_type: Annotated[str, typer.Option(help="Event Type of the file's rows.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Count the candidate pairs that a file would make, and its worst blocks; nothing is loaded."""
    config = load_config()
    prepare_database(config)
    estimate = count_pairs(config, file, project, event_type)
    if as_json:
        typer.echo(json.dumps(_as_json(estimate), indent=2, ensure_ascii=False))
    else:
        _print(estimate, data_console())


def _as_json(estimate: PairsEstimate) -> dict[str, object]:
    preflight = estimate.preflight
    return {
        "records": estimate.records_count,
        "held_records": estimate.held_records_count,
        "candidate_pairs": preflight.candidate_pairs_count,
        "rules": [
            {"strategy": strategy, "rule": rule, "candidate_pairs": count}
            for strategy, rule, count in estimate.rules
        ],
        "largest_blocks": [asdict(block) for block in preflight.largest_blocks],
        "expected_seconds": round(preflight.estimated_s, 3),
        "expected_memory_mib": round(preflight.estimated_bytes / _MIB),
        "warnings": [revealed(warning) for warning in preflight.warnings],
    }


def _print(estimate: PairsEstimate, console: Console) -> None:
    preflight = estimate.preflight
    typer.echo(
        f"{estimate.records_count:,} records against {estimate.held_records_count:,}: "
        f"{preflight.candidate_pairs_count:,} candidate pairs, about {preflight.estimated_s:,.1f} s and "
        f"{preflight.estimated_bytes / _MIB:,.0f} MiB"
    )
    rules = Table("strategy", "blocking rule", "candidate pairs", box=None)
    for strategy, rule, count in estimate.rules:
        rules.add_row(strategy, rule, f"{count:,}")
    console.print(rules)
    if preflight.largest_blocks:
        blocks = Table("largest blocks", "values", "records", "pairs", "", box=None)
        for block in preflight.largest_blocks:
            over = "over the limit" if block.is_oversized else ""
            blocks.add_row(
                block.rule, shown(block.values), f"{block.records_count:,}", f"{block.pairs_count:,}", over
            )
        console.print(blocks)
    for warning in preflight.warnings:
        typer.echo(f"Warning: {shown(revealed(warning))}")
