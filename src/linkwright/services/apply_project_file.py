"""Makes the database as a project file says: creates what is missing, updates what differs, deletes nothing.

The file's whole content is checked first, and every fault named; then everything changes in one transaction, or
nothing does.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from django.db import models, transaction

from linkwright.engine.default_configuration import default_match_definition
from linkwright.engine.fields import parse_fields
from linkwright.engine.updates import UpdateMode
from linkwright.services.archive_project import archive_project, unarchive_project
from linkwright.services.attach_event_type import attach_event_type, change_update_mode
from linkwright.services.project_file import DEFAULT_MATCH, ProjectFile, ProjectPart, ReadFile, refused
from linkwright.services.project_file_faults import project_file_faults
from linkwright.store.audit_log import Actor, record_action
from linkwright.store.models import (
    DataProvider,
    EventType,
    ImportFormat,
    LinkageProject,
    MatchConfigurationVersion,
)
from linkwright.store.queries.attachments import find_attachment
from linkwright.store.settings import change_setting, read_setting

_Row = TypeVar("_Row", bound=models.Model)


@dataclass(frozen=True)
class Change:
    """One thing that applying the file does (or would do)."""

    action: str
    kind: str
    code: str
    fields: tuple[str, ...] = ()

    def __str__(self) -> str:
        detail = f" ({', '.join(self.fields)})" if self.fields else ""
        return f"{self.action} {self.kind} {self.code}{detail}"


def apply_project_file(read: ReadFile, actor: Actor, *, dry_run: bool = False) -> list[Change]:
    """Apply a project file.

    Returns: what was changed (with `dry_run`: what would be); empty if nothing differs.
    Raises:
        ConfigurationError: naming every fault of the file with its line; nothing was changed.
        ProjectStateError: if a project that it archives has jobs to do; nothing was changed.
    """
    faults = project_file_faults(read.content)
    if faults:
        raise refused(read.name, faults, read.lines)
    with transaction.atomic():
        changes = _Applier(actor).apply(read.content)
        if dry_run:
            transaction.set_rollback(True)
    return changes


class _Applier:
    """Writes one file's content, and remembers what it changed."""

    def __init__(self, actor: Actor) -> None:
        self._actor = actor
        self._changes: list[Change] = []

    def apply(self, content: ProjectFile) -> list[Change]:
        for provider in content.providers:
            self._put(DataProvider, "Data Provider", provider.code, provider.model_dump(exclude={"code"}))
        for part in content.import_formats:
            values = {"description": part.description, "definition": part.definition}
            self._put(ImportFormat, "Import Format", part.code, values)
        for event_type in content.event_types:
            references: dict[str, Any] = event_type.model_dump(exclude={"code"})
            references["provider"] = DataProvider.objects.get(code=event_type.provider)
            references["import_format"] = ImportFormat.objects.get(code=event_type.import_format)
            self._put(EventType, "Event Type", event_type.code, references)
        for project in content.projects:
            self._put_project(project)
        for name, value in content.settings.items():
            if read_setting(name) != value:
                change_setting(name, value, self._actor)
                self._changes.append(Change("change", "setting", name))
        return self._changes

    def _put_project(self, part: ProjectPart) -> None:
        values = part.model_dump(exclude={"code", "event_types", "fields", "match", "grouping", "archived"})
        values |= {"own_fields": part.fields, "grouping": part.grouping.model_dump()}
        is_new = not LinkageProject.objects.filter(code=part.code).exists()
        project = self._put(LinkageProject, "project", part.code, values)
        self._attach(project, part)
        if part.match == DEFAULT_MATCH or (part.match is None and is_new):
            self._put_match(project, default_match_definition(parse_fields(part.fields)))
        elif isinstance(part.match, dict):
            self._put_match(project, part.match)
        if part.archived is not None and part.archived != (project.archived_at is not None):
            # in the audit log by the services themselves
            if part.archived:
                archive_project(project.pk, self._actor, reason="The project file says so.")
            else:
                unarchive_project(project.pk, self._actor)
            self._changes.append(Change("archive" if part.archived else "unarchive", "project", part.code))

    def _attach(self, project: LinkageProject, part: ProjectPart) -> None:
        """Attach what is missing, and set the update modes that are named; what is left out stays attached."""
        newly = []
        for wanted in part.event_types:
            found = find_attachment(project, wanted.code)
            if found is None or not found.is_attached:
                mode = wanted.updates or UpdateMode.REJECT
                attach_event_type(project, wanted.code, self._actor, updates=mode)
                newly.append(wanted.code)
            elif wanted.updates is not None and found.updates != wanted.updates:
                change_update_mode(project, wanted.code, self._actor, updates=wanted.updates)
                change = f"{found.updates} to {wanted.updates.value}"
                self._changes.append(
                    Change("change update mode of", "Event Type", f"{wanted.code} in {project.code}", (change,))
                )
        if newly:
            codes = ", ".join(sorted(newly))
            # each of them stands in the audit log already
            self._changes.append(Change("attach Event Types to", "project", part.code, (codes,)))

    def _put_match(self, project: LinkageProject, definition: Mapping[str, Any]) -> None:
        newest = MatchConfigurationVersion.objects.filter(project=project).order_by("-version").first()
        if newest is not None and newest.definition == definition:
            return
        version = 1 if newest is None else newest.version + 1
        MatchConfigurationVersion.objects.create(
            project=project, version=version, definition=dict(definition), created_by=self._actor.user
        )
        self._note(Change("create", "match configuration", f"{project.code} version {version}"))

    def _put(self, model: type[_Row], kind: str, code: str, values: Mapping[str, Any]) -> _Row:
        row = model._default_manager.filter(code=code).first()  # noqa: SLF001 - Django's public name for it
        if row is None:
            row = model._default_manager.create(code=code, **values)  # noqa: SLF001
            self._note(Change("create", kind, code))
            return row
        differing = [name for name, value in values.items() if getattr(row, name) != value]
        if differing:
            for name in differing:
                setattr(row, name, values[name])
            row.save(update_fields=differing)
            self._note(Change("update", kind, code, tuple(differing)))
        return row

    def _note(self, change: Change) -> None:
        self._changes.append(change)
        record_action(
            self._actor,
            f"{change.action} {change.kind}",
            change.code,
            detail={"fields": list(change.fields), "from": "project file"},
        )
