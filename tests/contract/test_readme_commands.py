"""Every command that the README shows is run, in order, in an empty folder, as a reader would run it.

The blocks marked `bash` are one shell session. `make` targets are left to the check of documented commands (this
test runs inside one of them), `linkwright demo` ends by itself, and servers are started beside what follows them.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from checks.markdown import code_lines, commands_in

ROOT = Path(__file__).resolve().parents[2]
SERVERS = {"serve", "web", "worker"}
# options with which a server ends by itself
ENDING = {"--help", "--until-idle"}
TIMEOUT_S = 240
PRELUDE = """\
set -euo pipefail
trap 'echo "README.md: this command failed: $BASH_COMMAND" >&2' ERR
servers=()
trap '[ -z "${servers[*]}" ] || kill "${servers[@]}" 2>/dev/null || true' EXIT
free_port() { python -c 'import socket; print(socket.create_server(("127.0.0.1", 0)).getsockname()[1])'; }
beside() { "$@" > "server-${#servers[@]}.log" 2>&1 & servers+=($!); }
end_servers() {
    for number in "${!servers[@]}"; do
        for _ in $(seq 200); do [ -s "server-$number.log" ] && break; sleep 0.1; done
        sleep 1
        cat "server-$number.log"
        kill -TERM "${servers[$number]}"
        wait "${servers[$number]}" || [ $? -eq 143 ]
    done
}
"""


def runnable_line(line: str) -> str:
    """Return the shell line that stands for a line of the README."""
    commands = list(commands_in(line))
    if any(words[0] == "make" for words in commands):
        return ""
    for words in commands:
        if words[:2] == ("linkwright", "demo") and "--once" not in words:
            return line.replace("linkwright demo", "linkwright demo --once")
        if words[0] == "linkwright" and SERVERS.intersection(words[1:]) and not ENDING.intersection(words):
            port = "" if "--port" in words or "worker" in words else ' --port "$(free_port)"'
            return f"beside {line.removesuffix('&').rstrip()}{port}"
    return line


def session_script(markdown: str) -> str:
    """Return all `bash` blocks as one shell session that stops at the first failure."""
    lines = [runnable_line(line.text) for line in code_lines(markdown) if line.language == "bash"]
    return "\n".join([PRELUDE, *lines, "end_servers", ""])


def reader_environment(folder: Path) -> dict[str, str]:
    """Return the environment of somebody who has just opened the project: nothing is set for Linkwright."""
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("LINKWRIGHT_", "DJANGO_", "PYTEST_", "DATABASE_URL"))
    }
    commands_folder = Path(sys.executable).parent
    environment.update(HOME=str(folder), PATH=f"{commands_folder}:{environment['PATH']}")
    return environment


def run_session(markdown: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        # `timeout` signals the whole process group, servers included
        ["timeout", "--kill-after=10", str(TIMEOUT_S), "bash", "-c", session_script(markdown)],
        cwd=folder,
        env=reader_environment(folder),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )


def test_every_command_of_the_readme_runs(tmp_path: Path) -> None:
    markdown = (ROOT / "README.md").read_text(encoding="utf-8")
    assert "```bash" in markdown
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    done = run_session(markdown, tmp_path)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    ("line", "runnable"),
    [
        ("make demo", ""),
        ("linkwright demo", "linkwright demo --once"),
        ("linkwright demo --json", "linkwright demo --once --json"),
        ("linkwright demo --once", "linkwright demo --once"),
        ("linkwright --home data serve --port 8080 &", "beside linkwright --home data serve --port 8080"),
        ("linkwright serve", 'beside linkwright serve --port "$(free_port)"'),
        ("linkwright worker", "beside linkwright worker"),
        ("linkwright worker --until-idle", "linkwright worker --until-idle"),
        ("linkwright serve --help", "linkwright serve --help"),
        ("linkwright status", "linkwright status"),
    ],
)
def test_commands_that_would_not_end_are_run_so_that_they_do(line: str, runnable: str) -> None:
    assert runnable_line(line) == runnable


def test_the_blocks_are_one_session_that_stops_at_the_first_failure(tmp_path: Path) -> None:
    done = run_session("```bash\nmkdir a\ncd a\n```\nand\n```bash\ntouch b\nfalse\ntouch c\n```\n", tmp_path)
    assert done.returncode == 1
    assert "this command failed: false" in done.stdout
    assert [path.name for path in (tmp_path / "a").iterdir()] == ["b"]


def test_a_server_runs_beside_what_follows_and_must_not_end_by_itself(tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    program = tmp_path / "bin" / "linkwright"
    session = 'PATH="$PWD/bin:$PATH"\nlinkwright serve\ntouch later\n'
    program.write_text("#!/bin/sh\necho listening\nexec sleep 60\n")
    program.chmod(0o755)
    done = run_session(f"```bash\n{session}```\n", tmp_path)
    assert (done.returncode, (tmp_path / "later").exists()) == (0, True), done.stdout

    program.write_text("#!/bin/sh\necho 'the port is in use'\nexit 1\n")
    done = run_session(f"```bash\n{session}```\n", tmp_path)
    assert done.returncode == 1
    assert "the port is in use" in done.stdout
