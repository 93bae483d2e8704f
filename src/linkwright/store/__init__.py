"""The Django app with all models, migrations and queries. Knows no page, no job and no file of data."""
