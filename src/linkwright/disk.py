"""Owns forcing what was written to disk, so that a power failure takes nothing that was said to be there."""

import os
from pathlib import Path


def sync(path: Path) -> None:
    """Force a file's content, or the names in a folder, to disk.

    Raises:
        OSError: if it is not there or the disk fails.
    """
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
