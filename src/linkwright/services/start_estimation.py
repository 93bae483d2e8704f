"""Starts an Estimate job over the held records of a project: parameters, or its term frequencies alone.

What can be seen beforehand is refused at once; everything else is the job's.
"""

from collections.abc import Callable, Mapping
from typing import Any

from django.db import transaction

from linkwright.engine.strategy import MatchConfiguration
from linkwright.errors import LinkwrightError
from linkwright.jobs.build_frequencies import ONLY_FREQUENCIES, STARTED_BY, demand_frequency_fields
from linkwright.jobs.estimate import LEAST_RECORDS, demand_comparisons
from linkwright.jobs.project_form import current_match_configuration
from linkwright.queue.enqueue import Step, enqueue_job
from linkwright.queue.order import queue_state
from linkwright.store.audit_log import Actor, record_action
from linkwright.store.batch_catalog import live_batches
from linkwright.store.models import BatchKind, Job, JobKind, LinkageProject
from linkwright.store.queries.estimations import open_estimate_job


class EstimationRefusedError(LinkwrightError):
    """An Estimate job cannot be started; the text says why, and what to do."""


def start_estimation(project: LinkageProject, actor: Actor) -> Job:
    """Queue an estimation of the project's parameters; it proposes, and changes nothing.

    Raises:
        EstimationRefusedError: if there are no records, or an Estimate job of the project runs or waits already.
        JobError: if there is no match configuration, or nothing in it to estimate.
        ConfigurationError: if the configuration does not fit the project's fields.
    """
    return _start(project, actor, "estimate parameters", demand_comparisons, {})


def start_building_frequencies(project: LinkageProject, actor: Actor) -> Job:
    """Queue the counting of the project's term frequencies; they come with the next version of its configuration.

    Raises:
        EstimationRefusedError: if there are no records, or an Estimate job of the project runs or waits already.
        JobError: if there is no match configuration, or it asks for no frequencies.
        ConfigurationError: if the configuration does not fit the project's fields.
    """
    by = actor.user.pk if actor.user else None
    parameters = {ONLY_FREQUENCIES: True, STARTED_BY: by}
    return _start(project, actor, "build term frequencies", demand_frequency_fields, parameters)


def find_project(code: str) -> LinkageProject:
    """Return the project with a code.

    Raises:
        EstimationRefusedError: naming the projects that there are.
    """
    project = LinkageProject.objects.filter(code=code).first()
    if project is None:
        known = ", ".join(LinkageProject.objects.order_by("code").values_list("code", flat=True)) or "none yet"
        raise EstimationRefusedError(f"There is no Linkage Project {code!r}. There are: {known}.")
    return project


def held_records_count(project: LinkageProject) -> int:
    """Return how many records a project holds."""
    return sum(live_batches(project, BatchKind.RECORDS).values_list("rows_count", flat=True))


def _start(
    project: LinkageProject,
    actor: Actor,
    action: str,
    demand: Callable[[MatchConfiguration, str], None],
    parameters: Mapping[str, Any],
) -> Job:
    with transaction.atomic():
        # two people who ask at once: the second sees the job of the first
        queue_state(lock=True)
        _version, configuration = current_match_configuration(project)
        demand(configuration, project.code)
        if held_records_count(project) < LEAST_RECORDS:
            raise EstimationRefusedError(
                f"Project {project.code} holds fewer than {LEAST_RECORDS} records: there is nothing to estimate "
                "from. Load records first, or send an estimation Envelope with data."
            )
        waiting = open_estimate_job(project)
        if waiting is not None:
            raise EstimationRefusedError(
                f"Job {waiting.pk} (Estimate) of project {project.code} is queued or runs already. "
                "Wait until it has ended."
            )
        job = enqueue_job(Step(JobKind.ESTIMATE, parameters), project)
        record_action(actor, action, str(job), project_code=project.code)
    return job
