"""Imported by the fork server alone, once, so that a child is ready in milliseconds.

Opens no connection and starts no thread: neither would survive the fork.
"""

import importlib
from contextlib import suppress

import django

django.setup()

from linkwright.worker import child  # noqa: E402 - Django must be set up first

__all__ = ["child"]

# DuckDB imports it with the first array that it hands over, if it is installed: half a second in every child
with suppress(ImportError):
    importlib.import_module("pandas")
