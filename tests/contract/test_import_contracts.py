"""The import rules of pyproject.toml bite: each is broken once in a small tree with the product's rooms."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
# what each room may import, so that the clean tree shows that the rules leave the work possible
ALLOWED_IMPORTS = {
    "cli": "import linkwright.web.code\nimport linkwright.worker.code\n",
    "web": "import linkwright.services.code\nimport django\n",
    "services": "import linkwright.queue.code\nimport linkwright.jobs.code\n",
    "jobs": "import linkwright.store.code\nimport linkwright.warehouse.code\n",
    "warehouse": "import duckdb\nimport pyarrow.parquet\nimport linkwright.engine.code\n",
    "engine": "import linkwright.errors.code\n",
}


def declared_rooms() -> set[str]:
    pyproject = tomllib.loads((ROOT / "pyproject.toml").read_text())
    (layers,) = (c["layers"] for c in pyproject["tool"]["importlinter"]["contracts"] if c["type"] == "layers")
    return set(re.findall(r"\w+", " ".join(layers)))


def write_tree(folder: Path, imports: dict[str, str]) -> None:
    package = folder / "src" / "linkwright"
    for room in declared_rooms() | imports.keys():
        (package / room).mkdir(parents=True)
        (package / room / "__init__.py").touch()
        (package / room / "code.py").write_text({**ALLOWED_IMPORTS, **imports}.get(room, ""))
    (package / "__init__.py").touch()
    shutil.copy(ROOT / "pyproject.toml", folder)


def lint_imports(folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(Path(sys.executable).parent / "lint-imports"), "--no-cache", "--no-logo"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(folder / "src")},
        capture_output=True,
        text=True,
        check=False,
    )


def test_imports_that_run_downward_are_allowed(tmp_path: Path) -> None:
    write_tree(tmp_path, {})
    done = lint_imports(tmp_path)
    assert done.returncode == 0, done.stdout
    assert "0 broken" in done.stdout


@pytest.mark.parametrize(
    ("room", "text", "named"),
    [
        ("store", "import linkwright.services.code\n", "linkwright.store.code -> linkwright.services.code"),
        ("jobs", "import linkwright.queue.code\n", "linkwright.jobs.code -> linkwright.queue.code"),
        ("web", "import linkwright.worker.code\n", "linkwright.web.code -> linkwright.worker.code"),
        ("services", "import duckdb\n", "linkwright.services.code -> duckdb"),
        ("jobs", "import pyarrow.parquet\n", "linkwright.jobs.code -> pyarrow"),
        ("engine", "import django.db\n", "linkwright.engine.code -> django"),
        ("engine", "import duckdb\n", "linkwright.engine.code -> duckdb"),
        ("extras", "", "extras"),
    ],
)
def test_an_import_against_the_rules_is_named(tmp_path: Path, room: str, text: str, named: str) -> None:
    write_tree(tmp_path, {room: text})
    done = lint_imports(tmp_path)
    assert done.returncode == 1
    assert named in done.stdout
