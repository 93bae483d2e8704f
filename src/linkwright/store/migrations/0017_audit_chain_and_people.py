"""Links the entries of the audit log, those that are there in the order of their keys, and keeps the head apart."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps

from linkwright.store.audit_chain import content_sha256, own_sha256

ROWS_AT_ONCE = 2000
LINK = """
    UPDATE store_auditlogentry SET number = %s, content_sha256 = %s, previous_sha256 = %s, sha256 = %s WHERE id = %s
"""
# The first trigger fires among the checks of foreign keys, which may wait for others; the second one after all of
# these. So whoever holds the head's row waits for nobody, and commits.
POSTGRESQL = """
CREATE FUNCTION linkwright_ask_for_link() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE store_auditlogentry SET previous_sha256 = previous_sha256 WHERE id = NEW.id AND number IS NULL;
    RETURN NULL;
END $$;

CREATE FUNCTION linkwright_link_entry() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    head store_auditloghead%ROWTYPE;
    own text;
BEGIN
    IF NOT EXISTS (SELECT 1 FROM store_auditlogentry WHERE id = NEW.id AND number IS NULL) THEN
        RETURN NULL;
    END IF;
    INSERT INTO store_auditloghead (id, entries_count, sha256)
        SELECT 1, COALESCE(MAX(number), 0), COALESCE((ARRAY_AGG(sha256 ORDER BY number DESC))[1], '')
        FROM store_auditlogentry
        WHERE number IS NOT NULL AND NOT EXISTS (SELECT 1 FROM store_auditloghead WHERE id = 1)
        HAVING NOT EXISTS (SELECT 1 FROM store_auditloghead WHERE id = 1)
        ON CONFLICT (id) DO NOTHING;
    SELECT * INTO head FROM store_auditloghead WHERE id = 1 FOR UPDATE;
    own := encode(sha256(convert_to(concat_ws(E'\\n', head.entries_count + 1, NEW.id, head.sha256,
        NEW.content_sha256), 'UTF8')), 'hex');
    UPDATE store_auditlogentry SET number = head.entries_count + 1, previous_sha256 = head.sha256, sha256 = own
        WHERE id = NEW.id;
    UPDATE store_auditloghead SET entries_count = head.entries_count + 1, sha256 = own WHERE id = 1;
    RETURN NULL;
END $$;

CREATE CONSTRAINT TRIGGER ask_for_link AFTER INSERT ON store_auditlogentry
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (NEW.number IS NULL)
    EXECUTE FUNCTION linkwright_ask_for_link();
CREATE CONSTRAINT TRIGGER link_entry AFTER UPDATE ON store_auditlogentry
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (NEW.number IS NULL)
    EXECUTE FUNCTION linkwright_link_entry();
"""
POSTGRESQL_BACK = """
DROP TRIGGER ask_for_link ON store_auditlogentry;
DROP TRIGGER link_entry ON store_auditlogentry;
DROP FUNCTION linkwright_ask_for_link();
DROP FUNCTION linkwright_link_entry();
"""


def link_existing(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Number and hash what is there, and make the head; without entries the first one makes it."""
    entries = apps.get_model("store", "AuditLogEntry").objects.order_by("pk")
    number, previous, newest = 0, "", 0
    with schema_editor.connection.cursor() as cursor:
        while piece := list(entries.filter(pk__gt=newest)[:ROWS_AT_ONCE]):
            links = []
            for entry in piece:
                number, content = number + 1, content_sha256(entry)
                own = own_sha256(number, entry.pk, previous, content)
                links.append((number, content, previous, own, entry.pk))
                previous = own
            cursor.executemany(LINK, links)
            newest = piece[-1].pk
    if number:
        # an empty database stays one: a backup is restored into it
        apps.get_model("store", "AuditLogHead").objects.create(pk=1, entries_count=number, sha256=previous)


def make_triggers(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Let PostgreSQL link what is written from now on."""
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(POSTGRESQL, params=None)


def drop_triggers(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Take the triggers away."""
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(POSTGRESQL_BACK, params=None)


class Migration(migrations.Migration):

    dependencies = [
        ('store', '0016_envelope_reason'),
    ]

    operations = [
        migrations.CreateModel(
            name='AuditLogHead',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('entries_count', models.PositiveBigIntegerField(default=0)),
                ('sha256', models.CharField(blank=True, max_length=64)),
            ],
        ),
        migrations.AddField(
            model_name='auditlogentry',
            name='content_sha256',
            field=models.CharField(default='', max_length=64),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name='auditlogentry',
            name='number',
            field=models.PositiveBigIntegerField(blank=True, null=True, unique=True),
        ),
        migrations.AddField(
            model_name='auditlogentry',
            name='previous_sha256',
            field=models.CharField(blank=True, max_length=64),
        ),
        migrations.AddField(
            model_name='auditlogentry',
            name='sha256',
            field=models.CharField(blank=True, max_length=64),
        ),
        migrations.AddIndex(
            model_name='auditlogentry',
            index=models.Index(fields=['user', '-number'], name='audit_user'),
        ),
        migrations.AddIndex(
            model_name='auditlogentry',
            index=models.Index(fields=['action', '-number'], name='audit_action'),
        ),
        migrations.AddIndex(
            model_name='auditlogentry',
            index=models.Index(fields=['project_code', '-number'], name='audit_project'),
        ),
        migrations.AddConstraint(
            model_name='auditloghead',
            constraint=models.CheckConstraint(condition=models.Q(('pk', 1)), name='audit_log_head_single'),
        ),
        migrations.CreateModel(
            name='Invitation',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('token_sha256', models.CharField(max_length=64, unique=True)),
                ('created_at', models.DateTimeField()),
                ('expires_at', models.DateTimeField()),
                ('ended_at', models.DateTimeField(blank=True, null=True)),
                ('created_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('user', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='invitations', to=settings.AUTH_USER_MODEL)),
            ],
        ),
        migrations.CreateModel(
            name='SignIn',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('session_key', models.CharField(db_index=True, max_length=40)),
                ('at', models.DateTimeField()),
                ('seen_at', models.DateTimeField()),
                ('origin', models.CharField(blank=True, max_length=100)),
                ('browser', models.CharField(blank=True, max_length=200)),
                ('user', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='sign_ins', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['-id'],
            },
        ),
        migrations.CreateModel(
            name='SignInThrottle',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('subject', models.CharField(max_length=64, unique=True)),
                ('failures', models.PositiveIntegerField(default=0)),
                ('last_at', models.DateTimeField()),
                ('wait_until', models.DateTimeField(blank=True, null=True)),
            ],
        ),
        migrations.RunPython(link_existing, migrations.RunPython.noop),
        migrations.RunPython(make_triggers, drop_triggers),
    ]
