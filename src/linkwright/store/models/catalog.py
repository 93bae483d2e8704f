"""The data catalog: who sends data, which kinds of records, and how their files are read."""

from django.db import models


class DataProvider(models.Model):
    """An organisation that sends data."""

    code = models.CharField(max_length=15, unique=True)
    organisation = models.CharField(max_length=200)
    contact_name = models.CharField(max_length=200, blank=True)
    email = models.EmailField(blank=True)
    phone = models.CharField(max_length=50, blank=True)

    def __str__(self) -> str:
        return self.code


class ImportFormat(models.Model):
    """How the columns of a source file become linkage fields; `definition` is engine.import_format's form."""

    code = models.CharField(max_length=50, unique=True)
    description = models.CharField(max_length=500, blank=True)
    definition = models.JSONField()

    def __str__(self) -> str:
        return self.code


class EventType(models.Model):
    """A kind of record from one Data Provider; *authoritative*: a person should have at most one."""

    code = models.CharField(max_length=50, unique=True)
    provider = models.ForeignKey(DataProvider, on_delete=models.PROTECT, related_name="event_types")
    import_format = models.ForeignKey(ImportFormat, on_delete=models.PROTECT, related_name="event_types")
    description = models.CharField(max_length=500, blank=True)
    category = models.CharField(max_length=100, blank=True)
    authoritative = models.BooleanField(default=False)

    def __str__(self) -> str:
        return self.code
