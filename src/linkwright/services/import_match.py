"""Makes a file the new version of a match configuration: a trained Splink model, or Linkwright's own form.

The file is checked whole, and every fault named; then one version is added, or nothing changes.
"""

import json
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

from django.db import transaction

from linkwright.engine.fields import STANDARD_FIELDS, LinkageField
from linkwright.engine.splink_import import (
    SplinkImportOptions,
    is_splink_settings,
    match_definition_from_splink,
)
from linkwright.engine.strategy import parse_match_configuration
from linkwright.errors import ConfigurationError
from linkwright.jobs.project_form import linkage_fields
from linkwright.services.match_versions import add_match_version, find_project
from linkwright.services.project_file import LineFinder, parse_yaml, read_text, refused
from linkwright.services.save_default_match import save_default_match
from linkwright.services.save_match import MatchDraft
from linkwright.store.audit_log import Actor


class ImportedMatch(NamedTuple):
    """What an import did, or would do.

    version: the number of the new version; None if nothing differs.
    notes: full sentences: how a Splink model is meant here, where that is not plain.
    """

    version: int | None
    notes: tuple[str, ...]


class ReadMatch(NamedTuple):
    """A match configuration that was read from a file.

    definition: plain data for `parse_match_configuration`, which it has passed.
    notes: full sentences: how a Splink model is meant here.
    source: what was read, in words.
    """

    definition: dict[str, Any]
    notes: tuple[str, ...]
    source: str


def import_match(
    project_code: str,
    path: Path,
    actor: Actor,
    *,
    options: SplinkImportOptions | None = None,
    dry_run: bool = False,
) -> ImportedMatch:
    """Add a version of a project's match configuration.

    Args:
        project_code: of the Linkage Project.
        path: JSON that Splink saved, or a match configuration as `match` of a project file has it (YAML or JSON);
            the content decides.
        actor: who imports it.
        options: what a Splink model does not say; for a Splink model only.
        dry_run: find out everything, and change nothing.

    Raises:
        UnknownProjectError: if there is no such project.
        ConfigurationError: naming every fault of the file, with its line where it has one.
    """
    project = find_project(project_code)
    read = read_match(read_text(path), path.name, linkage_fields(project), options)
    with transaction.atomic():
        version = add_match_version(project, read.definition, actor, read.source)
        if dry_run:
            transaction.set_rollback(True)
    return ImportedMatch(version.version if version else None, read.notes)


def import_default_match(
    path: Path, actor: Actor, *, options: SplinkImportOptions | None = None, dry_run: bool = False
) -> ImportedMatch:
    """Add a version of the default match configuration; projects that there are keep theirs.

    Args:
        path: as `import_match` takes it, for the standard linkage fields.
        actor: who imports it.
        options: what a Splink model does not say; for a Splink model only.
        dry_run: find out everything, and change nothing.

    Raises:
        ConfigurationError: naming every fault of the file, with its line where it has one.
    """
    read = read_match(read_text(path), path.name, STANDARD_FIELDS, options)
    with transaction.atomic():
        version = save_default_match(MatchDraft(read.definition, source=read.source, checks_base=False), actor)
        if dry_run:
            transaction.set_rollback(True)
    return ImportedMatch(version.version if version else None, read.notes)


def read_match(
    text: str, name: str, fields: tuple[LinkageField, ...], options: SplinkImportOptions | None = None
) -> ReadMatch:
    """Read a match configuration from the text of a file; the content decides what it is.

    Args:
        text: JSON that Splink saved, or Linkwright's own form in YAML or JSON.
        name: of the file, for the faults.
        fields: the project's linkage fields.
        options: what a Splink model does not say; for a Splink model only.

    Raises:
        ConfigurationError: naming every fault of the file, with its line where it has one.
    """
    # YAML takes a number such as 1e-06, which JSON may hold, for text
    is_json = text.lstrip().startswith("{")
    data, lines = _parse_json(text, name) if is_json else parse_yaml(text, name)
    try:
        if is_splink_settings(data):
            imported = match_definition_from_splink(data, fields, options=options)
            return ReadMatch(imported.definition, imported.notes, f"Splink model {name}")
        return ReadMatch(_own_form(data, fields, options), (), name)
    except ConfigurationError as error:
        if lines is None:
            raise ConfigurationError(f"{name} is refused; nothing was changed.", error.faults) from error
        raise refused(name, error.faults, lines) from error


def _own_form(
    data: object, fields: tuple[LinkageField, ...], options: SplinkImportOptions | None
) -> dict[str, Any]:
    if not isinstance(data, dict) or "strategies" not in data:
        fault = (
            "It is neither a model that Splink saved (which has the key comparisons) nor a match configuration "
            "(which has the keys prior and strategies). Name another file."
        )
        raise ConfigurationError("The file is no match configuration.", [fault])
    if options is not None:
        fault = (
            "Columns, strategy and thresholds are asked for with a Splink model only; this file says them itself."
        )
        raise ConfigurationError("The file needs no options.", [f"{fault} Leave them out."])
    parse_match_configuration(data, fields, "")
    return data


def _parse_json(text: str, name: str) -> tuple[object, LineFinder | None]:
    try:
        data = json.loads(text, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise ConfigurationError(f"{name} is no JSON that can be read.", [f"{error}. Save it again."]) from error
    try:
        return data, parse_yaml(text, name)[1]
    except ConfigurationError:
        # JSON with tabs is no YAML: its faults are told without their lines
        return data, None


def _refuse_constant(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no number that can be computed with")
