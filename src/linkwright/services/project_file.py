"""The declarative project file: its shape, and how a file on disk becomes it.

Owns the words of the file and the line of each fault; what is done with it stands in apply_project_file.py.
"""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import yaml
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    PlainValidator,
    ValidationError,
    model_validator,
)

from linkwright.engine.extraction import ExtractionColumn
from linkwright.engine.grouping import GroupingConfiguration
from linkwright.engine.strategy_faults import sentences
from linkwright.engine.update_mode import UpdateMode
from linkwright.errors import ConfigurationError
from linkwright.store.models import ExtractionFormat, ExtractionKind

_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
MAX_FILE_BYTES = 32 * 1024 * 1024
DEFAULT_MATCH = "default"
"""What `match` says for the default match configuration."""

BUILT_IN_MATCH = "built-in"
"""What `default_match` says for the one that is built in."""


def _code(value: str) -> str:
    if not _CODE.fullmatch(value):
        raise ValueError(
            f"{value!r} is no code. A code starts with a letter or digit and goes on with letters, digits, "
            "dots, hyphens and underscores. Correct it."
        )
    return value


def _match(value: object) -> object:
    if value is None or isinstance(value, dict) or value == DEFAULT_MATCH:
        return value
    raise ValueError(
        f"{value!r} is no match configuration. Write its keys, or the word {DEFAULT_MATCH}, or leave it out."
    )


def _default_match(value: object) -> object:
    if value is None or isinstance(value, dict) or value == BUILT_IN_MATCH:
        return value
    raise ValueError(
        f"{value!r} is no match configuration. Write its keys, or the word {BUILT_IN_MATCH}, or leave it out."
    )


Code = Annotated[str, AfterValidator(_code)]


Match = Annotated[dict[str, Any] | str | None, PlainValidator(_match)]


DefaultMatch = Annotated[dict[str, Any] | str | None, PlainValidator(_default_match)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ProviderPart(_Part):
    """A Data Provider."""

    code: Code = Field(max_length=15)
    organisation: str = Field(min_length=1, max_length=200)
    contact_name: str = Field(default="", max_length=200)
    email: str = Field(default="", max_length=254)
    phone: str = Field(default="", max_length=50)


class ImportFormatPart(BaseModel):
    """An Import Format: its code and description; all other keys are engine.import_format's."""

    model_config = ConfigDict(extra="allow", frozen=True)

    code: Code = Field(max_length=50)
    description: str = Field(default="", max_length=500)

    @property
    def definition(self) -> dict[str, Any]:
        """What engine.import_format reads."""
        return dict(self.__pydantic_extra__ or {})


class EventTypePart(_Part):
    """An Event Type."""

    code: Code = Field(max_length=50)
    provider: str
    import_format: str
    description: str = Field(default="", max_length=500)
    category: str = Field(default="", max_length=100)
    authoritative: bool = False


class GroupingPart(GroupingConfiguration):
    """How groups come about; the keys are engine.grouping's."""


class AttachedPart(_Part):
    """An Event Type of a project, as its code alone, or with what is done with records that come again.

    Without `updates` that stays as it is; newly attached: reject.
    """

    code: str
    updates: UpdateMode | None = None

    @model_validator(mode="before")
    @classmethod
    def _from_code(cls, value: object) -> object:
        return {"code": value} if isinstance(value, str) else value


class ColumnPart(_Part):
    """A column of an Extraction Project with its name in the header, or the column alone: named as it is."""

    column: ExtractionColumn
    name: str

    @model_validator(mode="before")
    @classmethod
    def _from_column(cls, value: object) -> object:
        return {"column": value, "name": value} if isinstance(value, str) else value


class ShownPart(_Part):
    """An Event Type of an Extraction Project, as its code alone, or as one that need not be attached any more."""

    code: str
    detached: bool = False

    @model_validator(mode="before")
    @classmethod
    def _from_code(cls, value: object) -> object:
        return {"code": value} if isinstance(value, str) else value


class ExtractionProjectPart(_Part):
    """An Extraction Project; what its values may be, services/extraction_faults.py says, as for the pages."""

    code: Code = Field(max_length=50)
    name: str
    approval_reference: str
    kind: ExtractionKind
    event_types: tuple[ShownPart, ...]
    columns: tuple[ColumnPart, ...]
    file_format: ExtractionFormat = ExtractionFormat.CSV
    # nothing: it stays as it is; created: as the Setting says
    keep_results_days: Annotated[int, Field(strict=True)] | None = None
    # nothing: it stays as it is
    closed: bool | None = None

    @property
    def event_type_codes(self) -> tuple[str, ...]:
        """The codes of the Event Types that it shows, sorted, each once."""
        return tuple(sorted({part.code for part in self.event_types}))


class ProjectPart(_Part):
    """A Linkage Project; `match` is engine.strategy's form, or the word `default`."""

    code: Code = Field(max_length=50)
    name: str = Field(min_length=1, max_length=200)
    description: str = ""
    notification_email: str = Field(default="", max_length=254)
    event_types: tuple[AttachedPart, ...] = ()
    fields: dict[str, str] = Field(default_factory=dict)
    keep_unused_columns: bool = True
    # nothing: it stays as it is
    archived: bool | None = None
    match: Match = None
    grouping: GroupingPart = GroupingPart()
    extraction_projects: tuple[ExtractionProjectPart, ...] = ()

    @property
    def event_type_codes(self) -> tuple[str, ...]:
        """The codes of the attached Event Types."""
        return tuple(part.code for part in self.event_types)


class ProjectFile(_Part):
    """Everything that one file declares."""

    providers: tuple[ProviderPart, ...] = ()
    import_formats: tuple[ImportFormatPart, ...] = ()
    event_types: tuple[EventTypePart, ...] = ()
    # what new projects start with; nothing: it stays as it is
    default_match: DefaultMatch = None
    projects: tuple[ProjectPart, ...] = ()
    settings: dict[str, Any] = Field(default_factory=dict)


_WORDS = {"NoneType": "nothing", "list": "a list"}


class ReadFile(NamedTuple):
    """A project file, and what finds the line of a path in it."""

    name: str
    content: ProjectFile
    lines: "LineFinder"


_KEYS = {
    "": tuple(ProjectFile.model_fields),
    "providers": tuple(ProviderPart.model_fields),
    "event_types": tuple(EventTypePart.model_fields),
    "projects": tuple(ProjectPart.model_fields),
    "projects.event_types": tuple(AttachedPart.model_fields),
    "grouping": tuple(GroupingPart.model_fields),
    "extraction_projects": tuple(ExtractionProjectPart.model_fields),
    "extraction_projects.event_types": tuple(ShownPart.model_fields),
    "extraction_projects.columns": tuple(ColumnPart.model_fields),
}


class LineFinder:
    """Finds the line of `projects[0].match.prior` in the text of a YAML file."""

    _STEP = re.compile(r"\[(\d+)\]|([^.\[\]]+)")
    _PATH = re.compile(r"^[A-Za-z_][\w.\-\[\]]*")

    def __init__(self, text: str) -> None:
        self._root = yaml.compose(text, Loader=yaml.SafeLoader)

    def line(self, fault: str) -> int | None:
        """Return the line of the path that a fault begins with, or of the nearest part of it that exists."""
        found = self._PATH.match(fault)
        node = self._root
        if found is None or node is None:
            return None
        for index, key in self._STEP.findall(found.group()):
            child = self._child(node, index, key)
            if child is None:
                break
            node = child
        return int(node.start_mark.line) + 1

    @staticmethod
    def _child(node: yaml.Node, index: str, key: str) -> yaml.Node | None:
        if index and isinstance(node, yaml.SequenceNode) and int(index) < len(node.value):
            item: yaml.Node = node.value[int(index)]
            return item
        if key and isinstance(node, yaml.MappingNode):
            for name, value in node.value:
                if name.value == key:
                    chosen: yaml.Node = value
                    return chosen
        return None


class _UniqueKeyLoader(yaml.SafeLoader):
    """Refuses a key that occurs twice: YAML would silently keep the last."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen = set()
        for key_node, _value in node.value:
            key = self.construct_object(key_node, deep=True)
            if key in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f"the key {key!r} occurs twice; keep one of them", key_node.start_mark
                )
            seen.add(key)
        return super().construct_mapping(node, deep=deep)


def read_project_file(path: Path) -> ReadFile:
    """Read a project file and check its shape.

    Raises:
        ConfigurationError: if it cannot be read, is no YAML, or has another shape; every fault with its line.
    """
    data, lines = parse_yaml(read_text(path), path.name)
    if not isinstance(data, dict):
        held = _WORDS.get(type(data).__name__, "one value")
        raise ConfigurationError(
            f"{path.name} is no project file.",
            [f"line 1: it holds {held}; it must be a map with the keys {', '.join(_KEYS[''])}."],
        )
    try:
        content = ProjectFile.model_validate(data)
    except ValidationError as error:
        raise refused(path.name, sentences(error, "", _KEYS), lines) from error
    return ReadFile(path.name, content, lines)


def parse_yaml(text: str, name: str) -> tuple[object, LineFinder]:
    """Read YAML as plain values, with what finds the lines of its faults.

    Raises:
        ConfigurationError: if it is no YAML; the fault with its line.
    """
    try:
        # The loader builds plain values only, as SafeLoader does.
        return yaml.load(text, Loader=_UniqueKeyLoader), LineFinder(text)  # noqa: S506
    except (yaml.YAMLError, RecursionError) as error:
        raise ConfigurationError(f"{name} is no YAML that can be read.", [_yaml_fault(error)]) from error


def refused(name: str, faults: Sequence[str], lines: LineFinder) -> ConfigurationError:
    """Return the error that names the file and the line of every fault."""
    plain = [fault.lstrip(".") for fault in faults]
    found = sorted(((lines.line(fault) or 0, fault) for fault in plain), key=lambda one: one[0])
    located = [f"line {line}: {fault}" if line else fault for line, fault in found]
    return ConfigurationError(f"{name} is refused; nothing was changed.", located)


def read_text(path: Path) -> str:
    """Read a text file of declarations.

    Raises:
        ConfigurationError: if it cannot be read, is too large, or is no UTF-8.
    """
    try:
        with path.open("rb") as stream:
            raw = stream.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise ConfigurationError(
            f"{path} cannot be read.", [f"{error.strerror}. Check the name and the right to read it."]
        ) from error
    return decode_text(raw, path.name)


def decode_text(raw: bytes, name: str) -> str:
    """Return the bytes of a file of declarations as text.

    Raises:
        ConfigurationError: if they are too many, or no UTF-8.
    """
    if len(raw) > MAX_FILE_BYTES:
        raise ConfigurationError(
            f"{name} is refused.",
            [f"It is larger than {MAX_FILE_BYTES // 1024 // 1024} MiB. Name a YAML file."],
        )
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise ConfigurationError(
            f"{name} is no text in UTF-8.", [f"line {line}: byte {raw[error.start]:#04x}. Save it as UTF-8."]
        ) from error


def _yaml_fault(error: yaml.YAMLError | RecursionError) -> str:
    if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark is not None:
        mark = error.problem_mark
        return f"line {mark.line + 1}, column {mark.column + 1}: {error.problem}. Mend it and apply again."
    if isinstance(error, yaml.reader.ReaderError):
        return f"at character {error.position + 1}: {error.reason}. Remove that character and apply again."
    return "It is nested too deeply. Write it as the examples are written."
