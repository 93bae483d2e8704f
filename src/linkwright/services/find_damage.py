"""Finds the damaged files of a project, when a job has failed in a way that does not say which one it was."""

from dataclasses import dataclass
from pathlib import Path

from linkwright.config import ServerConfig
from linkwright.jobs.context import project_folder
from linkwright.store.batch_catalog import naming_rows
from linkwright.store.models import LinkageProject
from linkwright.warehouse.readable import fault_of_parquet

PARQUET = ".parquet"


@dataclass(frozen=True)
class DamagedFile:
    """A file that counts and cannot be used; `reason` says why."""

    path: Path
    reason: str


def find_damage(config: ServerConfig, project: LinkageProject) -> list[DamagedFile]:
    """Read every Parquet file of a project that counts; returns those that are gone or damaged."""
    folder, found = project_folder(config, project), []
    for rows in naming_rows():
        for _project, name, bytes_count in rows.filter(project=project):
            path = folder / name
            if path.suffix != PARQUET:
                # a match index: whatever is wrong with it, it is made again
                continue
            reason = fault_of_parquet(path)
            if not reason and bytes_count not in {None, path.stat().st_size}:
                reason = f"it has {path.stat().st_size:,} bytes, and was written with {bytes_count:,}"
            if reason:
                found.append(DamagedFile(path, reason))
    return found
