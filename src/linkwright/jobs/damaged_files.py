"""Finds compacted files that are gone or damaged. Apart from the job: whoever asks needs none of its tools."""

from linkwright.config import ServerConfig
from linkwright.jobs.context import project_folder
from linkwright.store.compacted_batches import compacted_batches
from linkwright.store.models import LinkageProject


def damaged_files(config: ServerConfig, project: LinkageProject) -> list[int]:
    """Return the ids of compacted files that are gone or of another size: they can be made again."""
    folder = project_folder(config, project)
    return [
        batch.pk
        for batch in compacted_batches(project)
        if not (path := folder / batch.file_name).is_file() or path.stat().st_size != batch.bytes_count
    ]
