"""Commands that compute nothing, and the supervising worker, do not load what computes: it takes half a second."""

import json
import subprocess
import sys

import pytest

HEAVY = ("duckdb", "numpy", "pyarrow", "splink", "vl_convert")
LIGHT_COMMANDS = ("serve", "worker", "submit", "status", "apply", "backup", "create-api-key", "retry-job")
# what loads it shows that the test would see it
HEAVY_COMMANDS = ("explain",)
_LOOK = """
import json, sys
import linkwright.cli.application as application
application._command(sys.argv[1])
print(json.dumps([name for name in sys.argv[2:] if name in sys.modules]))
"""


def loaded_by(command: str) -> list[str]:
    """Return what of `HEAVY` a process has loaded once it knows a command."""
    done = subprocess.run(
        [sys.executable, "-c", _LOOK, command, *HEAVY], check=True, capture_output=True, text=True
    )
    found: list[str] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize("command", LIGHT_COMMANDS)
def test_a_light_command_loads_no_engine(command: str) -> None:
    assert loaded_by(command) == []


@pytest.mark.parametrize("command", HEAVY_COMMANDS)
def test_a_command_that_computes_is_seen_to_load_one(command: str) -> None:
    assert "duckdb" in loaded_by(command)
