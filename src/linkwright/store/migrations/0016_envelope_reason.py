from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('store', '0015_list_indexes'),
    ]

    operations = [
        migrations.AddField(
            model_name='envelope',
            name='reason',
            field=models.TextField(blank=True, default=''),
            preserve_default=False,
        ),
    ]
