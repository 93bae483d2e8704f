"""Registers the store with Django."""

from django.apps import AppConfig

from linkwright.store.postgres_session import set_up_sessions


class StoreConfig(AppConfig):
    """The app that owns every table."""

    name = "linkwright.store"
    label = "store"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Set up what looks after the database's sessions."""
        set_up_sessions()
