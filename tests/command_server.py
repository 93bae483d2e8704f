"""Runs `linkwright` commands in processes of their own that need not import half of PyPI first.

One process for each process of tests imports what knows nothing of a data folder, and forks for every command: the
command then decides on its folder, sets Django up and ends as it does when a person starts it, with its own
environment, folder, output and exit code. Commands run one after the other.
"""

import json
import os
import pkgutil
import runpy
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, NoReturn

import linkwright

ROOT = Path(__file__).resolve().parents[1]
# these rooms know neither Django nor a configuration (pyproject.toml, import contracts)
ROOMS = ("engine", "warehouse", "envelopes")
PACKAGES = (
    "annotated_types",
    "django.contrib.auth.hashers",
    "django.contrib.sessions.backends.db",
    "django.core.management",
    "django.core.serializers.json",
    "django.db.backends.sqlite3.base",
    "django.db.models",
    "django.template.response",
    "django.test.signals",
    "dj_database_url",
    "psycopg",
    "rich.console",
    "rich.table",
    "typer",
    "yaml",
)


class CommandServer:
    """The client's side: starts the process with the first command, and again whenever it is gone."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[str] | None = None

    def run(
        self, arguments: Sequence[str], *, environment: Mapping[str, str], folder: Path
    ) -> subprocess.CompletedProcess[str]:
        """Run one command to its end; returns its exit code and what it printed."""
        process = self._running()
        assert process.stdin is not None
        assert process.stdout is not None
        with tempfile.TemporaryDirectory() as outputs:
            asked = {
                "arguments": list(arguments),
                "environment": dict(environment),
                "folder": str(folder),
                "outputs": outputs,
            }
            print(json.dumps(asked), file=process.stdin, flush=True)
            answer = process.stdout.readline()
            assert answer, "the process that runs commands has died"
            printed = [Path(outputs, name).read_text() for name in ("stdout", "stderr")]
        return subprocess.CompletedProcess(list(arguments), json.loads(answer), *printed)

    def stop(self) -> None:
        """End the process."""
        if self._process is not None:
            self._process.communicate()

    def _running(self) -> subprocess.Popen[str]:
        if self._process is None or self._process.poll() is not None:
            # of no data folder: a test that looks for what works on its folder must not find this process
            environment = {name: value for name, value in os.environ.items() if not name.startswith("LINKWRIGHT")}
            # fmt: off
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.command_server"],
                cwd=ROOT, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            )
            # fmt: on
        return self._process


def _preload() -> None:
    for name in PACKAGES:
        import_module(name)
    for room in ROOMS:
        package = import_module(f"{linkwright.__name__}.{room}")
        for module in pkgutil.iter_modules(package.__path__):
            import_module(f"{package.__name__}.{module.name}")


def _serve() -> None:
    _preload()
    # what a command prints goes to files; the answers keep this place
    answers = os.fdopen(os.dup(1), "w")
    for line in sys.stdin:
        asked = json.loads(line)
        child = os.fork()
        if child == 0:
            _run(asked)
        _pid, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), file=answers, flush=True)


def _run(asked: dict[str, Any]) -> NoReturn:
    os.chdir(asked["folder"])
    os.environ.clear()
    os.environ.update(asked["environment"])
    for number, path in ((0, os.devnull), (1, f"{asked['outputs']}/stdout"), (2, f"{asked['outputs']}/stderr")):
        opened = os.open(path, os.O_RDWR | os.O_CREAT)
        os.dup2(opened, number)
        os.close(opened)
    sys.stdin = open(0, closefd=False, encoding="utf-8")  # noqa: SIM115 - the process's own
    sys.argv = ["linkwright", *asked["arguments"]]
    runpy.run_module("linkwright", run_name="__main__", alter_sys=True)
    sys.exit()


if __name__ == "__main__":
    _serve()
