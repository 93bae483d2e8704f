from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('store', '0009_compaction'),
    ]

    operations = [
        migrations.CreateModel(
            name='ScheduleState',
            fields=[
                ('name', models.CharField(max_length=30, primary_key=True, serialize=False)),
                ('plan', models.CharField(max_length=60)),
                ('seen_to', models.DateTimeField()),
            ],
        ),
        migrations.AlterField(
            model_name='job',
            name='kind',
            field=models.CharField(choices=[('Validate', 'Validate'), ('Load', 'Load'), ('Match', 'Match'), ('Group', 'Group'), ('Report', 'Report'), ('Estimate', 'Estimate'), ('Rollback', 'Rollback'), ('Delete', 'Delete'), ('Review', 'Review'), ('Snapshot', 'Snapshot'), ('Extract', 'Extract'), ('Compact', 'Compact'), ('Purge', 'Purge'), ('Backup', 'Backup')], max_length=16),
        ),
    ]
