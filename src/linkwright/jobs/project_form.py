"""A project's linkage fields and match configuration, in the engine's form."""

from linkwright.engine.fields import LinkageField, parse_fields
from linkwright.engine.strategy import MatchConfiguration, parse_match_configuration
from linkwright.jobs.context import JobError
from linkwright.store.kept_query import Given, KeptQuery
from linkwright.store.models import LinkageProject, MatchConfigurationVersion
from linkwright.store.one_look import once

_NEWEST = KeptQuery(
    lambda: MatchConfigurationVersion.objects.filter(project=Given("project")).order_by("-version")[:1]
)


def linkage_fields(project: LinkageProject) -> tuple[LinkageField, ...]:
    """Return the project's linkage fields: the standard ones, then its own."""
    return parse_fields(project.own_fields)


def current_version(project: LinkageProject) -> MatchConfigurationVersion | None:
    """Return the newest version of the project's match configuration, if it has any.

    Read once in an answer that changes nothing.
    """
    return once(("newest match version", project.pk), lambda: _NEWEST.first(project=project.pk))


def current_match_configuration(project: LinkageProject) -> tuple[MatchConfigurationVersion, MatchConfiguration]:
    """Return the newest version of the match configuration, as stored and in the engine's form.

    Raises:
        JobError: if the project has none.
        ConfigurationError: if it does not fit the project's fields.
    """
    version = current_version(project)
    if version is None:
        raise JobError(
            f"Project {project.code} has no match configuration. Add one under `match` in the project file, "
            "apply it, then retry the job."
        )
    return version, parse_match_configuration(version.definition, linkage_fields(project))
