"""Makes what an estimation proposes the next version of its project's match configuration.

Later Envelopes use it; what is linked already stays as it is.
"""

from dataclasses import dataclass

from django.db import transaction

from linkwright.engine.strategy import parse_match_configuration
from linkwright.engine.term_frequencies import frequency_fields
from linkwright.errors import LinkwrightError
from linkwright.jobs.project_form import current_version, linkage_fields
from linkwright.store.audit_log import Actor, record_action
from linkwright.store.models import Estimation, LinkageProject, MatchConfigurationVersion
from linkwright.store.queries.estimations import complete_estimations


class ApplyRefusedError(LinkwrightError):
    """The estimation is not applied; the text says why, and what to do."""


@dataclass(frozen=True)
class ApplyPreview:
    """What applying an estimation would do now.

    Args:
        version: the number that the new version gets.
        refusal: why it cannot be applied at all; '' if it can.
        replaced: the version that was made since and that applying would take back; None if there is none.
        lacks_frequencies: whether the proposal asks for term frequencies, and there are none to go with it.
    """

    version: int
    refusal: str
    replaced: MatchConfigurationVersion | None
    lacks_frequencies: bool


def find_estimation(estimation_id: int) -> Estimation:
    """Return an estimation.

    Raises:
        ApplyRefusedError: if there is none with this number.
    """
    estimation = complete_estimations().filter(pk=estimation_id).first()
    if estimation is None:
        raise ApplyRefusedError(f"There is no estimation {estimation_id}. The project's page lists them.")
    return estimation


def preview_apply(estimation: Estimation) -> ApplyPreview:
    """Say what applying an estimation would do."""
    newest = current_version(estimation.project)
    number = 1 if newest is None else newest.version + 1
    applied = estimation.applied_version
    refusal = (
        f"Estimation {estimation.pk} was applied already, as version {applied.version}. Estimate again to get "
        "another proposal."
        if applied
        else ""
    )
    replaced = newest if newest != estimation.base_version else None
    fields = linkage_fields(estimation.project)
    asks = bool(frequency_fields(parse_match_configuration(estimation.definition, fields)))
    return ApplyPreview(number, refusal, replaced, asks and not estimation.term_frequencies)


def changed_text(estimation: Estimation, replaced: MatchConfigurationVersion) -> str:
    """Return the sentence that says what applying would take back."""
    by = f" by {replaced.created_by.username}" if replaced.created_by else ""
    return (
        f"Version {replaced.version} of the match configuration was made{by} on {replaced.created_at:%Y-%m-%d}, "
        f"after version {estimation.base_version.version}, which estimation {estimation.pk} started from. What it "
        "changed would be lost."
    )


def apply_estimation(
    estimation_id: int, actor: Actor, *, replace_version: int | None = None
) -> MatchConfigurationVersion:
    """Make the proposal the next version, with its term frequencies.

    Args:
        estimation_id: of the estimation.
        actor: who applies it.
        replace_version: confirms that this version, made since the estimation began, is replaced.

    Returns:
        The new version.

    Raises:
        ApplyRefusedError: if it was applied already, or the configuration was changed since and that is not
            confirmed.
        ConfigurationError: if the proposal does not fit the project's fields any more.
    """
    with transaction.atomic():
        estimation = find_estimation(estimation_id)
        # two clicks at once: the second waits here, and then sees that the first has applied it
        LinkageProject.objects.select_for_update().get(pk=estimation.project_id)
        estimation = find_estimation(estimation_id)
        preview = preview_apply(estimation)
        _demand_consent(estimation, preview, replace_version)
        version = MatchConfigurationVersion.objects.create(
            project=estimation.project,
            version=preview.version,
            definition=estimation.definition,
            term_frequencies=estimation.term_frequencies,
            created_by=actor.user,
        )
        Estimation.objects.filter(pk=estimation.pk).update(applied_version=version)
        record_action(
            actor,
            "apply estimation",
            f"{estimation} as version {version.version}",
            project_code=estimation.project.code,
            detail={
                "estimation": estimation.pk,
                "version": version.version,
                "base_version": estimation.base_version.version,
                "replaced_version": preview.replaced.version if preview.replaced else None,
            },
        )
    return version


def _demand_consent(estimation: Estimation, preview: ApplyPreview, replace_version: int | None) -> None:
    if preview.refusal:
        raise ApplyRefusedError(preview.refusal)
    replaced = preview.replaced
    if replaced is not None and replaced.version != replace_version:
        raise ApplyRefusedError(
            f"{changed_text(estimation, replaced)} Estimate again, or confirm that version {replaced.version} "
            "is replaced."
        )
