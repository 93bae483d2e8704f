from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ("store", "0017_audit_chain_and_people"),
    ]

    operations = [
        migrations.AddField(
            model_name="linkageproject",
            name="archived_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="user",
            name="first_steps_closed_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.CreateModel(
            name="RemovedPath",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("path", models.CharField(max_length=500)),
                ("removed_at", models.DateTimeField(auto_now_add=True)),
            ],
        ),
    ]
