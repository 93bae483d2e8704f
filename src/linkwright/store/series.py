"""Keeps Envelopes and their jobs in the series that fits them when their project becomes known."""

from linkwright.store.models import Envelope, Job, LinkageProject, Series


def settle_project(envelope: Envelope, project: LinkageProject) -> None:
    """Write down which project an Envelope and its jobs belong to; inside the caller's transaction.

    An Envelope may have named a project that was made only later.
    """
    series = Series.objects.fitting(
        project_id=project.pk,
        project_code=envelope.project_code,
        sender_code=envelope.sender_code,
        request_type=envelope.request_type,
        event_type_codes=envelope.event_type_codes,
    )
    Envelope.objects.filter(pk=envelope.pk).update(project=project, series=series)
    Job.objects.filter(envelope=envelope).update(project=project, series=series)
