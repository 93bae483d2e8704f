"""Registers the store with Django."""

from django.apps import AppConfig


class StoreConfig(AppConfig):
    """The app that owns every table."""

    name = "linkwright.store"
    label = "store"
    default_auto_field = "django.db.models.BigAutoField"
