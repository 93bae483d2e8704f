"""What an Estimate job proposes: parameters beside the current ones, until a person applies them."""

from django.db import models

from linkwright.store.models.envelopes import Envelope
from linkwright.store.models.jobs import Job
from linkwright.store.models.projects import LinkageProject, MatchConfigurationVersion


class Estimation(models.Model):
    """One estimation of a project's parameters; it changes nothing by itself."""

    project = models.ForeignKey(LinkageProject, on_delete=models.CASCADE, related_name="estimations")
    job = models.OneToOneField(Job, on_delete=models.PROTECT, related_name="estimation")
    # the Envelope whose records were used beside the held ones, if it was asked for by one
    envelope = models.ForeignKey(
        Envelope, on_delete=models.SET_NULL, null=True, blank=True, related_name="estimations"
    )
    # what it started from
    base_version = models.ForeignKey(MatchConfigurationVersion, on_delete=models.PROTECT, related_name="+")
    # engine.strategy's form: the proposed match configuration, whole
    definition = models.JSONField()
    # tables of plain values: parameters, thresholds, unlinkables
    results = models.JSONField()
    # [{"name", "title", "svg", "columns", "rows"}, ...]
    plots = models.JSONField(default=list)
    # a file in the project's folder of the warehouse, of held records alone; may be empty
    term_frequencies = models.CharField(max_length=255, blank=True)
    created_at = models.DateTimeField()
    applied_version = models.ForeignKey(
        MatchConfigurationVersion, on_delete=models.PROTECT, null=True, blank=True, related_name="estimations"
    )

    class Meta:
        """Newest first."""

        ordering = ["-id"]

    def __str__(self) -> str:
        return f"Estimation {self.pk} of {self.project}"
