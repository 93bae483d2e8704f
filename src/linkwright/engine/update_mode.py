"""Owns the choices for a row of a record that is loaded already. Must stay light: every process imports it.

Source: SPEC section 1 (a Source Unique ID is unique within its Event Type in a project); docs/decisions/0018.
"""

from enum import StrEnum


class UpdateMode(StrEnum):
    """What Load does with a row whose Source Unique ID is loaded already; set per attached Event Type."""

    REJECT = "reject"
    SKIP = "skip"
    REPLACE = "replace"
