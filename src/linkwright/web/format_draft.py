"""An Import Format as its editor holds it: from the form or from what is stored, to a definition and back.

Each line of the editor is one source column with the linkage field that it fills. Must not judge: what is saved is
checked by the service.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from django.http import QueryDict

from linkwright.engine.column_guesses import ColumnGuess
from linkwright.engine.date_formats import DEFAULT_DATE_FORMATS
from linkwright.engine.fields import SOURCE_UNIQUE_ID
from linkwright.engine.import_format import SourceKind
from linkwright.engine.value_guesses import NO_SUGGESTION, Suggestion
from linkwright.services.look_at_sample import SampleColumns

BLANK_LINES = 4
MOST_LINES = 400
_POSITION = re.compile(r"#(\d{1,6})")
_NUMBER = re.compile(r"\d{1,7}")
_BETWEEN_FORMATS = " | "
_PLAIN = {"separator": ",", "quote": '"', "escape": "", "encoding": "utf-8"}
_TEXT_ONLY = ("separator", "quote", "escape")
Source = str | int | Mapping[str, int]


@dataclass(frozen=True)
class DraftLine:
    """One source column: where it stands, what it fills, and what a sample shows of it.

    Args:
        source: its name, its position from 1, or its range of characters; None: a line to fill in.
        field: the linkage field that it fills, or ''.
        other_name: fixed-width: under which name it is kept apart.
        date_formats: of this field alone.
        values: the first ones of the sample.
        guess: what these look like.
        is_absent: whether the sample lacks it.
        name: as the sample has it.
        position: in the sample, from 1; 0 without one.
        suggestion: the linkage field that was filled in by what its values look like.
    """

    source: Source | None
    field: str = ""
    other_name: str = ""
    date_formats: tuple[str, ...] = ()
    values: tuple[str, ...] = ()
    guess: ColumnGuess | None = None
    is_absent: bool = False
    name: str = ""
    position: int = 0
    suggestion: Suggestion = NO_SUGGESTION

    @property
    def source_text(self) -> str:
        """The source as it is typed: a name, or # and a position."""
        return f"#{self.source}" if isinstance(self.source, int) else str(self.source or "")

    @property
    def start(self) -> object:
        """The first character of a range."""
        return self.source.get("start", "") if isinstance(self.source, Mapping) else ""

    @property
    def width(self) -> object:
        """The width of a range."""
        return self.source.get("width", "") if isinstance(self.source, Mapping) else ""

    @property
    def date_formats_text(self) -> str:
        """The formats of this field, as they are typed."""
        return _BETWEEN_FORMATS.join(self.date_formats)


@dataclass(frozen=True)
class Draft:
    """What the editor holds."""

    kind: str = SourceKind.DELIMITED.value
    separator: str = ","
    quote: str = '"'
    escape: str = ""
    header: bool = True
    encoding: str = "utf-8"
    line_width: str = ""
    by_position: bool = False
    date_formats: tuple[str, ...] = DEFAULT_DATE_FORMATS
    null_values: tuple[str, ...] = ()
    lines: tuple[DraftLine, ...] = field(default=())

    @property
    def is_fixed(self) -> bool:
        """Whether it is of fixed width."""
        return self.kind == SourceKind.FIXED_WIDTH

    @property
    def date_formats_text(self) -> str:
        """The date formats, one a line."""
        return "\n".join(self.date_formats)

    @property
    def null_values_text(self) -> str:
        """The texts that mean 'no value', one a line."""
        return "\n".join(self.null_values)

    @property
    def structure(self) -> str:
        """What decides which columns a sample has; another one: they are read anew."""
        parts: list[object] = [self.kind, self.separator, self.quote, self.escape, self.header, self.encoding]
        if self.is_fixed:
            parts += [[line.start, line.width] for line in self.lines]
        return json.dumps(parts)

    def reading(self) -> dict[str, Any]:
        """Return what the columns of a sample are read by."""
        ranges = [line.source for line in self.lines if isinstance(line.source, Mapping)]
        return {**self._written(), "header": self.header, "ranges": ranges if self.is_fixed else []}

    def definition(self) -> dict[str, Any]:
        """Return the Import Format's definition, without what is as it is by default."""
        columns = {line.field: line.source for line in self.lines if line.field and line.source is not None}
        made: dict[str, Any] = {**self._written(), "columns": columns}
        if self.kind == SourceKind.DELIMITED and not self.header:
            made["header"] = False
        if self.is_fixed:
            others = {line.other_name: line.source for line in self.lines if line.other_name and not line.field}
            made |= {"other_columns": others} if others else {}
            if self.line_width:
                made["line_width"] = _whole_number(self.line_width)
        if self.date_formats != DEFAULT_DATE_FORMATS:
            made["date_formats"] = list(self.date_formats)
        own = {line.field: list(line.date_formats) for line in self.lines if line.field and line.date_formats}
        if own:
            made["field_date_formats"] = own
        if self.null_values:
            made["null_values"] = list(self.null_values)
        return made

    def _written(self) -> dict[str, Any]:
        """Return how the text is written: what differs from the default, and means something for the kind."""
        written: dict[str, Any] = {"kind": self.kind}
        names = {SourceKind.DELIMITED.value: tuple(_PLAIN), SourceKind.FIXED_WIDTH.value: ("encoding",)}
        for name in names.get(self.kind, ()):
            value = getattr(self, name)
            if value != _PLAIN[name]:
                written[name] = value or None
        return written

    def faults(self) -> list[str]:
        """Name what a definition could not hold."""
        chosen = [line.field for line in self.lines if line.field]
        faults = [
            f"columns.{name}: is chosen for {chosen.count(name)} columns. Choose one of them."
            for name in dict.fromkeys(chosen)
            if chosen.count(name) > 1
        ]
        if SOURCE_UNIQUE_ID not in chosen:
            faults.append(f"No column is the Source Unique ID. Choose {SOURCE_UNIQUE_ID} for the one that has it.")
        return faults


def stored_draft(definition: Mapping[str, Any]) -> Draft:
    """Return what the editor shows of a stored definition."""
    own = definition.get("field_date_formats", {})
    lines = [
        DraftLine(_source(source), field=name, date_formats=_texts(own.get(name, ())))
        for name, source in definition.get("columns", {}).items()
    ]
    others = definition.get("other_columns", {}).items()
    lines += [DraftLine(_source(source), other_name=name) for name, source in others]
    plain = {name: definition.get(name, default) or "" for name, default in _PLAIN.items()}
    return Draft(
        **plain,
        kind=str(definition.get("kind", SourceKind.DELIMITED)),
        header=bool(definition.get("header", True)),
        line_width=str(definition.get("line_width") or ""),
        by_position=bool(lines) and all(isinstance(line.source, int) for line in lines),
        date_formats=_texts(definition.get("date_formats", DEFAULT_DATE_FORMATS)),
        null_values=_texts(definition.get("null_values", ())),
        lines=tuple(lines),
    )


def sent_draft(sent: QueryDict) -> Draft:
    """Return what the form says."""
    kind = sent.get("kind", SourceKind.DELIMITED.value)
    header = sent.get("header", "yes") == "yes"
    by_position = sent.get("columns_by") == "position" or not header
    counted = sent.get("lines_count", "")
    count = min(int(counted), MOST_LINES) if _NUMBER.fullmatch(counted) else 0
    lines = [_sent_line(sent, place, is_fixed=kind == SourceKind.FIXED_WIDTH) for place in range(count)]
    return Draft(
        kind=kind,
        separator=sent.get("separator", ",").replace("\\t", "\t"),
        quote=sent.get("quote", '"'),
        escape=sent.get("escape", ""),
        header=header,
        encoding=sent.get("encoding", "utf-8"),
        line_width=sent.get("line_width", "").strip(),
        by_position=by_position,
        date_formats=_sent_texts(sent.get("date_formats", "")) or DEFAULT_DATE_FORMATS,
        null_values=_sent_texts(sent.get("null_values", "")),
        lines=tuple(
            _renamed(line, by_position=by_position)
            for line in lines
            if line.source is not None or line.field or line.other_name
        ),
    )


def detected_draft(definition: Mapping[str, Any], before: Draft) -> Draft:
    """Return what was detected, with what a person has said of the columns before."""
    if definition["kind"] == SourceKind.FIXED_WIDTH:
        lines = tuple(DraftLine(one) for one in definition.get("ranges", ()))
    else:
        lines = tuple(line for line in before.lines if not isinstance(line.source, Mapping))
    found = stored_draft({name: value for name, value in definition.items() if name != "ranges"})
    return replace(found, lines=lines, null_values=before.null_values, by_position=not found.header)


def with_columns(draft: Draft, found: SampleColumns, suggested: Sequence[Suggestion]) -> Draft:
    """Return a draft with one line for each column of the sample; what is mapped stays, the rest is suggested.

    Args:
        draft: as it is.
        found: the columns of the sample.
        suggested: a linkage field for each of them, or ''.
    """
    if draft.is_fixed:
        return _with_ranges(draft, found, suggested)
    left = [line for line in draft.lines if line.source is not None and line.field]
    taken = {line.field for line in left}
    # somebody who has mapped some columns has left out the others on purpose
    is_new = not any(_is_of(line, one.name, one.position) for line in left for one in found.columns)
    made = []
    for column, suggestion in zip(found.columns, suggested, strict=True):
        mapped = next((line for line in left if _is_of(line, column.name, column.position)), None)
        if mapped is not None:
            left.remove(mapped)
        is_free = is_new and suggestion.field not in taken
        chosen = mapped.field if mapped else suggestion.field if is_free else ""
        line = DraftLine(
            None,
            field=chosen,
            date_formats=mapped.date_formats if mapped else (),
            values=column.values,
            guess=column.guess,
            name=column.name,
            position=column.position,
            suggestion=_told(suggestion, chosen, mapped),
        )
        made.append(_renamed(line, by_position=draft.by_position))
    known = {(column.name, column.position) for column in found.columns}
    again = [
        replace(
            line,
            name="",
            position=0,
            is_absent=not any(_is_of(line, name, position) for name, position in known),
        )
        for line in left
    ]
    return replace(draft, lines=(*made, *again))


def _with_ranges(draft: Draft, found: SampleColumns, suggested: Sequence[Suggestion]) -> Draft:
    described = iter(zip(found.columns, suggested, strict=True))
    is_new = not any(line.field for line in draft.lines)
    lines = []
    for line in draft.lines:
        shown = line
        if isinstance(line.source, Mapping) and (one := next(described, None)) is not None:
            column, suggestion = one
            chosen = suggestion.field if is_new and not line.other_name else line.field
            told = _told(suggestion, chosen, None if is_new else line)
            shown = replace(line, field=chosen, values=column.values, guess=column.guess, suggestion=told)
        lines.append(shown)
    return replace(draft, lines=tuple(lines))


def _told(suggestion: Suggestion, chosen: str, before: DraftLine | None) -> Suggestion:
    """Return what to say of a field that was filled in: that it was suggested, until a person chooses another."""
    was_suggested = before is None or before.suggestion.field == chosen
    is_told = suggestion.why and suggestion.field == chosen and was_suggested
    return suggestion if is_told else NO_SUGGESTION


def _is_of(line: DraftLine, name: str, position: int) -> bool:
    if line.name or line.position:
        return line.name == name if name and line.name else line.position == position
    return line.source == name if isinstance(line.source, str) else line.source == position


def _renamed(line: DraftLine, *, by_position: bool) -> DraftLine:
    """Say where a column of the sample stands, in the way that was chosen."""
    if not line.position:
        return line
    return replace(line, source=line.position if by_position or not line.name else line.name)


def _sent_line(sent: QueryDict, place: int, *, is_fixed: bool) -> DraftLine:
    source: Source | None
    start, width = (sent.get(f"{name}_{place}", "").strip() for name in ("start", "width"))
    typed, position = sent.get(f"source_{place}", ""), sent.get(f"position_{place}", "")
    if is_fixed:
        source = {"start": _whole_number(start), "width": _whole_number(width)} if start and width else None
    else:
        found = _POSITION.fullmatch(typed.strip())
        source = int(found[1]) if found else typed or None
    return DraftLine(
        source,
        field=sent.get(f"field_{place}", ""),
        other_name=sent.get(f"other_{place}", "").strip(),
        date_formats=_between(sent.get(f"dates_{place}", "")),
        name=sent.get(f"name_{place}", ""),
        suggestion=Suggestion(sent.get(f"suggested_{place}", "")),
        position=int(position) if _NUMBER.fullmatch(position) else 0,
    )


def _whole_number(text: str) -> Any:
    """Return a number, or the text, which the service refuses by name."""
    return int(text) if _NUMBER.fullmatch(text) else text


def _source(value: Any) -> Source:
    return value if isinstance(value, str | int | Mapping) else str(value)


def _texts(value: Any) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(str(one) for one in value)


def _sent_texts(text: str) -> tuple[str, ...]:
    return tuple(line.strip() for line in text.splitlines() if line.strip())


def _between(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(_BETWEEN_FORMATS.strip()) if part.strip())
