"""Drift in a report: how an Envelope's shares differ from those of the Envelopes before it that are of its series.

Of its series: of the same project, provider, data action and Event Types. From stored reports alone; those of
Envelopes that were rolled back do not count.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from linkwright.engine.drift import Drift, Measure, find_drift
from linkwright.store.models import Envelope, EnvelopeReport, EnvelopeState

MOST_EARLIER = 10
"""So many Envelopes before it are compared, the latest ones."""

Row = Mapping[str, Any]


def drift_rows(envelope: Envelope, own: Row) -> tuple[list[dict[str, Any]], str]:
    """Compare an Envelope's numbers with the earlier ones of its series.

    Args:
        envelope: the Envelope that is reported.
        own: its part of the statistics: records_count, new_groups_count, rows_rejected_count, completeness.

    Returns:
        A row a measure (measure, envelope_share, earlier_share, is_marked), none for the first of a series; and
        what to warn of, or ''.
    """
    reports = EnvelopeReport.objects.filter(
        envelope__series=envelope.series_id, envelope__state=EnvelopeState.SUCCESS, envelope__lt=envelope.pk
    ).order_by("-envelope")
    earlier = list(reports.values_list("statistics__envelope", flat=True)[:MOST_EARLIER])
    found = find_drift(_measures(own), [measure for one in earlier for measure in _measures(one)])
    rows = [
        {
            "measure": one.name,
            "envelope_share": round(one.share, 4),
            "earlier_share": round(one.earlier_share, 4),
            "is_marked": one.is_marked,
        }
        for one in found
    ]
    return rows, _warning([one for one in found if one.is_marked], len(earlier))


def _measures(own: Row) -> list[Measure]:
    records_count, rejected_count = own.get("records_count", 0), own.get("rows_rejected_count", 0)
    measures = [
        Measure(f"{row['field'].replace('_', ' ')} filled", row["filled_count"], records_count)
        for row in own.get("completeness", [])
    ]
    if "new_groups_count" in own:
        # as the map grows, more is linked: only less says that something is wrong
        linked_count = max(0, records_count - own["new_groups_count"])
        measures.append(Measure("records linked", linked_count, records_count, worse=-1))
    if "rows_rejected_count" in own:
        measures.append(Measure("rows rejected", rejected_count, records_count + rejected_count, worse=1))
    return measures


def _warning(marked: Sequence[Drift], earlier_count: int) -> str:
    if not marked:
        return ""
    named = "; ".join(f"{one.name} {one.share:.1%} ({one.earlier_share:.1%} before)" for one in marked)
    before = "the Envelope before it" if earlier_count == 1 else f"the {earlier_count} Envelopes before it"
    return (
        f"It differs from {before} with the same Event Types: {named}. Look at the data file and its Import "
        "Format before the result is used; if they are wrong, roll the Envelope back."
    )
