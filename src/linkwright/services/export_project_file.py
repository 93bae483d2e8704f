"""Writes a project file of what there is: services/project_file.py reads it, and apply leaves all as it is.

The same content gives the same bytes, whatever database holds it: keys stand in the order of the forms that
declare them, all else by code or name. Holds no records, no people, and no term frequencies: a job builds those.
Of Extraction Projects it holds neither results nor snapshots, nor anything that Person Keys follow from.

Source: SPEC section 8.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

import yaml
from django.db.models import Q

from linkwright.engine.comparisons import Comparison, ComparisonLevel, TermFrequency
from linkwright.engine.import_format import ImportFormat as ImportFormatForm
from linkwright.engine.strategy import MatchConfiguration, Strategy
from linkwright.services.default_match import declared_default
from linkwright.services.project_file import (
    ColumnPart,
    EventTypePart,
    GroupingPart,
    ImportFormatPart,
    ProjectFile,
    ProjectPart,
    ProviderPart,
)
from linkwright.store.audit_log import Actor, record_action
from linkwright.store.models import (
    ATTACHED,
    AttachedEventType,
    DataProvider,
    EventType,
    ExtractionProject,
    ImportFormat,
    LinkageProject,
    MatchConfigurationVersion,
)
from linkwright.store.settings import SETTINGS, SettingError, check_setting, read_settings

FILE_NAME = "linkwright.yaml"
_HEAD = "# A project file of Linkwright: `linkwright apply FILE` makes a server as it says, and deletes nothing.\n"
_LINE_WIDTH = 115


class _Dumper(yaml.SafeDumper):
    """Writes every value out: two equal values are no reason for an anchor."""

    def ignore_aliases(self, data: object) -> bool:  # noqa: ARG002 - PyYAML's signature
        return True


def _represent_text(dumper: yaml.SafeDumper, text: str) -> yaml.Node:
    # PyYAML's other styles lose line ends that are none to most eyes, such as U+0085
    style = None if text.isprintable() else '"'
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _represent_text)


def _ranks(*forms: Iterable[str]) -> dict[str, int]:
    names = dict.fromkeys(name for form in forms for name in form)
    return {name: rank for rank, name in enumerate(names)}


_FORMAT_RANKS = _ranks(ImportFormatPart.model_fields, ImportFormatForm.model_fields, ("start", "width"))
_MATCH_RANKS = _ranks(
    *(form.model_fields for form in (MatchConfiguration, Strategy, Comparison, ComparisonLevel, TermFrequency))
)
_PROJECT_RANKS = _ranks(ProjectPart.model_fields)


def export_project_file(actor: Actor, project: LinkageProject | None = None) -> str:
    """Return the YAML of everything, or of one project with the catalog entries that it needs, no Settings."""
    record_action(
        actor,
        "export project file",
        project.code if project else "everything",
        project_code=project.code if project else "",
    )
    event_types = EventType.objects.select_related("provider", "import_format").order_by("code")
    providers = DataProvider.objects.order_by("code")
    formats = ImportFormat.objects.order_by("code")
    projects = LinkageProject.objects.order_by("code")
    if project is not None:
        projects = projects.filter(pk=project.pk)
        attached = AttachedEventType.objects.filter(ATTACHED, project=project).values("event_type")
        shown = ExtractionProject.event_types.through.objects.filter(extractionproject__project=project)
        event_types = event_types.filter(Q(pk__in=attached) | Q(pk__in=shown.values("eventtype")))
        providers = providers.filter(event_types__in=event_types).distinct()
        formats = formats.filter(event_types__in=event_types).distinct()
    return write_project_file(
        {
            "providers": [_values(ProviderPart.model_fields, row) for row in providers],
            "import_formats": [_import_format(row) for row in formats],
            "event_types": [_event_type(row) for row in event_types],
            "default_match": _default_match() if project is None else {},
            "projects": _projects(list(projects)),
            "settings": _settings() if project is None else {},
        }
    )


def write_project_file(sections: Mapping[str, Any]) -> str:
    """Write the sections that hold anything, in the order of the form, with a blank line between them."""
    written = [
        yaml.dump(
            {name: sections[name]},
            Dumper=_Dumper,
            sort_keys=False,
            allow_unicode=True,
            default_flow_style=None,
            width=_LINE_WIDTH,
        )
        for name in ProjectFile.model_fields
        if sections.get(name)
    ]
    # an empty map, not an empty file: that would be no project file
    return "\n".join([_HEAD, *(written or ["{}\n"])])


def _values(names: Iterable[str], row: DataProvider | EventType) -> dict[str, Any]:
    """Return a row's values in the order of the form, without those that are empty or not so."""
    values = {name: getattr(row, name) for name in names}
    return {name: value for name, value in values.items() if value not in ("", False)}


def _event_type(row: EventType) -> dict[str, Any]:
    own = _values([name for name in EventTypePart.model_fields if name not in {"provider", "import_format"}], row)
    values = {**own, "provider": row.provider.code, "import_format": row.import_format.code}
    return {name: values[name] for name in EventTypePart.model_fields if name in values}


def _import_format(row: ImportFormat) -> dict[str, Any]:
    own = {"code": row.code, "description": row.description} if row.description else {"code": row.code}
    ordered: dict[str, Any] = _in_order({**own, **row.definition}, _FORMAT_RANKS)
    return ordered


def _projects(rows: Sequence[LinkageProject]) -> list[dict[str, Any]]:
    attached: dict[int, list[dict[str, Any]]] = {}
    found = AttachedEventType.objects.filter(ATTACHED, project__in=rows).order_by("event_type__code")
    for key, code, updates in found.values_list("project", "event_type__code", "updates"):
        attached.setdefault(key, []).append({"code": code, "updates": updates})
    # by project and version, ascending: the newest stays
    versions = MatchConfigurationVersion.objects.filter(project__in=rows).order_by("project", "version")
    match = dict(versions.values_list("project", "definition"))
    extractions: dict[int, list[dict[str, Any]]] = {}
    for one in ExtractionProject.objects.filter(project__in=rows).prefetch_related("event_types").order_by("code"):
        codes = {event_type["code"] for event_type in attached.get(one.project_id, [])}
        extractions.setdefault(one.project_id, []).append(_extraction_project(one, codes))
    return [
        _project(row, attached.get(row.pk, []), match.get(row.pk), extractions.get(row.pk, [])) for row in rows
    ]


def _extraction_project(row: ExtractionProject, attached: Collection[str]) -> dict[str, Any]:
    codes = sorted(event_type.code for event_type in row.event_types.all())
    values = {
        "code": row.code,
        "name": row.name,
        "approval_reference": row.approval_reference,
        "kind": row.kind,
        # one that was detached since shows nothing more, but belongs to it for ever
        "event_types": [code if code in attached else {"code": code, "detached": True} for code in codes],
        "columns": [{name: one[name] for name in ColumnPart.model_fields} for one in row.columns],
        # as it stands: the default could be another one elsewhere
        "file_format": row.file_format,
        "keep_results_days": row.keep_results_days,
    }
    return {**values, "closed": True} if row.closed_at is not None else values


def _project(
    row: LinkageProject,
    attached: Sequence[Mapping[str, Any]],
    match: Mapping[str, Any] | None,
    extractions: Sequence[Mapping[str, Any]],
) -> dict[str, Any]:
    values: dict[str, Any] = {
        "code": row.code,
        "name": row.name,
        "description": row.description,
        "notification_email": row.notification_email,
        "event_types": list(attached),
        "fields": _in_order(row.own_fields, {}),
        "archived": True if row.archived_at is not None else None,
        "match": _in_order(match, _MATCH_RANKS) if match is not None else None,
        # as it stands: a key that is left out could get another default in a later version
        "grouping": GroupingPart.model_validate(row.grouping).model_dump(),
        "extraction_projects": list(extractions),
    }
    chosen = {name: value for name, value in values.items() if value not in ("", [], {}, None)}
    chosen["keep_unused_columns"] = row.keep_unused_columns
    ordered: dict[str, Any] = _in_order(chosen, _PROJECT_RANKS, depth=1)
    return ordered


def _default_match() -> Any:
    declared = declared_default()
    return _in_order(declared, _MATCH_RANKS) if declared is not None else {}


def _settings() -> dict[str, Any]:
    """Return the Settings that differ from their default, by name; one that is no longer taken is left out."""
    values = read_settings("")
    return {name: _in_order(values[name], {}) for name in sorted(SETTINGS) if _is_chosen(name, values[name])}


def _is_chosen(name: str, value: object) -> bool:
    if value == SETTINGS[name].default:
        return False
    try:
        check_setting(name, value)
    except SettingError:
        # the bounds have changed since: a file that holds it would be refused as a whole
        return False
    return True


def _in_order(value: Any, ranks: Mapping[str, int], depth: int = -1) -> Any:
    """Return plain values with their keys in the order of the ranks, then by name; `depth` levels down, or all."""
    if depth == 0:
        return value
    if isinstance(value, Mapping):
        keys = sorted(value, key=lambda key: (ranks.get(key, len(ranks)), key))
        return {key: _in_order(value[key], ranks, depth - 1) for key in keys}
    if isinstance(value, list):
        return [_in_order(item, ranks, depth - 1) for item in value]
    return value
