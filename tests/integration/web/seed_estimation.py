"""An estimation as an Estimate job leaves it, with plausible numbers, for the pages."""

from datetime import timedelta
from functools import cache
from typing import Any

from django.utils import timezone

from linkwright.engine.charts import drawn_plot
from linkwright.engine.proposal import ComparisonEstimate, LevelEstimate, RuleEstimate, StrategyEstimate
from linkwright.engine.thresholds import ThresholdRow, UnlinkableRow
from linkwright.jobs.estimation_tables import estimation_plots, estimation_results, strategy_rows
from linkwright.store.models import Estimation, Job, JobKind, JobState, LinkageProject, MatchConfigurationVersion
from linkwright.warehouse.estimate import EstimateResult

DEFINITION: dict[str, Any] = {
    "prior": 0.00021,
    "strategies": [
        {
            "name": "standard",
            "blocking_rules": [["surname"]],
            "match_threshold": 6.5,
            "review_threshold": 2.0,
            "comparisons": [
                {
                    "field": "surname",
                    "method": "exact",
                    "levels": [
                        {"when": "exact", "m_probability": 0.9312, "u_probability": 0.00045},
                        {"when": "else", "m_probability": 0.0688, "u_probability": 0.99955},
                    ],
                },
                {
                    "field": "date_of_birth",
                    "method": "exact",
                    "levels": [
                        {"when": "exact", "m_probability": 0.95, "u_probability": 0.00005},
                        {"when": "else", "m_probability": 0.05, "u_probability": 0.99995},
                    ],
                },
            ],
        }
    ],
}
_LEVELS = (
    LevelEstimate("exact", 0.9, 0.9312, 0.001, 0.00045, 41_204.3, 450),
    LevelEstimate("else", 0.1, 0.0688, 0.999, 0.99955, 3_044.1, 999_550),
)


def _thresholds() -> tuple[ThresholdRow, ...]:
    rows = []
    for step in range(-40, 41):
        recall = 1 / (1 + 2 ** (step / 4 - 5))
        precision = 1 / (1 + 2 ** (-step / 4 - 1))
        f1 = 2 * precision * recall / (precision + recall)
        rows.append(ThresholdRow(step / 2, 44_000 * recall / precision, 44_000 * recall, precision, recall, f1))
    return tuple(rows)


def made_result() -> EstimateResult:
    """Return what an estimation of one strategy gives."""
    strategy = StrategyEstimate(
        strategy="standard",
        comparisons=(
            ComparisonEstimate("surname", _LEVELS, is_m_estimated=True),
            ComparisonEstimate("postcode", _LEVELS, is_m_estimated=False),
        ),
        rules=(RuleEstimate("surname (soundex) and date_of_birth (year)", 412_880, 3, 0.012, 0.0955, 0.871),),
        prior=0.00021,
        matches_count=44_248.4,
        random_pairs_count=1_000_000,
        thresholds=_thresholds(),
        current_match_threshold=9.0,
        proposed_match_threshold=6.5,
        current_review_threshold=3.0,
        proposed_review_threshold=2.0,
        unlinkables=tuple(UnlinkableRow(step / 2, step / 50) for step in range(20)),
        unlinkable_share=0.031,
        notes=("No rule of the strategy standard that leaves postcode free found pairs with its values.",),
    )
    return EstimateResult(48_213, 0.0005, 0.00021, (strategy,), DEFINITION, {"sample": 1.2}, strategy.notes)


@cache
def _stored() -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Make results and plots once: drawing takes a second."""
    results = estimation_results(made_result())
    plots = [drawn_plot(plot) for plot in estimation_plots(results)]
    return results, plots


def add_estimation(project: LinkageProject) -> Estimation:
    """Add an estimation over the held records, made a month ago."""
    results, plots = _stored()
    at = timezone.now() - timedelta(days=31)
    job = Job.objects.create(
        kind=JobKind.ESTIMATE,
        project=project,
        project_code=project.code,
        state=JobState.SUCCESS,
        attempt=1,
        queue_rank=0,
        queued_at=at,
        started_at=at,
        ended_at=at + timedelta(seconds=6),
        statistics={
            "match_configuration_version": 3,
            "records_count": 48_213,
            "current_prior": 0.0005,
            "estimated_prior": 0.00021,
            "strategies": strategy_rows(results),
        },
    )
    return Estimation.objects.create(
        project=project,
        job=job,
        base_version=MatchConfigurationVersion.objects.filter(project=project)[0],
        definition=DEFINITION,
        results=results,
        plots=plots,
        created_at=at,
    )
