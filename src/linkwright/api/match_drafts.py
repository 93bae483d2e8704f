"""Drafts of a project's match configuration: read from a file, tried on a sample of its records; saves nothing.

Checking and saving a draft: match_configuration.py.
"""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest
from ninja import Router, Schema
from pydantic import Field

from linkwright.api.answers import possible_errors
from linkwright.api.groups import MatchWeight
from linkwright.api.match_configuration import DraftForm
from linkwright.api.paging import NO_ZERO, NOT_BLANK
from linkwright.api.projects import ProjectCode
from linkwright.api.records import RecordNameAnswer, RecordValuesAnswer, record_name, values_answer
from linkwright.api.rights import Caller, caller_of, project_or_404
from linkwright.config import load_config
from linkwright.engine.explanation import plain_weight
from linkwright.engine.identifying import concealed, revealed
from linkwright.engine.splink_import import SplinkImportOptions
from linkwright.errors import ConfigurationError, LinkwrightError
from linkwright.jobs.project_form import linkage_fields
from linkwright.services.import_match import read_match
from linkwright.services.save_match import check_definition
from linkwright.services.try_match import (
    ExamplePair,
    ExampleRecord,
    MatchTrial,
    StrategyTrial,
    TrialError,
    try_match,
)
from linkwright.store.models import LinkageProject
from linkwright.store.permissions import Permission

router = Router(tags=["projects"])

MAX_TEXT = 2_000_000


class FileForm(Schema):
    """A file that holds a match configuration."""

    text: str = Field(
        min_length=1,
        max_length=MAX_TEXT,
        pattern=NOT_BLANK,
        description="Linkwright's own form in YAML or JSON, or a model that Splink saved.",
    )
    file_name: str = Field("the file", max_length=200, pattern=NO_ZERO, description="For the faults.")
    approximate: bool = Field(
        False, description="Of a Splink model: take for what has no equal here what comes nearest."
    )


class ReadFileAnswer(Schema):
    """What a file holds; nothing is saved."""

    definition: dict[str, Any] = Field(description="As in a project file, under `match`.")
    notes: list[str] = Field(description="How a Splink model is meant here.")


class ExampleRecordAnswer(Schema):
    """One record of an example."""

    record_id: int
    record: RecordNameAnswer
    values: RecordValuesAnswer | None = Field(description="Null without the permission 'see identifying values'.")


class ExamplePairAnswer(Schema):
    """A pair near a threshold."""

    match_weight: MatchWeight
    one: ExampleRecordAnswer
    other: ExampleRecordAnswer


class ExamplesAnswer(Schema):
    """The pairs nearest to a threshold."""

    threshold: float
    is_match: bool = Field(description="Whether it is the match threshold; else the review threshold.")
    over: list[ExamplePairAnswer]
    under: list[ExamplePairAnswer]


class TriedRuleAnswer(Schema):
    """What one blocking rule found."""

    rule: str = Field(description="In words.")
    candidate_pairs_count: int
    scored_pairs_count: int
    kept_pairs_count: int
    oversized_blocks_count: int


class TriedWeightAnswer(Schema):
    """Pairs of a match weight from `weight` to under `weight` + 1."""

    weight: int
    scored_count: int
    linked_count: int
    review_count: int


class TriedStrategyAnswer(Schema):
    """What one strategy did with the sample."""

    strategy: str
    linked_count: int = Field(description="Pairs at or over the match threshold.")
    review_count: int = Field(description="Pairs between the thresholds.")
    rules: list[TriedRuleAnswer]
    weights: list[TriedWeightAnswer]
    examples: list[ExamplesAnswer]


class TrialAnswer(Schema):
    """What a draft did with a sample."""

    live_count: int = Field(description="Live records of the project.")
    sampled_count: int = Field(description="Of them in the sample, of whole groups.")
    duration_s: float
    linked_count: int = Field(description="Pairs that link by any strategy, each once.")
    review_count: int = Field(description="Pairs for review by any strategy, each once.")
    strategies: list[TriedStrategyAnswer]
    warnings: list[str]
    lacks_frequencies: bool = Field(description="It asks for term frequencies that there are none of.")
    values_shown: bool


@router.post(
    "/{code}/match-configuration/read-file",
    response={200: ReadFileAnswer, **possible_errors(409, 413, 415)},
    summary="Read a match configuration from a file",
)
def read_file(request: HttpRequest, code: ProjectCode, form: FileForm) -> ReadFileAnswer:
    """Say what a file holds, as a definition to check, to try or to save; `faults` name all that is wrong."""
    project, _ = _configured(request, code)
    options = SplinkImportOptions(approximate=True) if form.approximate else None
    read = read_match(form.text, form.file_name.strip() or "the file", linkage_fields(project), options)
    return ReadFileAnswer(definition=read.definition, notes=list(read.notes))


@router.post(
    "/{code}/match-configuration/try",
    response={200: TrialAnswer, **possible_errors(409, 413, 415)},
    summary="Try a match configuration",
)
def try_draft(request: HttpRequest, code: ProjectCode, form: DraftForm) -> TrialAnswer:
    """Match a sample of the project's live records among themselves by a draft, for at most half a minute.

    One trial runs at a time on a server. Whose values were seen stands in the audit log.
    """
    project, caller = _configured(request, code)
    sees_values = caller.may(Permission.SEE_IDENTIFYING_VALUES, project)
    told = revealed if sees_values else concealed
    checked = check_definition(linkage_fields(project), form.definition)
    if checked.configuration is None:
        faults = [fault.text for fault in checked.faults]
        raise ConfigurationError("The draft has faults. Mend them, then try it.", faults)
    try:
        trial = try_match(load_config(), caller.actor, project, checked.configuration)
    except LinkwrightError as error:
        raise TrialError(told(str(error))) from error
    return _answer(trial, told)


def _configured(request: HttpRequest, code: str) -> tuple[LinkageProject, Caller]:
    caller = caller_of(request)
    project = project_or_404(caller, code)
    caller.demand(Permission.CONFIGURE_PROJECTS, project)
    return project, caller


def _answer(trial: MatchTrial, told: Callable[[str], str]) -> TrialAnswer:
    return TrialAnswer(
        live_count=trial.live_count,
        sampled_count=trial.sampled_count,
        duration_s=trial.seconds,
        linked_count=trial.linked_count,
        review_count=trial.review_count,
        strategies=[_strategy(one) for one in trial.strategies],
        warnings=[told(text) for text in trial.warnings],
        lacks_frequencies=trial.lacks_frequencies,
        values_shown=trial.shows_values,
    )


def _strategy(one: StrategyTrial) -> TriedStrategyAnswer:
    return TriedStrategyAnswer(
        strategy=one.strategy.name,
        linked_count=one.linked_count,
        review_count=one.review_count,
        rules=[
            TriedRuleAnswer(
                rule=rule.rule,
                candidate_pairs_count=rule.candidate_pairs_count,
                scored_pairs_count=rule.scored_pairs_count,
                kept_pairs_count=rule.kept_pairs_count,
                oversized_blocks_count=rule.oversized_blocks_count,
            )
            for rule in one.rules
        ],
        weights=[
            TriedWeightAnswer(
                weight=count.weight,
                scored_count=count.scored_count,
                linked_count=count.linked_count,
                review_count=count.review_count,
            )
            for count in one.weights
        ],
        examples=[
            ExamplesAnswer(
                threshold=around.threshold,
                is_match=around.is_match,
                over=[_pair(pair) for pair in around.over],
                under=[_pair(pair) for pair in around.under],
            )
            for around in one.examples
        ],
    )


def _pair(pair: ExamplePair) -> ExamplePairAnswer:
    return ExamplePairAnswer(
        match_weight=plain_weight(pair.match_weight), one=_example(pair.one), other=_example(pair.other)
    )


def _example(record: ExampleRecord) -> ExampleRecordAnswer:
    values = None if record.values is None else values_answer(record.values)
    return ExampleRecordAnswer(record_id=record.record_id, record=record_name(record.key), values=values)
