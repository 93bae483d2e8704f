"""Event Types are attached by rows of their own, which say what is done with records that come again."""

from typing import Any

import django.db.models.deletion
import django.utils.timezone
from django.apps.registry import Apps
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor


def _copy(apps: Apps, _editor: BaseDatabaseSchemaEditor) -> None:
    attached: Any = apps.get_model("store", "AttachedEventType")
    project_model: Any = apps.get_model("store", "LinkageProject")
    before = project_model.event_types.through
    attached.objects.bulk_create(
        attached(project_id=project, event_type_id=event_type)
        for project, event_type in before.objects.values_list("linkageproject_id", "eventtype_id").order_by("pk")
    )


def _copy_back(apps: Apps, _editor: BaseDatabaseSchemaEditor) -> None:
    attached: Any = apps.get_model("store", "AttachedEventType")
    project_model: Any = apps.get_model("store", "LinkageProject")
    before = project_model.event_types.through
    before.objects.bulk_create(
        before(linkageproject_id=project, eventtype_id=event_type)
        for project, event_type in attached.objects.values_list("project_id", "event_type_id").order_by("pk")
    )


class Migration(migrations.Migration):

    dependencies = [
        ('store', '0007_extraction'),
    ]

    operations = [
        migrations.CreateModel(
            name='AttachedEventType',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('updates', models.CharField(choices=[('reject', 'reject'), ('skip', 'skip'), ('replace', 'replace')], default='reject', max_length=8)),
                ('attached_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('detached_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='detaches', to='store.envelope')),
                ('event_type', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='attachments', to='store.eventtype')),
                ('project', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='attachments', to='store.linkageproject')),
            ],
            options={
                'ordering': ['project_id', 'event_type_id'],
                'constraints': [models.UniqueConstraint(fields=('project', 'event_type'), name='event_type_attached_once')],
            },
        ),
        migrations.RunPython(_copy, _copy_back),
        migrations.RemoveField(model_name='linkageproject', name='event_types'),
        migrations.SeparateDatabaseAndState(
            # the table is there already
            state_operations=[
                migrations.AddField(
                    model_name='linkageproject',
                    name='event_types',
                    field=models.ManyToManyField(related_name='projects', through='store.AttachedEventType', to='store.eventtype'),
                ),
            ],
        ),
    ]
