"""Which Event Types a Linkage Project takes, and what it does with records of theirs that come again."""

from django.db import models
from django.db.models import Q
from django.utils import timezone

from linkwright.engine.update_mode import UpdateMode
from linkwright.store.models.catalog import EventType
from linkwright.store.models.envelopes import Envelope, EnvelopeState
from linkwright.store.models.projects import LinkageProject

GIVEN_UP = (EnvelopeState.CANCELLED, EnvelopeState.ROLLED_BACK)
"""States of a detaching Envelope that has changed nothing, or no longer does: the Event Type is attached."""


class AttachmentState(models.TextChoices):
    """How an Event Type stands to a project; shown, not stored."""

    ATTACHED = "attached", "attached"
    BEING_DETACHED = "being detached", "being detached"
    DETACHED = "detached", "detached"


ATTACHED = Q(detached_by=None) | Q(detached_by__state__in=GIVEN_UP)


class AttachedEventType(models.Model):
    """An Event Type of a project; the row stays when it is detached, since the project may hold its history."""

    project = models.ForeignKey(LinkageProject, on_delete=models.CASCADE, related_name="attachments")
    event_type = models.ForeignKey(EventType, on_delete=models.PROTECT, related_name="attachments")
    updates = models.CharField(
        max_length=8, choices=[(mode.value, mode.value) for mode in UpdateMode], default=UpdateMode.REJECT
    )
    attached_at = models.DateTimeField(default=timezone.now)
    # the Envelope that ends all its records; none if it was not detached, or was attached again since
    detached_by = models.ForeignKey(
        Envelope, on_delete=models.PROTECT, null=True, blank=True, related_name="detaches"
    )

    class Meta:
        """An Event Type is attached to a project once."""

        constraints = [models.UniqueConstraint(fields=["project", "event_type"], name="event_type_attached_once")]
        ordering = ["project_id", "event_type_id"]

    def __str__(self) -> str:
        return f"{self.event_type} in {self.project}"

    @property
    def is_attached(self) -> bool:
        """Whether the project takes data of the Event Type."""
        return self.detached_by is None or self.detached_by.state in GIVEN_UP

    def takes(self, envelope: Envelope | None) -> bool:
        """Tell whether data of an Envelope is taken: also if it came before the one that detaches, which waits."""
        if self.is_attached or self.detached_by is None:
            return True
        came_before = envelope is not None and envelope.pk < self.detached_by.pk
        return came_before and self.detached_by.state == EnvelopeState.QUEUED

    @property
    def is_being_detached(self) -> bool:
        """Whether the Envelope that detaches it waits, runs, or has failed and can be retried."""
        return self.detached_by is not None and self.detached_by.state in {
            EnvelopeState.QUEUED,
            EnvelopeState.ERRORS,
        }

    @property
    def state(self) -> AttachmentState:
        """How the Event Type stands to the project."""
        if self.is_attached:
            return AttachmentState.ATTACHED
        return AttachmentState.BEING_DETACHED if self.is_being_detached else AttachmentState.DETACHED
