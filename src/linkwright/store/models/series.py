"""Series: what Envelopes have in common by which lists are narrowed. There are few, however many Envelopes.

A list that is narrowed by project, Data Provider, data action or Event Type, or by what a person may see, is the
merge of the series that fit, each read in the order of its index (store/queries/keyset.py).
"""

import hashlib
import json
from collections.abc import Sequence

from django.db import models

from linkwright.store.models.people import User
from linkwright.store.models.projects import LinkageProject


class SeriesManager(models.Manager["Series"]):
    """Finds the series that fits, and makes it on first use."""

    def fitting(
        self,
        *,
        project_id: int | None,
        project_code: str = "",
        sender_code: str = "",
        request_type: str = "",
        event_type_codes: Sequence[str] = (),
        owner_id: int | None = None,
    ) -> "Series":
        """Return the series of these; `owner_id` counts only where there is no project."""
        owner = owner_id if project_id is None else None
        values = [project_id, project_code, sender_code, request_type, list(event_type_codes), owner]
        digest = hashlib.sha256(json.dumps(values).encode()).hexdigest()
        series, _made = self.get_or_create(
            digest=digest,
            defaults={
                "project_id": project_id,
                "project_code": project_code,
                "sender_code": sender_code,
                "request_type": request_type,
                "event_type_codes": list(event_type_codes),
                "owner_id": owner,
            },
        )
        return series


class Series(models.Model):
    """The Envelopes of one project, Data Provider, data action and set of Event Types; codes as sent."""

    project = models.ForeignKey(LinkageProject, on_delete=models.CASCADE, null=True, blank=True, related_name="+")
    project_code = models.CharField(max_length=255, blank=True)
    sender_code = models.CharField(max_length=255, blank=True)
    request_type = models.CharField(max_length=40, blank=True)
    event_type_codes = models.JSONField(default=list)
    # who sent them, where they belong to no project: these exist for that person alone
    owner = models.ForeignKey(User, on_delete=models.CASCADE, null=True, blank=True, related_name="+")
    # of all of the above: a list has no unique index
    digest = models.CharField(max_length=64, unique=True)

    objects = SeriesManager()

    class Meta:
        """By project: what a person sees is read by it."""

        indexes = [
            models.Index(fields=["project_code"], name="series_project_code"),
            models.Index(fields=["sender_code"], name="series_sender"),
        ]

    def __str__(self) -> str:
        return f"{self.project_code} {self.sender_code} {self.request_type} {','.join(self.event_type_codes)}"
