"""Commands in the documentation are found, and the ones that do not exist are named with line and remedy."""

from pathlib import Path
from typing import Annotated

import pytest
import typer
from typer.main import get_command

from checks.command_shapes import command_shape, documentation_faults, makefile_shape
from checks.markdown import code_lines, commands_in

MAKEFILE = makefile_shape(
    "KILLS ?= 1000\nVENV := .venv\n.PHONY: demo torture\ndemo: $(VENV)/x\n\ttrue\ntorture:\n\ttrue\n"
)


def small_app() -> typer.Typer:
    app = typer.Typer()
    keys = typer.Typer()

    @app.callback()
    def main(home: Path = Path()) -> None: ...

    @app.command()
    def apply(files: list[Path], dry_run: Annotated[bool, typer.Option("--dry-run/--write")] = False) -> None: ...

    @app.command()
    def serve(port: Annotated[int, typer.Option("--port", "-p")] = 8000) -> None: ...

    @keys.command("revoke")
    def revoke(name: str) -> None: ...

    app.add_typer(keys, name="keys")
    return app


LINKWRIGHT = command_shape(get_command(small_app()))


def faults_of(markdown: str) -> list[str]:
    return list(documentation_faults(markdown, LINKWRIGHT, MAKEFILE))


@pytest.mark.parametrize(
    "command",
    [
        "make demo",
        "make torture KILLS=1000",
        "make -s demo",
        "linkwright",
        "linkwright --help",
        "linkwright --home data serve --port 8080",
        "linkwright serve -p 8080",
        "linkwright serve --port=8080",
        "linkwright apply one.yaml two.yaml --dry-run",
        "linkwright apply FILE.yaml [--write]",
        "linkwright keys revoke NAME",
        ".venv/bin/linkwright keys revoke 'a b'",
        "LINKWRIGHT_HOME=/srv linkwright serve > log.txt 2>&1 &",
    ],
)
def test_a_command_that_exists_is_no_fault(command: str) -> None:
    assert faults_of(f"```bash\n{command}\n```\n") == []
    assert faults_of(f"Run `{command}` now.") == []


@pytest.mark.parametrize(
    ("command", "fault"),
    [
        ("make install", "the Makefile has no target install; it has demo, torture"),
        ("make torture KILL=3", "the Makefile reads no variable KILL; it reads KILLS, VENV"),
        ("linkwright start", "linkwright has no command start; it has apply, keys, serve"),
        ("linkwright serve --prot 1", "linkwright serve has no option --prot; it has --help, --port, -p"),
        ("linkwright serve --home data", "linkwright serve has no option --home"),
        ("linkwright serve 8080", "linkwright serve takes 0 arguments, '8080' is one too many"),
        ("linkwright keys revoke one two", "linkwright keys revoke takes 1 arguments, 'two' is one too many"),
        ("true && linkwright start", "linkwright has no command start"),
    ],
)
def test_a_command_that_does_not_exist_is_named_with_its_line(command: str, fault: str) -> None:
    (found,) = faults_of(f"# Title\n\n```bash\n{command}\n```\n")
    assert found.startswith("4: '")
    assert fault in found


def test_prose_and_blocks_of_other_languages_are_not_commands() -> None:
    assert (
        faults_of(
            "Do make sure that linkwright runs.\n\n```python\nmake install\n```\n`make_pairs` `linkwright.cli`"
        )
        == []
    )


def test_a_quotation_that_does_not_end_is_a_fault_of_its_own() -> None:
    (found,) = faults_of("`linkwright apply 'one.yaml`")
    assert "is no shell command" in found


def test_continued_lines_are_one_command_at_its_first_line() -> None:
    lines = list(code_lines("```sh\nlinkwright apply \\\n  one.yaml\nmake demo\n```\n"))
    assert [(line.number, " ".join(line.text.split())) for line in lines] == [
        (2, "linkwright apply one.yaml"),
        (4, "make demo"),
    ]


def test_a_fence_inside_a_longer_fence_does_not_end_it() -> None:
    assert [line.text for line in code_lines("````md\n```\nmake x\n```\n````\n`make y`")] == [
        "```",
        "make x",
        "```",
        "make y",
    ]


def test_a_line_is_split_into_its_commands() -> None:
    assert list(commands_in("linkwright x A:1,b@c% >out")) == [("linkwright", "x", "A:1,b@c%"), ("out",)]
    line = "$ A=1 linkwright build x.csv | tee out && make demo # and wait"
    assert list(commands_in(line)) == [("linkwright", "build", "x.csv"), ("tee", "out"), ("make", "demo")]
