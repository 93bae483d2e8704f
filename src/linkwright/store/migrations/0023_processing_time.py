"""Keeps on an Envelope for how long its jobs ran; what ran before is added up from the changes of their states."""

from collections import defaultdict
from datetime import datetime

from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps
from django.db.models import Q

_RUNNING = "Running"
_AT_ONCE = 5000


def _add_up(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    envelopes, events = apps.get_model("store", "Envelope"), apps.get_model("store", "JobEvent")
    runs = events.objects.filter(Q(entered=_RUNNING) | Q(left=_RUNNING), job__envelope__isnull=False)
    ran_s: dict[int, float] = defaultdict(float)
    begun: dict[int, datetime] = {}
    for key, entered, at in runs.order_by("id").values_list("job__envelope_id", "entered", "at").iterator():
        # one job of an Envelope runs at a time
        if entered == _RUNNING:
            begun[key] = at
        elif key in begun:
            ran_s[key] += max((at - begun.pop(key)).total_seconds(), 0.0)
    keys = sorted({*ran_s, *begun})
    for start in range(0, len(keys), _AT_ONCE):
        some = envelopes.objects.in_bulk(keys[start : start + _AT_ONCE])
        for key, envelope in some.items():
            envelope.ran_s, envelope.running_since = ran_s.get(key, 0.0), begun.get(key)
        envelopes.objects.bulk_update(some.values(), ["ran_s", "running_since"], batch_size=200)
    if schema_editor.connection.vendor == "postgresql":
        # tables with checks that wait for the commit cannot be changed
        schema_editor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        schema_editor.execute("SET CONSTRAINTS ALL DEFERRED")


class Migration(migrations.Migration):

    dependencies = [
        ("store", "0022_kept_parts"),
    ]

    operations = [
        migrations.AddField(model_name="envelope", name="ran_s", field=models.FloatField(default=0)),
        migrations.AddField(
            model_name="envelope", name="running_since", field=models.DateTimeField(blank=True, null=True)
        ),
        migrations.RunPython(_add_up, migrations.RunPython.noop, elidable=True),
    ]
