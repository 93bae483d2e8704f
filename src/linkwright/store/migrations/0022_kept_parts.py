"""Lets snapshots and ledgers lie in parts: what there is becomes one part each."""

from typing import Any

import django.db.models.deletion
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps


def _one_part_each(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    projects, parts = apps.get_model("store", "ExtractionProject"), apps.get_model("store", "KeptPart")
    for one in projects.objects.select_related("snapshot", "ledger").iterator():
        kept = one.snapshot or one.ledger
        if kept is None:
            continue
        parts.objects.create(extraction_project=one, records=kept, sha256=one.snapshot_sha256)
        projects.objects.filter(pk=one.pk).update(kept_at=kept.created_at)
    if schema_editor.connection.vendor == "postgresql":
        # tables with checks that wait for the commit cannot be changed
        schema_editor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        schema_editor.execute("SET CONSTRAINTS ALL DEFERRED")


def _file(name: str) -> Any:
    return models.OneToOneField(
        blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name=name, to="store.batch"
    )


class Migration(migrations.Migration):

    dependencies = [
        ("store", "0021_default_match"),
    ]

    operations = [
        migrations.CreateModel(
            name="KeptPart",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("records", _file("+")),
                ("groups", _file("+")),
                ("sha256", models.CharField(blank=True, max_length=64)),
                (
                    "extraction_project",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="parts",
                        to="store.extractionproject",
                    ),
                ),
            ],
            options={
                "ordering": ["id"],
            },
        ),
        migrations.AddField(
            model_name="extractionproject",
            name="kept_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.RunPython(_one_part_each, migrations.RunPython.noop),
        migrations.RemoveField(model_name="extractionproject", name="snapshot"),
        migrations.RemoveField(model_name="extractionproject", name="snapshot_sha256"),
        migrations.RemoveField(model_name="extractionproject", name="ledger"),
        migrations.AlterField(
            model_name="batch",
            name="kind",
            field=models.CharField(
                choices=[
                    ("records", "records"),
                    ("aux", "aux"),
                    ("pairs", "pairs"),
                    ("assignments", "assignments"),
                    ("rejects", "rejects"),
                    ("index", "index"),
                    ("ends", "ends"),
                    ("decisions", "decisions"),
                    ("snapshot", "snapshot"),
                    ("ledger", "ledger"),
                    ("ledger groups", "ledger groups"),
                ],
                max_length=16,
            ),
        ),
    ]
