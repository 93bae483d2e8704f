"""Who changed each Setting last, and when: as the audit log has it. Never writes."""

from django.db.models import Max

from linkwright.store.models import AuditLogEntry
from linkwright.store.settings import CHANGE_ACTION


def last_changes(names: list[str]) -> dict[str, AuditLogEntry]:
    """Return the last change of each of these Settings, by name; those that nobody changed are left out."""
    changes = AuditLogEntry.objects.filter(action=CHANGE_ACTION, target__in=names).order_by()
    newest = changes.values("target").annotate(newest=Max("pk")).values("newest")
    return {entry.target: entry for entry in AuditLogEntry.objects.filter(pk__in=newest).select_related("user")}
