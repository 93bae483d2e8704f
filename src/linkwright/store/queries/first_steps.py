"""What of a new server's set-up exists. Never writes."""

from dataclasses import dataclass

from linkwright.store.models import (
    DataProvider,
    Envelope,
    EnvelopeReport,
    EventType,
    ImportFormat,
    LinkageProject,
)


@dataclass(frozen=True)
class SetUpState:
    """Which things exist; `reported_code`: the project of the latest report, '' before the first."""

    has_provider: bool
    has_format: bool
    has_event_type: bool
    project_code: str
    has_envelope: bool
    reported_code: str

    @property
    def is_ready(self) -> bool:
        """Whether there is nothing left but to look at the groups."""
        parts = (self.has_provider, self.has_format, self.has_event_type, self.has_envelope)
        return all(parts) and bool(self.project_code) and bool(self.reported_code)


def read_set_up_state() -> SetUpState:
    """Look what exists."""
    projects = LinkageProject.objects.filter(archived_at=None).order_by("pk").values_list("code", flat=True)
    reported = EnvelopeReport.objects.filter(envelope__project__isnull=False).order_by("-pk")
    return SetUpState(
        has_provider=DataProvider.objects.exists(),
        has_format=ImportFormat.objects.exists(),
        has_event_type=EventType.objects.exists(),
        project_code=projects.first() or "",
        has_envelope=Envelope.objects.exists(),
        reported_code=reported.values_list("envelope__project__code", flat=True).first() or "",
    )
