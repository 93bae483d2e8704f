"""Any two records of a project: what each strategy makes of them, and why they are in one group or not.

The records' values are in an answer only for whoever may see identifying values, and each such look stands in the
audit log, as with the page.
"""

from typing import Annotated

from django.http import Http404, HttpRequest
from ninja import Path, Query, Router, Schema
from pydantic import Field

from linkwright.api.answers import possible_errors
from linkwright.api.groups import MatchWeight
from linkwright.api.paging import MAX_KEY, refuse_unknown
from linkwright.api.projects import ProjectCode
from linkwright.api.records import FromEnvelopeAnswer, RecordNameAnswer, from_envelope, record_name
from linkwright.api.rights import project_or_404, reader_of
from linkwright.config import load_config
from linkwright.engine.explanation import FieldPart, PairExplanation, Verdict, plain_weight
from linkwright.services.explain_pair import ExplainedPair, ExplainedRecord, PathLink, explain_pair
from linkwright.services.live_project import UnknownRecordError
from linkwright.services.look_at_record import keys_of
from linkwright.warehouse.explain import StoredPair

router = Router(tags=["records"])

OneId = Annotated[int, Path(ge=1, le=MAX_KEY, description="A record's number in the project.")]
OtherId = Annotated[int, Path(ge=1, le=MAX_KEY, description="Another record's.")]


class PairQuery(Schema):
    """By which version of the match configuration."""

    version: int | None = Field(
        None, ge=1, le=2_147_483_647, description="The one that matched the later record if left out."
    )


class PairRecordAnswer(Schema):
    """One of two records."""

    record_id: int
    record: RecordNameAnswer
    envelope: FromEnvelopeAnswer = Field(description="That brought it.")
    group_id: int | None


class FieldValuesAnswer(Schema):
    """What two records hold in a field; null is missing. Personal data."""

    field: str
    left: str | None = Field(description="Of the record with the smaller number.")
    right: str | None


class ComparisonPartAnswer(Schema):
    """What one comparison adds to the weight of a pair: a step of the waterfall."""

    comparison: str
    values: list[FieldValuesAnswer] | None = Field(
        description="Null without the permission 'see identifying values'."
    )
    level: int = Field(description="-1: a value is missing; 0: none agrees; counted upwards.")
    text: str = Field(description="The level in words.")
    m_probability: float | None = Field(description="Null if a value is missing.")
    u_probability: float | None
    weight: float = Field(description="log2(m/u); 0 if a value is missing.")
    frequency_weight: float = Field(description="log2: what the frequency of the values changes.")


class StrategyPartAnswer(Schema):
    """What one strategy makes of a pair."""

    strategy: str
    verdict: Verdict
    blocking_rules: list[str] = Field(description="That bring the records together; none: they are not compared.")
    prior_weight: float = Field(description="log2 of the prior's odds: where the waterfall begins.")
    comparisons: list[ComparisonPartAnswer] = Field(description="None for a deterministic strategy.")
    match_weight: MatchWeight | None = Field(description="The sum; null: deterministic, and not compared.")
    match_threshold: float | None = Field(description="Null for a deterministic strategy.")
    review_threshold: float | None


class StoredPairAnswer(Schema):
    """The pair as Match kept it."""

    strategy: str
    match_weight: MatchWeight
    is_match: bool = Field(description="Else it was kept for review.")


class PathLinkAnswer(Schema):
    """A step of the chain that holds two records in one group."""

    start: RecordNameAnswer
    end: RecordNameAnswer
    match_weight: MatchWeight
    strategy: str


class PairAnswer(Schema):
    """Two records, and what is made of them."""

    records: list[PairRecordAnswer] = Field(description="The one with the smaller number first.")
    match_configuration_version: int
    version_origin: str = Field(description="Why that version, in words.")
    prior: float = Field(description="The probability that two random records belong to one person.")
    strategies: list[StrategyPartAnswer]
    stored_pair: StoredPairAnswer | None
    stored_pair_text: str
    in_one_group: bool
    group_text: str = Field(description="Why they are in one group or not, in words.")
    path: list[PathLinkAnswer] | None = Field(
        description="The chain of accepted pairs between them whose weakest link is the strongest."
    )
    values_shown: bool


@router.get(
    "/{code}/pairs/{record_id}/{other_record_id}",
    response={200: PairAnswer, **possible_errors(409)},
    summary="Explain a pair",
)
def read_one(
    request: HttpRequest, code: ProjectCode, record_id: OneId, other_record_id: OtherId, query: Query[PairQuery]
) -> PairAnswer:
    """Explain two live records, step by step; that their values were seen stands in the audit log."""
    caller = reader_of(request)
    refuse_unknown(request, PairQuery)
    project, config = project_or_404(caller, code), load_config()
    try:
        keys = keys_of(config, caller.actor, project.code, (record_id, other_record_id))
        explained = explain_pair(config, caller.actor, project.code, keys, query.version)
    except UnknownRecordError as error:
        raise Http404(str(error)) from error
    return _answer(explained)


def _answer(explained: ExplainedPair) -> PairAnswer:
    return PairAnswer(
        records=[_record(one) for one in explained.records],
        match_configuration_version=explained.version,
        version_origin=explained.version_origin,
        prior=explained.prior,
        strategies=[_strategy(one) for one in explained.strategies],
        stored_pair=None if explained.stored is None else _stored(explained.stored),
        stored_pair_text=explained.stored_text,
        in_one_group=explained.in_one_group,
        group_text=explained.group_text,
        path=None if explained.path is None else [_path_link(one) for one in explained.path],
        values_shown=explained.values_shown,
    )


def _stored(stored: StoredPair) -> StoredPairAnswer:
    return StoredPairAnswer(
        strategy=stored.strategy, match_weight=plain_weight(stored.match_weight), is_match=stored.is_match
    )


def _path_link(one: PathLink) -> PathLinkAnswer:
    return PathLinkAnswer(
        start=record_name(one.start),
        end=record_name(one.end),
        match_weight=plain_weight(one.match_weight),
        strategy=one.strategy,
    )


def _record(one: ExplainedRecord) -> PairRecordAnswer:
    return PairRecordAnswer(
        record_id=one.record_id,
        record=record_name(one.key),
        envelope=from_envelope(one.envelope),
        group_id=one.group_id,
    )


def _strategy(one: PairExplanation) -> StrategyPartAnswer:
    return StrategyPartAnswer(
        strategy=one.strategy,
        verdict=one.verdict,
        blocking_rules=list(one.rules),
        prior_weight=one.prior_weight,
        comparisons=[_part(part) for part in one.parts],
        match_weight=None if one.match_weight is None else plain_weight(one.match_weight),
        match_threshold=one.match_threshold,
        review_threshold=one.review_threshold,
    )


def _part(part: FieldPart) -> ComparisonPartAnswer:
    values = part.values
    return ComparisonPartAnswer(
        comparison=part.comparison,
        values=None
        if values is None
        else [FieldValuesAnswer(field=one.field, left=one.left, right=one.right) for one in values],
        level=part.level_number,
        text=part.level,
        m_probability=part.m_probability,
        u_probability=part.u_probability,
        weight=part.weight,
        frequency_weight=part.frequency_weight,
    )
