"""Holds the limits of the source tree: lines a file, lines a function, and names that say nothing.

Reads text and syntax trees; imports nothing of what it checks. Source: CONTRIBUTING.md, 'The rooms'.
"""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

FILE_LINES_LIMIT = 400
FUNCTION_LINES_LIMIT = 50
LIMITED_SUFFIXES = {".py", ".html", ".css", ".js", ".sql", ".sh"}
SAYS_NOTHING = {"util", "utils", "helper", "helpers", "common", "manager", "managers"}
ROOT = Path(__file__).resolve().parent.parent
CHECKED_FOLDERS = ("src", "tests", "checks")


def is_generated(path: Path) -> bool:
    """Return whether Django wrote the file: a migration grows with the models, and nobody edits it."""
    return path.suffix == ".py" and "migrations" in path.parts


def name_faults(path: Path) -> Iterator[str]:
    """Say which parts of a relative path name no content, as `utils.py` or `job_manager.py`."""
    for part in path.parts:
        last_word = part.split(".")[0].rsplit("_", 1)[-1].lower()
        if last_word in SAYS_NOTHING:
            yield f"{path}: the name '{part}' does not say what is inside; name it after what it owns"


def file_length_faults(path: Path, text: str) -> Iterator[str]:
    """Say if a file has reached the limit of lines."""
    lines_count = len(text.splitlines())
    if lines_count >= FILE_LINES_LIMIT:
        yield f"{path}: {lines_count} lines, allowed are fewer than {FILE_LINES_LIMIT}; split it by concept"


def function_length_faults(path: Path, text: str) -> Iterator[str]:
    """Say which functions have reached the limit of lines, docstring included, decorators not."""
    for node in ast.walk(ast.parse(text, filename=str(path))):
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        lines_count = (node.end_lineno or node.lineno) - node.lineno + 1
        if lines_count >= FUNCTION_LINES_LIMIT:
            yield (
                f"{path}:{node.lineno}: {node.name} has {lines_count} lines, allowed are fewer than "
                f"{FUNCTION_LINES_LIMIT}; give one of its steps a name of its own"
            )


def layout_faults(root: Path) -> list[str]:
    """Return every fault of the checked folders under `root`, in the order of their paths."""
    faults: list[str] = []
    for folder in CHECKED_FOLDERS:
        for path in sorted((root / folder).rglob("*")):
            relative = path.relative_to(root)
            if not path.is_file() or "__pycache__" in path.parts:
                continue
            faults.extend(name_faults(relative))
            if path.suffix not in LIMITED_SUFFIXES or is_generated(relative):
                continue
            text = path.read_text(encoding="utf-8")
            faults.extend(file_length_faults(relative, text))
            if path.suffix == ".py":
                faults.extend(function_length_faults(relative, text))
    return faults


def main() -> int:
    """Print the faults; return the exit code."""
    faults = layout_faults(ROOT)
    print("\n".join(faults))
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
