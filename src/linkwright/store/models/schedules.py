"""What the schedules of system jobs remember; when each is due stands in the Settings."""

from django.db import models


class ScheduleState(models.Model):
    """One schedule: up to which due time it has been seen to, and by which plan that was worked out."""

    name = models.CharField(max_length=30, primary_key=True)
    # the Settings as they were: with another plan the due times are counted anew
    plan = models.CharField(max_length=60)
    seen_to = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.name}: {self.plan}, seen to {self.seen_to:%Y-%m-%d %H:%M}"
