"""Registers the store with Django."""

from django.apps import AppConfig
from django.db.backends.signals import connection_created

from linkwright.store.postgres_session import read_moments_quickly


class StoreConfig(AppConfig):
    """The app that owns every table."""

    name = "linkwright.store"
    label = "store"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Set up every connection that is opened."""
        connection_created.connect(read_moments_quickly, dispatch_uid="read moments quickly")
