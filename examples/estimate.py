# ruff: noqa: INP001  (a script, not part of a package)
"""Estimates the match configuration in a project file from its data files, without looking at any truth.

    python examples/estimate.py examples/febrl3/project.yaml FEBRL-3=dataset3.csv

loads the data files as Load does, estimates m, u and the prior with the rules and comparisons that the file
declares (what Estimate does), and prints what goes under `match:`. An Event Type is followed by its data file.

The review threshold is the one that Estimate proposes for matching: of the highest expected F1 of single pairs.
The match threshold is higher, because groups are merged: see `linkwright.engine.thresholds.merging_threshold`.
"""

import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import yaml

from linkwright.engine.fields import LinkageField, parse_fields
from linkwright.engine.import_format import SourceKind, parse_import_format
from linkwright.engine.progress import silent
from linkwright.engine.standardisation import StandardisationMaps
from linkwright.engine.strategy import parse_match_configuration
from linkwright.engine.thresholds import merging_threshold
from linkwright.warehouse.estimate import EstimateRequest, EstimateResult, estimate_parameters
from linkwright.warehouse.limits import EngineLimits
from linkwright.warehouse.load import LoadRequest, load_data_file

MAX_BLOCK_SIZE = 5_000


def main() -> None:
    """Read the project file and the data files that the arguments name, and print the proposed configuration."""
    project_file, *sources = sys.argv[1:]
    declared = yaml.safe_load(Path(project_file).read_text(encoding="utf-8"))
    (project,) = declared["projects"]
    fields = parse_fields(project.get("fields", {}))
    with TemporaryDirectory() as folder:
        limits = EngineLimits(Path(folder) / "scratch")
        records = load(declared, fields, dict(source.split("=", 1) for source in sources), Path(folder), limits)
        result = estimate_parameters(
            EstimateRequest(
                new_records=records,
                held_records=(),
                ended=(),
                configuration=parse_match_configuration(project["match"], fields),
                limits=limits,
                max_block_size=MAX_BLOCK_SIZE,
            ),
            silent,
        )
    sys.stdout.write(match_yaml(with_thresholds(result)))


def load(
    declared: dict[str, Any],
    fields: tuple[LinkageField, ...],
    sources: dict[str, str],
    folder: Path,
    limits: EngineLimits,
) -> tuple[Path, ...]:
    """Load each Event Type's data file; returns the records files."""
    formats = {part["code"]: part for part in declared["import_formats"]}
    format_of = {part["code"]: part["import_format"] for part in declared["event_types"]}
    records: list[Path] = []
    first_record_id = 1
    for code, source in sources.items():
        told = {
            key: value for key, value in formats[format_of[code]].items() if key not in {"code", "description"}
        }
        import_format = parse_import_format(told, fields)
        loaded = load_data_file(
            LoadRequest(
                source=Path(source),
                source_name=Path(source).name,
                parquet=import_format.kind is SourceKind.PARQUET,
                import_format=import_format,
                fields=fields,
                event_type_code=code,
                first_record_id=first_record_id,
                held_records=tuple(records),
                keep_aux=False,
                target_folder=folder,
                stem=code,
                max_rejected_rows=0,
                maps=StandardisationMaps(),
                limits=limits,
            ),
            silent,
        )
        records.append(loaded.records.path)
        first_record_id = loaded.last_record_id + 1
    return tuple(records)


def with_thresholds(result: EstimateResult) -> dict[str, Any]:
    """Return the proposed configuration with thresholds for merging, as the module describes."""
    proposed = result.proposed
    found = {strategy.strategy: strategy for strategy in result.strategies}
    for strategy in proposed["strategies"]:
        estimated = found[strategy["name"]]
        merging = merging_threshold(estimated.matches_count, result.records_count)
        strategy["match_threshold"] = max(merging, estimated.proposed_match_threshold)
        strategy["review_threshold"] = estimated.proposed_match_threshold
    return proposed


def match_yaml(proposed: dict[str, Any]) -> str:
    """Write the configuration as a project file has it: one line per rule and per level."""
    lines = [f"match:\n  prior: {proposed['prior']}\n  strategies:"]
    for strategy in proposed["strategies"]:
        lines += [
            f"    - name: {strategy['name']}",
            f"      match_threshold: {strategy['match_threshold']:g}",
            f"      review_threshold: {strategy['review_threshold']:g}",
            "      blocking_rules:",
            *(f"        - {rule_text(rule)}" for rule in strategy["blocking_rules"]),
            "      comparisons:",
        ]
        for comparison in strategy["comparisons"]:
            lines += [f"        - field: {comparison['field']}", f"          method: {comparison['method']}"]
            if "term_frequency" in comparison:
                lines.append("          term_frequency: {weight: 1}")
            lines.append("          levels:")
            lines += [f"            - {flow(bare(level))}" for level in comparison["levels"]]
    return "\n".join(lines) + "\n"


def rule_text(rule: list[dict[str, Any]]) -> str:
    """Write a rule: a plain field by its name alone, a transformed one as a mapping."""
    return f"[{', '.join(flow(part) if len(part) > 1 else part['field'] for part in rule)}]"


def bare(level: dict[str, Any]) -> dict[str, Any]:
    """Leave out what is as it would be anyway."""
    return {key: value for key, value in level.items() if value is not False}


def flow(part: dict[str, Any]) -> str:
    """Write a mapping on one line; numbers without an exponent."""
    shown = (
        f"{value:.12f}".rstrip("0").rstrip(".") if isinstance(value, float) else value for value in part.values()
    )
    return "{" + ", ".join(f"{key}: {value}" for key, value in zip(part, shown, strict=True)) + "}"


if __name__ == "__main__":
    main()
