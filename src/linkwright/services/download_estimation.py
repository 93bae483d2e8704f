"""The result of an estimation as an Envelope: the proposed configuration, the tables and the plots.

It holds no data file: its tables are of no Event Type, and go along as metadata. Nothing in it is of a person.
"""

import csv
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import yaml

from linkwright.config import load_config
from linkwright.engine.charts import standalone_svg
from linkwright.envelopes.builder import MetadataSource, build_package
from linkwright.envelopes.manifest import RequestType
from linkwright.jobs.estimation_tables import parameter_rows, rows_of, strategy_rows
from linkwright.store.audit_log import Actor, record_action
from linkwright.store.models import Estimation

SENDER = "LINKWRIGHT"

Row = Mapping[str, Any]


@dataclass(frozen=True)
class PackedEstimation:
    """An Envelope in memory (some 100 KiB), and the name to save it under."""

    name: str
    content: bytes


def pack_estimation(estimation: Estimation, actor: Actor) -> PackedEstimation:
    """Build the Envelope; who takes it stands in the audit log.

    Raises:
        BuildError: if the scratch folder cannot be written.
    """
    config = load_config()
    config.scratch_folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    code = estimation.project.code
    name = f"{code}-estimation-{estimation.pk}.zip"
    with TemporaryDirectory(prefix="estimate-", dir=config.scratch_folder) as folder:
        target = Path(folder) / "result.zip"
        build_package(
            target,
            linkage_project=code,
            sender=SENDER,
            request_type=RequestType.ESTIMATE_PROBABILITIES,
            data=(),
            metadata=_write_files(estimation, Path(folder)),
        )
        content = target.read_bytes()
    record_action(actor, "download estimation", str(estimation), project_code=code)
    return PackedEstimation(name, content)


def _write_files(estimation: Estimation, folder: Path) -> list[MetadataSource]:
    definition = estimation.definition
    texts = {
        "match.yaml": (
            yaml.safe_dump({"match": definition}, sort_keys=False, allow_unicode=True),
            "the proposed match configuration, to put under a project in the project file",
        ),
        "match.json": (
            json.dumps(definition, indent=2, ensure_ascii=False),
            "the proposed match configuration as JSON",
        ),
        "notes.txt": ("".join(f"{note}\n" for note in estimation.results["notes"]), "what rests on little"),
    }
    sources = [_write(folder / name, text, description) for name, (text, description) in texts.items()]
    for name, (rows, description) in _tables(estimation.results).items():
        path = folder / f"{name}.csv"
        _write_csv(path, rows)
        sources.append(MetadataSource(path, description))
    for plot in estimation.plots:
        path = folder / f"{plot['name']}.svg"
        sources.append(_write(path, standalone_svg(plot["svg"]), plot["title"]))
    return sources


def _tables(results: Row) -> dict[str, tuple[list[dict[str, Any]], str]]:
    prior = [{"current_prior": results["current_prior"], "estimated_prior": results["estimated_prior"]}]
    return {
        "prior": (prior, "the probability that two random records belong to one person"),
        "strategies": (strategy_rows(results), "thresholds, current and proposed"),
        "parameters": (parameter_rows(results), "m, u and match weight per comparison level"),
        "rules": (rows_of(results, "rules"), "what each blocking rule finds"),
        "thresholds": (rows_of(results, "thresholds"), "what each match threshold is expected to do"),
        "unlinkables": (rows_of(results, "unlinkables"), "the share of records that cannot reach a match weight"),
    }


def _write(path: Path, text: str, description: str) -> MetadataSource:
    path.write_text(text, encoding="utf-8")
    return MetadataSource(path, description)


def _write_csv(path: Path, rows: Sequence[Row]) -> None:
    columns = list(dict.fromkeys(key for row in rows for key in row))
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
