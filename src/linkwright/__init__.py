"""Linkwright: a self-hosted record-linkage server."""

__version__ = "0.1.0"
