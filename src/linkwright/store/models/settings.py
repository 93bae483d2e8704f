"""The stored values of Settings; names, types, defaults and bounds stand in store/settings.py."""

from django.db import models

from linkwright.store.models.people import User


class SettingValue(models.Model):
    """A Setting that somebody changed from its default."""

    name = models.CharField(max_length=100, primary_key=True)
    value = models.JSONField()
    changed_at = models.DateTimeField()
    changed_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True)

    def __str__(self) -> str:
        return f"{self.name} = {self.value}"
