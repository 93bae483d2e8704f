"""Linkage Projects, the versions of their match configuration, and those of the default for new ones."""

from django.db import models

from linkwright.store.models.catalog import EventType
from linkwright.store.models.people import User


class LinkageProject(models.Model):
    """One linkage: its Event Types, its linkage fields, how it matches and groups, its own store of records."""

    code = models.CharField(max_length=50, unique=True)
    name = models.CharField(max_length=200)
    description = models.TextField(blank=True)
    notification_email = models.EmailField(blank=True)
    # every Event Type that it takes or took; which of them it takes now, the attachment says
    event_types = models.ManyToManyField(EventType, through="store.AttachedEventType", related_name="projects")
    # the project's own linkage fields beside the standard ones: {name: type}
    own_fields = models.JSONField(default=dict)
    # engine.grouping's form, for instance {"method": "merge"}
    grouping = models.JSONField(default=dict)
    # from which group ids on rollbacks had ids given out anew: engine.masking's floors, [[group id, job id], ...]
    group_id_floors = models.JSONField(default=list)
    keep_unused_columns = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)
    # since when it takes no Envelopes and stands in no list; nothing of it is lost
    archived_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return self.code

    @property
    def why_closed(self) -> str:
        """The sentence that says why the project takes no Envelopes, or '' if it does."""
        if self.archived_at is None:
            return ""
        return (
            f"Linkage Project {self.code} was archived on {self.archived_at:%Y-%m-%d} and takes no Envelopes. "
            "Take it out of the archive on its page first."
        )


class MatchConfigurationVersion(models.Model):
    """One version of a project's match configuration; never changed, only followed by the next."""

    project = models.ForeignKey(LinkageProject, on_delete=models.CASCADE, related_name="match_configurations")
    version = models.PositiveIntegerField()
    # engine.strategy's form
    definition = models.JSONField()
    # a file in the project's folder of the warehouse, made by an Estimate job and fixed as the version is; or none
    term_frequencies = models.CharField(max_length=255, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    created_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True)

    class Meta:
        """Versions count up within a project."""

        constraints = [
            models.UniqueConstraint(fields=["project", "version"], name="match_configuration_version_once")
        ]
        ordering = ["project_id", "-version"]

    def __str__(self) -> str:
        return f"{self.project} v{self.version}"


class DefaultMatchVersion(models.Model):
    """One version of the match configuration that new projects start with; never changed, only followed.

    As long as there is none, the built-in one is in force, which is made of each project's linkage fields.
    """

    version = models.PositiveIntegerField(unique=True)
    # engine.strategy's form, for the standard linkage fields; empty: the built-in one, from this version on
    definition = models.JSONField()
    created_at = models.DateTimeField(auto_now_add=True)
    created_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="+")

    class Meta:
        """Newest first."""

        ordering = ["-version"]

    def __str__(self) -> str:
        return f"default match configuration v{self.version}"
