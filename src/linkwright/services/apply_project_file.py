"""Makes the database as a project file says: creates what is missing, updates what differs, deletes nothing.

The file's whole content is checked first, and every fault named; then everything changes in one transaction, or
nothing does.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db import transaction

from linkwright.engine.fields import parse_fields
from linkwright.engine.update_mode import UpdateMode
from linkwright.services.archive_project import archive_project, unarchive_project
from linkwright.services.attach_event_type import attach_event_type, change_update_mode
from linkwright.services.catalog_rows import Saved, Saving, save_row
from linkwright.services.default_match import first_match
from linkwright.services.match_versions import add_match_version
from linkwright.services.project_file import DEFAULT_MATCH, ProjectFile, ProjectPart, ReadFile, refused
from linkwright.services.project_file_faults import project_file_faults
from linkwright.services.put_extraction_project import put_extraction_project
from linkwright.services.save_default_match import save_default_match
from linkwright.services.save_event_type import write_event_type
from linkwright.services.save_import_format import write_import_format
from linkwright.services.save_match import MatchDraft
from linkwright.services.save_provider import save_provider
from linkwright.store.audit_log import Actor
from linkwright.store.models import LinkageProject
from linkwright.store.queries.attachments import find_attachment
from linkwright.store.settings import change_setting, read_setting

FROM_FILE = "project file"


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
        KeyringError: if it creates an Extraction Project, and the server's secret for Person Keys is gone.
    """
    faults = project_file_faults(read.content)
    if faults:
        raise refused(read.name, faults, read.lines)
    with transaction.atomic():
        changes = _Applier(actor, dry_run=dry_run).apply(read.content)
        if dry_run:
            transaction.set_rollback(True)
    return changes


class _Applier:
    """Writes one file's content, and remembers what it changed."""

    def __init__(self, actor: Actor, *, dry_run: bool) -> None:
        self._actor = actor
        self._dry_run = dry_run
        self._changes: list[Change] = []

    def apply(self, content: ProjectFile) -> list[Change]:
        how = Saving(self._actor, source=FROM_FILE)
        for provider in content.providers:
            self._saved("Data Provider", provider.code, save_provider(provider, how))
        # these two were checked with the fields that the same file declares, which are not stored yet
        for part in content.import_formats:
            self._saved("Import Format", part.code, write_import_format(part, how))
        for event_type in content.event_types:
            self._saved("Event Type", event_type.code, write_event_type(event_type, how))
        if content.default_match is not None:
            self._put_default(content.default_match)
        for project in content.projects:
            self._put_project(project)
        for name, value in content.settings.items():
            if read_setting(name) != value:
                change_setting(name, value, self._actor)
                self._changes.append(Change("change", "setting", name))
        # after the settings, which say how long results are kept; and after archiving, which open jobs prevent: a
        # snapshot is one
        for project in content.projects:
            self._put_extraction_projects(project)
        return self._changes

    def _put_project(self, part: ProjectPart) -> None:
        values = part.model_dump(include={"name", "description", "notification_email", "keep_unused_columns"})
        values |= {"own_fields": part.fields, "grouping": part.grouping.model_dump()}
        is_new = not LinkageProject.objects.filter(code=part.code).exists()
        how = Saving(self._actor, source=FROM_FILE)
        self._saved("project", part.code, save_row(LinkageProject, "project", part.code, values, how))
        project = LinkageProject.objects.get(code=part.code)
        self._attach(project, part)
        if part.match == DEFAULT_MATCH or (part.match is None and is_new):
            first = first_match(parse_fields(part.fields))
            self._put_match(project, first.definition, f"{FROM_FILE}: {first.source}")
        elif isinstance(part.match, dict):
            self._put_match(project, part.match, FROM_FILE)
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

    def _put_extraction_projects(self, part: ProjectPart) -> None:
        project = LinkageProject.objects.get(code=part.code)
        for one in part.extraction_projects:
            for saved in put_extraction_project(project, one, self._actor, dry_run=self._dry_run):
                self._saved("Extraction Project", f"{one.code} of {project.code}", saved)

    def _put_default(self, declared: Mapping[str, Any] | str) -> None:
        definition = declared if isinstance(declared, Mapping) else {}
        draft = MatchDraft(definition, source=FROM_FILE, checks_base=False)
        version = save_default_match(draft, self._actor)
        if version is not None:
            # it stands in the audit log already
            self._changes.append(Change("create", "default match configuration", f"version {version.version}"))

    def _put_match(self, project: LinkageProject, definition: Mapping[str, Any], source: str) -> None:
        version = add_match_version(project, definition, self._actor, source, keeps_frequencies=True)
        if version is not None:
            # it stands in the audit log already
            self._changes.append(
                Change("create", "match configuration", f"{project.code} version {version.version}")
            )

    def _saved(self, kind: str, code: str, saved: Saved) -> None:
        """Remember what was saved; it stands in the audit log already."""
        if saved.action:
            self._changes.append(Change(saved.action, kind, code, saved.fields))
