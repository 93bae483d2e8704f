"""Which commands exist, and which commands in a text do not: `make x VAR=` and `linkwright y --option`.

Works on the Makefile's text, on any tree of commands and on Markdown; opens no file, runs no command.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from checks.markdown import ASSIGNMENT, SHELL_LANGUAGES, code_lines, commands_in

TARGET = re.compile(r"^([a-z][\w-]*)\s*:(?!=)", re.MULTILINE)
VARIABLE = re.compile(r"^([A-Z_]+)\s*[?:]?=", re.MULTILINE)


@dataclass(frozen=True)
class CommandShape:
    """What a command takes: values per option (0 for a flag), arguments (None: any number), further commands."""

    options: Mapping[str, int]
    arguments_limit: int | None = 0
    commands: Mapping[str, "CommandShape"] = field(default_factory=dict)


@dataclass(frozen=True)
class MakefileShape:
    """The targets of a Makefile and the variables that it reads from its command line."""

    targets: frozenset[str]
    variables: frozenset[str]


def makefile_shape(makefile: str) -> MakefileShape:
    """Read targets and variables from a Makefile's text."""
    return MakefileShape(frozenset(TARGET.findall(makefile)), frozenset(VARIABLE.findall(makefile)))


def command_shape(command: Any) -> CommandShape:
    """Read the shape of a command and all below it. Typer carries its own Click, whose types are not public."""
    options = {"--help": 0}
    arguments: list[int] = []
    for parameter in command.params:
        if parameter.param_type_name == "argument":
            arguments.append(parameter.nargs)
            continue
        values_count = 0 if parameter.is_flag or parameter.count else parameter.nargs
        options.update(dict.fromkeys([*parameter.opts, *parameter.secondary_opts], values_count))
    return CommandShape(
        options=options,
        arguments_limit=None if -1 in arguments else sum(arguments),
        commands={name: command_shape(child) for name, child in getattr(command, "commands", {}).items()},
    )


def fault_of_make(words: Sequence[str], makefile: MakefileShape) -> str | None:
    """Say what `make` would not find among `words`, or None."""
    for word in words:
        if word.startswith("-"):
            continue
        if ASSIGNMENT.match(word):
            name = word.partition("=")[0]
            if name not in makefile.variables:
                return f"the Makefile reads no variable {name}; it reads {', '.join(sorted(makefile.variables))}"
        elif word not in makefile.targets:
            return f"the Makefile has no target {word}; it has {', '.join(sorted(makefile.targets))}"
    return None


def fault_of_linkwright(words: Sequence[str], command: CommandShape) -> str | None:
    """Say what the command line would refuse among `words`, or None. Values of options are not looked at."""
    path, values_count, arguments_count = "linkwright", 0, 0
    for word in (word.strip("[]") for word in words):
        if values_count:
            values_count -= 1
        elif word.startswith("-") and word != "-":
            name, has_value, _ = word.partition("=")
            if name not in command.options:
                return f"{path} has no option {name}; it has {', '.join(sorted(command.options))}"
            values_count = 0 if has_value else command.options[name]
        elif command.commands:
            if word not in command.commands:
                return f"{path} has no command {word}; it has {', '.join(sorted(command.commands))}"
            path, command = f"{path} {word}", command.commands[word]
        elif word not in {"...", "…", ""}:
            arguments_count += 1
            if command.arguments_limit is not None and arguments_count > command.arguments_limit:
                return f"{path} takes {command.arguments_limit} arguments, '{word}' is one too many"
    return None


def documentation_faults(markdown: str, linkwright: CommandShape, makefile: MakefileShape) -> Iterator[str]:
    """Say which commands in one Markdown text do not exist, each with its line number."""
    for line in code_lines(markdown):
        if line.language is not None and line.language not in SHELL_LANGUAGES:
            continue
        if not re.search(r"\b(make|linkwright)\b", line.text):
            continue
        try:
            commands = list(commands_in(line.text))
        except ValueError as error:
            yield f"{line.number}: '{line.text}' is no shell command ({error})"
            continue
        for program, *words in commands:
            name = program.rpartition("/")[2]
            fault = None
            if name == "make":
                fault = fault_of_make(words, makefile)
            elif name == "linkwright":
                fault = fault_of_linkwright(words, linkwright)
            if fault:
                yield f"{line.number}: '{' '.join([program, *words])}': {fault}"
