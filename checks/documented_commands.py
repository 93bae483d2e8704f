"""Holds the documentation to the commands that exist: every `make x` and `linkwright y --option` in it.

Reads the Markdown files, the Makefile and the command line; runs no command. The README's blocks are run by
tests/contract/test_readme_commands.py.
"""

import sys
from pathlib import Path

from typer.main import get_command

from checks.command_shapes import command_shape, documentation_faults, makefile_shape
from linkwright.cli import app

ROOT = Path(__file__).resolve().parent.parent


def documentation_files(root: Path) -> list[Path]:
    """Return every Markdown file that tells a reader what to type."""
    return [*sorted(root.glob("*.md")), *sorted((root / "docs").rglob("*.md"))]


def main() -> int:
    """Print the faults of every documentation file; return the exit code."""
    linkwright = command_shape(get_command(app))
    makefile = makefile_shape((ROOT / "Makefile").read_text(encoding="utf-8"))
    faults = [
        f"{path.relative_to(ROOT)}:{fault}"
        for path in documentation_files(ROOT)
        for fault in documentation_faults(path.read_text(encoding="utf-8"), linkwright, makefile)
    ]
    print("\n".join(faults))
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
