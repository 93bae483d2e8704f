"""Commands that explain linkage: why two records are a pair or not, and what holds a group together."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from linkwright.cli.tables import data_console, shown
from linkwright.config import load_config
from linkwright.engine.charts import render_svg_file
from linkwright.engine.explanation import FieldPart, PairExplanation
from linkwright.engine.waterfall import waterfall_plot
from linkwright.services.explain_group import ExplainedGroup, HistoryEntry, explain_group, group_of_record
from linkwright.services.explain_pair import ExplainedPair, explain_pair
from linkwright.services.prepare_database import prepare_database
from linkwright.store.audit_log import COMMAND_LINE
from linkwright.warehouse.group_history import GroupEventKind
from linkwright.warehouse.live_files import RecordKey

LISTED_COUNT = 100
_LONGEST_VALUE = 40
_RECORD = "EVENT_TYPE:SOURCE_UNIQUE_ID"
_ONE_OF_TWO = f"name a record ({_RECORD}) or give --id, one of the two"


def explain(  # noqa: PLR0917 - typer calls it by name
    project: Annotated[str, typer.Argument(help="Linkage Project code.")],
    one: Annotated[str, typer.Argument(metavar=_RECORD, help="A record.")],
    other: Annotated[str, typer.Argument(metavar=_RECORD, help="Another record.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    svg: Annotated[Path | None, typer.Option(help="Draw the waterfall of the match weight to this file.")] = None,
    version: Annotated[
        int | None,
        typer.Option(help="Version of the match configuration (default: the one that matched the records)."),
    ] = None,
) -> None:
    """Explain two records: rules, levels, weights, thresholds, and why they are in one group or not."""
    keys = (_record_key(one, "ONE"), _record_key(other, "OTHER"))
    config = load_config()
    prepare_database(config)
    explained = explain_pair(config, COMMAND_LINE, project, keys, version)
    if svg is not None:
        _draw(explained, svg)
    if as_json:
        typer.echo(json.dumps(explained.as_plain(), indent=2, ensure_ascii=False))
    else:
        _print_pair(explained, data_console())


def group(
    project: Annotated[str, typer.Argument(help="Linkage Project code.")],
    record: Annotated[str | None, typer.Argument(metavar=f"[{_RECORD}]", help="A record of the group.")] = None,
    group_id: Annotated[int | None, typer.Option("--id", help="The group's id, instead of a record.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Show a group: its records, the pairs that hold it together, and its history."""
    if (record is None) is (group_id is None):
        raise typer.BadParameter(_ONE_OF_TWO)
    key = None if record is None else _record_key(record, "RECORD")
    config = load_config()
    prepare_database(config)
    if key is not None:
        group_id = group_of_record(config, COMMAND_LINE, project, key)
    explained = explain_group(config, COMMAND_LINE, project, group_id or 0)
    if as_json:
        typer.echo(json.dumps(explained.as_plain(), indent=2, ensure_ascii=False))
    else:
        _print_group(explained, data_console())


def _record_key(text: str, hint: str) -> RecordKey:
    event_type, colon, source_unique_id = text.partition(":")
    if not (event_type and colon and source_unique_id):
        raise typer.BadParameter(f"{text!r} is not {_RECORD}", param_hint=hint)
    return RecordKey(event_type, source_unique_id)


def _draw(explained: ExplainedPair, path: Path) -> None:
    if explained.drawn is None:
        raise typer.BadParameter("every strategy is deterministic: there is no weight to draw", param_hint="--svg")
    try:
        path.write_text(render_svg_file(waterfall_plot(explained.drawn)), encoding="utf-8")
    except OSError as error:
        raise typer.BadParameter(f"{path} cannot be written: {error.strerror}", param_hint="--svg") from error


def _print_pair(explained: ExplainedPair, console: Console) -> None:
    records = Table("record", "id", "Envelope", "group", box=None)
    for record in explained.records:
        envelope = f"{record.envelope.pk} ({record.envelope.name})"
        records.add_row(shown(str(record.key)), str(record.record_id), shown(envelope), str(record.group_id))
    console.print(records)
    console.print(f"\nMatch configuration version {explained.version}: {shown(explained.version_origin)}.")
    for strategy in explained.strategies:
        _print_strategy(strategy, explained, console)
    console.print(f"\n{explained.stored_text}\n{explained.group_text}")
    if explained.path is not None and len(explained.path) > 1:
        path = Table("from", "to", "weight", "strategy", box=None)
        for link in explained.path:
            path.add_row(shown(str(link.start)), shown(str(link.end)), _weight(link.match_weight), link.strategy)
        console.print(path)


def _print_strategy(strategy: PairExplanation, explained: ExplainedPair, console: Console) -> None:
    brought = "; ".join(strategy.rules) or "none: it does not compare them"
    console.print(
        f"\nStrategy {strategy.strategy}: {strategy.verdict}\nBlocking rules that bring them together: {brought}"
    )
    if strategy.is_deterministic:
        console.print("Deterministic: every pair that a rule brings together is a match.")
        return
    hidden = "" if explained.values_shown else " (hidden)"
    table = Table("", f"left{hidden}", f"right{hidden}", "level", "m", "u", "weight", "sum", box=None)
    for name in ("m", "u", "weight", "sum"):
        next(column for column in table.columns if column.header == name).justify = "right"
    at = strategy.prior_weight
    table.add_row("prior", "", "", f"{explained.prior:g}", "", "", _weight(at), _weight(at))
    for part in strategy.parts:
        at += part.weight
        m, u = ("" if one is None else f"{one:.6g}" for one in (part.m_probability, part.u_probability))
        table.add_row(part.comparison, *_sides(part), part.level, m, u, _weight(part.weight), _weight(at))
        if part.frequency_weight:
            at += part.frequency_weight
            table.add_row("", "", "", "how frequent it is", "", "", _weight(part.frequency_weight), _weight(at))
    console.print(table)
    console.print(
        f"Match weight {_weight(strategy.match_weight or 0.0)}; match from {strategy.match_threshold:g}, "
        f"review from {strategy.review_threshold:g}"
    )


def _sides(part: FieldPart) -> tuple[str, str]:
    if part.values is None:
        return "", ""
    left = " / ".join(_value(one.left) for one in part.values)
    right = " / ".join(_value(one.right) for one in part.values)
    return left, right


def _value(text: str | None) -> str:
    if text is None:
        return "-"
    value = shown(text)
    return value if len(value) <= _LONGEST_VALUE else f"{value[: _LONGEST_VALUE - 1]}…"


def _weight(weight: float) -> str:
    return f"{weight:+.4f}" if abs(weight) != float("inf") else "infinite"


def _print_group(explained: ExplainedGroup, console: Console) -> None:
    keys = explained.keys
    there_are = f"{len(explained.members):,} records" if explained.members else "no records today"
    console.print(f"Group {explained.group_id} of {explained.project_code}: {there_are}")
    for flag in explained.flags:
        console.print(f"Flagged: {flag}")
    if explained.members:
        members = Table("record", "id", "Envelope", box=None)
        for one in explained.members[:LISTED_COUNT]:
            envelope = f"{one.envelope.pk} ({one.envelope.name})"
            members.add_row(shown(str(one.key)), str(one.record_id), shown(envelope))
        _print_listed(members, len(explained.members), "\nRecords", console)
    if explained.links:
        links = Table("from", "to", "weight", "strategy", box=None)
        for link in explained.links[:LISTED_COUNT]:
            left, right = (shown(str(keys[record])) for record in (link.record_id_l, link.record_id_r))
            links.add_row(left, right, _weight(link.match_weight), link.strategy)
        _print_listed(links, explained.links_count, "\nAccepted pairs", console)
    history = Table("when", "Envelope", "what happened", box=None)
    for entry in explained.history:
        history.add_row(f"{entry.at:%Y-%m-%d %H:%M:%S}", shown(entry.by), _event_text(entry))
    _print_listed(history, len(explained.history), "\nHistory", console)


def _print_listed(table: Table, count: int, title: str, console: Console) -> None:
    left_out = f" ({table.row_count:,} of {count:,}; --json lists more)" if table.row_count < count else ""
    console.print(f"{title}{left_out}")
    console.print(table)


_EVENT_TEXTS = {
    GroupEventKind.CREATED: "created with {records}",
    GroupEventKind.JOINED: "joined by {records}",
    GroupEventKind.ABSORBED: "took in all of group {other}: {records}",
    GroupEventKind.TOOK_OVER: "took over from group {other}: {records}",
    GroupEventKind.ABSORBED_INTO: "went into group {other}: {records}",
    GroupEventKind.SPLIT_OFF: "gave to group {other}: {records}",
    GroupEventKind.DELETED: "deleted: {records}",
    GroupEventKind.REPLACED: "replaced by a new version: {records}",
}
_NAMED_RECORDS = 5


def _event_text(entry: HistoryEntry) -> str:
    return _EVENT_TEXTS[entry.event.kind].format(other=entry.event.other_group_id, records=_named(entry.records))


def _named(records: Sequence[RecordKey]) -> str:
    named = ", ".join(shown(str(key)) for key in records[:_NAMED_RECORDS])
    more = len(records) - _NAMED_RECORDS
    return f"{named} and {more:,} more" if more > 0 else named
