"""What lists and plots over time show of a report: few numbers beside its long statistics.

They stand in a column of their own: a database would unpack the whole statistics of a report for each number.
"""

from collections.abc import Mapping
from typing import Any


def report_summary(statistics: Mapping[str, Any]) -> dict[str, Any]:
    """Return the summary of a report's statistics; None for a number that they do not have."""
    own, project = statistics.get("envelope", {}), statistics.get("project", {})
    return {
        "own_records_count": own.get("records_count"),
        "new_groups_count": own.get("new_groups_count"),
        "marked": [row["measure"] for row in own.get("drift", []) if row["is_marked"]],
        "records_count": project.get("records_count"),
        "groups_count": project.get("groups_count"),
        "flagged_groups_count": project.get("flagged_groups_count"),
    }
