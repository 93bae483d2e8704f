"""Adds the few numbers of a report that lists show, beside its long statistics."""

from django.apps.registry import Apps
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor


def summarise(apps: Apps, _editor: BaseDatabaseSchemaEditor) -> None:
    """Give the reports that are there their summaries."""
    reports = apps.get_model("store", "EnvelopeReport").objects
    for report in reports.only("statistics").iterator(chunk_size=100):
        own, project = (report.statistics.get(part, {}) for part in ("envelope", "project"))
        summary = {
            "own_records_count": own.get("records_count"),
            "new_groups_count": own.get("new_groups_count"),
            "marked": [],
            "records_count": project.get("records_count"),
            "groups_count": project.get("groups_count"),
            "flagged_groups_count": project.get("flagged_groups_count"),
        }
        reports.filter(pk=report.pk).update(summary=summary)


class Migration(migrations.Migration):

    dependencies = [
        ("store", "0019_provider_identities"),
    ]

    operations = [
        migrations.AddField(
            model_name="envelopereport",
            name="summary",
            field=models.JSONField(default=dict),
        ),
        migrations.RunPython(summarise, migrations.RunPython.noop),
    ]
