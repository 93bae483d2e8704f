"""Tells where each linkage field of a project comes from, how it is standardised, and what uses it.

Values that records hold are shown to those who may see them, and that stands in the audit log; to others, made-up
examples.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from linkwright.config import ServerConfig
from linkwright.engine.blocking import rule_text
from linkwright.engine.cleaning import CleaningRules
from linkwright.engine.cleaning_words import CLEANING_WORDS
from linkwright.engine.date_formats import DEFAULT_DATE_FORMATS
from linkwright.engine.fields import FieldType, LinkageField
from linkwright.engine.import_format import ImportFormat, parse_import_format
from linkwright.engine.strategy import MatchConfiguration
from linkwright.errors import ConfigurationError
from linkwright.jobs.project_form import linkage_fields
from linkwright.services.live_project import may_see_values, open_live_project
from linkwright.services.match_history import read_version
from linkwright.store.audit_log import Actor, record_action
from linkwright.store.models import EventType, LinkageProject
from linkwright.store.queries.attachments import attached_event_types
from linkwright.warehouse.cleaning_preview import Standardised, read_held_values, standardise_texts

HELD_VALUES_COUNT = 5


@dataclass(frozen=True)
class FieldSource:
    """A column that a field comes from; `date_formats` are of a date alone."""

    event_type: str
    import_format: str
    column: str
    date_formats: Sequence[str]


@dataclass(frozen=True)
class FieldUse:
    """What one strategy does with a field: the rules that block on it, the comparisons that look at it."""

    strategy: str
    rules: Sequence[str]
    comparisons: Sequence[str]


@dataclass(frozen=True)
class FieldOverview:
    """One linkage field.

    Args:
        field: name and type.
        is_own: whether it is the project's own.
        sources: columns that it comes from.
        steps: of its standardisation, in words.
        examples: made-up values, standardised.
        held: values that records hold; None if they are not shown.
        uses: strategies that use it.
    """

    field: LinkageField
    is_own: bool
    sources: Sequence[FieldSource]
    steps: Sequence[str]
    examples: Sequence[Standardised]
    held: Sequence[str] | None
    uses: Sequence[FieldUse]


def read_linkage_fields(
    config: ServerConfig, actor: Actor, project: LinkageProject, *, shows_values: bool = False
) -> list[FieldOverview]:
    """List the project's linkage fields.

    Args:
        config: of this server.
        actor: who looks.
        project: of the fields.
        shows_values: whether values that records hold are wanted; whoever may not see them gets none.

    Raises:
        StorageError: if a file cannot be read.
    """
    fields = linkage_fields(project)
    sources = _sources(project, fields)
    version = read_version(project)
    configuration = version.configuration if version else None
    held: Mapping[str, Sequence[str]] | None = None
    with open_live_project(config, project) as live:
        live.limits.scratch_folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        texts = [(field, CLEANING_WORDS[field.type].examples) for field in fields]
        examples = standardise_texts(live.limits, texts, _rules(fields))
        if shows_values and may_see_values(actor, project):
            held = read_held_values(live.limits, live.files, fields, HELD_VALUES_COUNT)
    if held:
        record_action(
            actor,
            "see identifying values",
            "values of linkage fields",
            project_code=project.code,
            detail={"fields": sorted(held)},
        )
    return [
        FieldOverview(
            field=field,
            is_own=field.name in project.own_fields,
            sources=sources.get(field.name, ()),
            steps=CLEANING_WORDS[field.type].steps,
            examples=shown,
            held=None if held is None else held.get(field.name, ()),
            uses=_uses(field.name, configuration),
        )
        for field, shown in zip(fields, examples, strict=True)
    ]


def _rules(fields: Sequence[LinkageField]) -> CleaningRules:
    dates = {field.name: DEFAULT_DATE_FORMATS for field in fields if field.type is FieldType.DATE}
    return CleaningRules(date_formats=dates)


def _sources(project: LinkageProject, fields: Sequence[LinkageField]) -> dict[str, list[FieldSource]]:
    found: dict[str, list[FieldSource]] = {}
    for event_type in attached_event_types(project).select_related("import_format"):
        read = _import_format(event_type, fields)
        if read is None:
            continue
        for field in fields:
            column = read.columns.get(field.name)
            if column is None:
                continue
            formats = read.date_formats_of(field.name) if field.type is FieldType.DATE else ()
            source = FieldSource(event_type.code, event_type.import_format.code, _column_words(column), formats)
            found.setdefault(field.name, []).append(source)
    return found


def _import_format(event_type: EventType, fields: Sequence[LinkageField]) -> ImportFormat | None:
    try:
        return parse_import_format(event_type.import_format.definition, fields)
    except ConfigurationError:
        # a format that does not fit maps nothing; Validate says so when a file comes
        return None


def _column_words(column: object) -> str:
    if isinstance(column, int):
        return f"column {column}"
    start, width = getattr(column, "start", None), getattr(column, "width", None)
    return str(column) if start is None else f"characters {start} to {start + width - 1}"


def _uses(name: str, configuration: MatchConfiguration | None) -> list[FieldUse]:
    uses = []
    for strategy in configuration.strategies if configuration else ():
        rules = [
            rule_text(rule)
            for rule in strategy.blocking_rules
            if any(name in {part.field, part.swapped_with} for part in rule)
        ]
        comparisons = [
            f"{item.name} ({item.method.value})" for item in strategy.comparisons if name in item.columns
        ]
        if rules or comparisons:
            uses.append(FieldUse(strategy.name, rules, comparisons))
    return uses
