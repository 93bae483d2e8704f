"""What of a job's statistics a person could be recognised by, and how it is left out for others."""

from typing import Any

# in statistics a value that stands under one of these names was in somebody's record
IDENTIFYING_KEYS = frozenset({"values", "record"})
HIDDEN = "hidden"


def without_values(statistics: Any) -> Any:
    """Return statistics with the same shape, identifying values left out at every depth."""
    if isinstance(statistics, dict):
        return {
            key: HIDDEN if key in IDENTIFYING_KEYS else without_values(value) for key, value in statistics.items()
        }
    if isinstance(statistics, list):
        return [without_values(item) for item in statistics]
    return statistics
