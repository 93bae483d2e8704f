"""Whose a match configuration is: a project's, or the server's as the default of new projects.

The pages of both are the same; here is what differs: addresses, linkage fields, the services that read and save.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence

from django.urls import reverse

from linkwright.engine.configuration_differences import Difference
from linkwright.engine.fields import STANDARD_FIELDS, LinkageField
from linkwright.jobs.project_form import linkage_fields
from linkwright.services.default_match import (
    default_differences,
    list_default_versions,
    read_default_version,
)
from linkwright.services.export_match import (
    export_default_match,
    export_default_splink_settings,
    export_match,
    export_splink_settings,
)
from linkwright.services.match_history import (
    ReadVersion,
    VersionLine,
    list_versions,
    read_version,
    version_differences,
)
from linkwright.services.save_default_match import save_default_match
from linkwright.services.save_match import MatchDraft, save_match
from linkwright.store.audit_log import Actor
from linkwright.store.models import LinkageProject


class MatchHome(ABC):
    """Where a match configuration is at home.

    Attributes:
        project: None for the default.
        fields: the linkage fields that it may use.
        name: what a heading calls it.
        file_stem: what its downloads are called.
    """

    project: LinkageProject | None
    fields: tuple[LinkageField, ...]
    name: str
    file_stem: str

    @property
    def is_default(self) -> bool:
        """Whether it is the default of new projects."""
        return self.project is None

    @property
    def urls(self) -> Mapping[str, str]:
        """The addresses of its pages: page, differences, download, edit, check, upload, try."""
        prefix = "match" if self.project else "default-match"
        args = [self.project.code] if self.project else []
        named = {"page": "match-configuration" if self.project else "default-match"}
        named |= {one: f"{prefix}-{one}" for one in ("differences", "download", "edit", "check", "upload", "try")}
        return {one: reverse(route, args=args) for one, route in named.items()}

    @property
    def trial_projects(self) -> Sequence[str]:
        """Codes of the projects on whose records the default can be tried; a project is tried on its own."""
        return ()

    @abstractmethod
    def lines(self) -> Sequence[VersionLine]:
        """Return the history, newest first."""

    @abstractmethod
    def read(self, number: int | None = None) -> ReadVersion | None:
        """Return a version, the newest if none is named; None if there is none at all.

        Raises:
            UnknownVersionError: if a number is given, and there is no such version.
        """

    @abstractmethod
    def differences(self, old: int, new: int) -> Sequence[Difference]:
        """Return what differs between two versions.

        Raises:
            ConfigurationError: if one of them does not fit the linkage fields any more.
        """

    @abstractmethod
    def save(self, draft: MatchDraft, actor: Actor) -> int | None:
        """Save a draft; returns the number of the new version, None if nothing differs.

        Raises:
            ConfigurationError: naming every fault.
            MatchChangedError: if somebody saved another version since.
        """

    @abstractmethod
    def written(self) -> str:
        """Return the newest version in Linkwright's own form."""

    @abstractmethod
    def written_for_splink(self, strategy: str | None) -> str:
        """Return one strategy of the newest version as Splink loads it."""


class ProjectMatch(MatchHome):
    """A project's match configuration."""

    def __init__(self, project: LinkageProject) -> None:
        self.project: LinkageProject = project
        self.fields = linkage_fields(project)
        self.name = f"the match configuration of {project.code}"
        self.file_stem = f"{project.code}-match"

    def lines(self) -> Sequence[VersionLine]:
        """Return the history, newest first."""
        return list_versions(self.project)

    def read(self, number: int | None = None) -> ReadVersion | None:
        """Return a version."""
        return read_version(self.project, number)

    def differences(self, old: int, new: int) -> Sequence[Difference]:
        """Return what differs between two versions."""
        return version_differences(self.project, old, new)

    def save(self, draft: MatchDraft, actor: Actor) -> int | None:
        """Save a draft."""
        version = save_match(self.project, draft, actor)
        return version.version if version else None

    def written(self) -> str:
        """Return the newest version."""
        return export_match(self.project.code)

    def written_for_splink(self, strategy: str | None) -> str:
        """Return one strategy."""
        return export_splink_settings(self.project.code, strategy)


class DefaultMatch(MatchHome):
    """The match configuration that new projects start with."""

    project = None
    fields = STANDARD_FIELDS
    name = "the default match configuration"
    file_stem = "default-match"

    @property
    def trial_projects(self) -> Sequence[str]:
        """Codes of the projects on whose records it can be tried."""
        projects = LinkageProject.objects.filter(archived_at=None).order_by("code")
        return list(projects.values_list("code", flat=True))

    def lines(self) -> Sequence[VersionLine]:
        """Return the history, newest first; the built-in one comes last."""
        return list_default_versions()

    def read(self, number: int | None = None) -> ReadVersion:
        """Return a version."""
        return read_default_version(number)

    def differences(self, old: int, new: int) -> Sequence[Difference]:
        """Return what differs between two versions."""
        return default_differences(old, new)

    def save(self, draft: MatchDraft, actor: Actor) -> int | None:
        """Save a draft."""
        version = save_default_match(draft, actor)
        return version.version if version else None

    def written(self) -> str:
        """Return what is in force."""
        return export_default_match()

    def written_for_splink(self, strategy: str | None) -> str:
        """Return one strategy."""
        return export_default_splink_settings(strategy)
