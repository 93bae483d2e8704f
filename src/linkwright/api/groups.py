"""Groups of a project: one with its records, links, history and Quality Reviews; a decision about it.

What its records hold is in an answer only for whoever may see identifying values, and each such look stands in the
audit log, as with the page.
"""

from datetime import datetime
from typing import Annotated, Any

from django.http import Http404, HttpRequest
from ninja import Path, Router, Schema, Status
from pydantic import Field

from linkwright.api.answers import possible_errors
from linkwright.api.envelopes import EnvelopeDetailAnswer, envelope_detail
from linkwright.api.paging import MAX_KEY, Key
from linkwright.api.projects import ProjectCode
from linkwright.api.queue import ReasonForm
from linkwright.api.records import (
    FromEnvelopeAnswer,
    RecordNameAnswer,
    RecordValuesAnswer,
    from_envelope,
    record_name,
    values_answer,
)
from linkwright.api.rights import caller_of, project_or_404, reader_of
from linkwright.config import load_config
from linkwright.engine.explanation import plain_weight
from linkwright.services.explain_group import HistoryEntry, UnknownGroupError
from linkwright.services.look_at_group import (
    MOST_SHOWN_PAIRS,
    MOST_SHOWN_RECORDS,
    LookedAtGroup,
    ShownPair,
    ShownReview,
    look_at_group,
)
from linkwright.services.review_group import (
    MOST_REVIEWED,
    GroupReview,
    ReviewDecision,
    ReviewRefusedError,
    review_group,
)
from linkwright.store.models import JobKind
from linkwright.store.permissions import Permission
from linkwright.warehouse.group_history import GroupEventKind

router = Router(tags=["records"])

GroupId = Annotated[int, Path(ge=1, le=MAX_KEY, description="The group's number in the project.")]
MatchWeight = Annotated[float | str, Field(description="log2; `infinity` by a deterministic strategy.")]
NAMED_RECORDS = 100
# JSON of 2.5 MiB holds no more numbers
MOST_SEEN = 1_000_000


class GroupMemberAnswer(Schema):
    """A record of a group."""

    record_id: int
    record: RecordNameAnswer
    envelope: FromEnvelopeAnswer = Field(description="That brought it.")
    values: RecordValuesAnswer | None = Field(description="Null without the permission 'see identifying values'.")


class LinkAnswer(Schema):
    """An accepted pair of two records of a group."""

    record_id_l: int
    record_id_r: int
    match_weight: MatchWeight
    strategy: str


class ShownLevelAnswer(Schema):
    """One comparison of a pair."""

    comparison: str
    level: int = Field(description="-1: a value is missing; 0: none agrees; counted upwards.")
    text: str = Field(description="The level in words.")


class KeptPairAnswer(LinkAnswer):
    """A pair as Match kept it: accepted, or for review."""

    is_match: bool
    levels: list[ShownLevelAnswer] = Field(description="By the version that weighed it.")


class GroupHistoryAnswer(Schema):
    """One thing that happened to a group."""

    event: GroupEventKind
    records_count: int
    records: list[RecordNameAnswer] = Field(description=f"The first {NAMED_RECORDS} that are still known.")
    other_group_id: int | None
    envelope: FromEnvelopeAnswer | None = Field(description="Null: a job that belongs to no Envelope.")
    job_id: int
    job_kind: JobKind
    at: datetime


class DecisionAnswer(Schema):
    """What a Quality Review says of two records."""

    record_id: int = Field(description="A record of the group.")
    other_record_id: int
    record: RecordNameAnswer | None = Field(description="Null: not known any more.")
    other_record: RecordNameAnswer | None
    is_together: bool = Field(description="Whether they belong together; else they belong apart.")
    holds: bool | None = Field(description="Whether the map says the same; null: one of them is no more.")


class ReviewAnswer(Schema):
    """The decisions of one Quality Review about records of a group."""

    envelope: FromEnvelopeAnswer
    made_by: str = Field(description="A user name; empty: the machine itself.")
    made_at: datetime
    reason: str | None = Field(description="Null for whom may neither review nor see identifying values.")
    decisions: list[DecisionAnswer]


class GroupAnswer(Schema):
    """One group, one that is or one that was."""

    group_id: int
    flags: list[str] = Field(description="Why a person should look at it, in words.")
    record_ids: list[int] = Field(description="All its records; none if it is no more.")
    members: list[GroupMemberAnswer] = Field(description=f"The first {MOST_SHOWN_RECORDS} of them.")
    links: list[LinkAnswer] = Field(
        description="Accepted pairs among its records; of very many those that hold it together best."
    )
    links_count: int
    pairs: list[KeptPairAnswer] = Field(
        description=f"Pairs among `members`, the heaviest first, at most {MOST_SHOWN_PAIRS}."
    )
    pairs_count: int
    history: list[GroupHistoryAnswer] = Field(description="The oldest first.")
    reviews: list[ReviewAnswer] = Field(description="The newest first.")
    waiting_reviews: list[FromEnvelopeAnswer] = Field(
        description="Quality Reviews of the project that have not been processed yet."
    )


class GroupReviewForm(ReasonForm):
    """What is decided about a group, and why."""

    decision: ReviewDecision = Field(
        description="`together`: its records, and those of `other_group_id`, are one person's. `take_out`: the "
        "chosen records leave it, and are one person's. `each_apart`: each chosen record is another person's."
    )
    seen_record_ids: list[Key] = Field(
        max_length=MOST_SEEN,
        description="`record_ids` of the group as it was read: if it has changed since, nothing is decided.",
    )
    chosen_record_ids: list[Key] = Field(
        [], max_length=MOST_REVIEWED, description="For `take_out` and `each_apart`; else left out."
    )
    other_group_id: Key | None = Field(None, description="A group to join with; for `together` only.")


@router.get(
    "/{code}/groups/{group_id}", response={200: GroupAnswer, **possible_errors(409)}, summary="Read a group"
)
def read_one(request: HttpRequest, code: ProjectCode, group_id: GroupId) -> GroupAnswer:
    """Read a group, one that is or one that was; that its records' values were seen stands in the audit log."""
    caller = reader_of(request)
    project = project_or_404(caller, code)
    try:
        looked = look_at_group(load_config(), caller.actor, project.code, group_id)
    except UnknownGroupError as error:
        raise Http404(f"{project.code} has no group {group_id}, and never had.") from error
    return _answer(looked)


@router.post(
    "/{code}/groups/{group_id}/review",
    response={202: EnvelopeDetailAnswer, **possible_errors(409, 413, 415)},
    summary="Decide about a group",
)
def review(
    request: HttpRequest, code: ProjectCode, group_id: GroupId, form: GroupReviewForm
) -> Status[EnvelopeDetailAnswer]:
    """Queue a Quality Review of a group; the group changes when its Envelope has been processed."""
    caller = caller_of(request)
    project = project_or_404(caller, code)
    caller.demand(Permission.REVIEW, project)
    is_joined = form.decision is ReviewDecision.TOGETHER
    left_out = "chosen_record_ids" if is_joined else "other_group_id"
    if getattr(form, left_out):
        raise ReviewRefusedError(f"{left_out} says nothing where the decision is {form.decision}. Leave it out.")
    asked = GroupReview(
        group_id=group_id,
        seen=frozenset(form.seen_record_ids),
        decision=form.decision,
        chosen=frozenset(form.chosen_record_ids),
        other_group_id=form.other_group_id,
        reason=form.reason,
    )
    envelope = review_group(load_config(), caller.actor, project.code, asked)
    return Status(202, envelope_detail(caller, envelope))


def _answer(looked: LookedAtGroup) -> GroupAnswer:
    explained, values = looked.explained, looked.values or {}
    return GroupAnswer(
        group_id=explained.group_id,
        flags=list(explained.flags),
        record_ids=[one.record_id for one in explained.members],
        members=[
            GroupMemberAnswer(
                record_id=one.record_id,
                record=record_name(one.key),
                envelope=from_envelope(one.envelope),
                values=values_answer(values[one.record_id]) if one.record_id in values else None,
            )
            for one in looked.members
        ],
        links=[LinkAnswer(**_link(one)) for one in explained.links],
        links_count=explained.links_count,
        pairs=[_pair(one) for one in looked.pairs],
        pairs_count=looked.pairs_count,
        history=[_history(one) for one in explained.history],
        reviews=[_review(one, shows_reasons=looked.shows_reasons) for one in looked.reviews],
        waiting_reviews=[from_envelope(one) for one in looked.queued_reviews],
    )


def _link(one: Any) -> dict[str, Any]:
    return {
        "record_id_l": one.record_id_l,
        "record_id_r": one.record_id_r,
        "match_weight": plain_weight(one.match_weight),
        "strategy": one.strategy,
    }


def _pair(one: ShownPair) -> KeptPairAnswer:
    levels = [
        ShownLevelAnswer(comparison=level.comparison, level=level.number, text=level.text) for level in one.levels
    ]
    return KeptPairAnswer(**_link(one.pair), is_match=one.pair.is_match, levels=levels)


def _history(entry: HistoryEntry) -> GroupHistoryAnswer:
    return GroupHistoryAnswer(
        event=entry.event.kind,
        records_count=len(entry.event.record_ids),
        records=[record_name(key) for key in entry.records[:NAMED_RECORDS]],
        other_group_id=entry.event.other_group_id,
        envelope=None if entry.envelope is None else from_envelope(entry.envelope),
        job_id=entry.job.pk,
        job_kind=JobKind(entry.job.kind),
        at=entry.at,
    )


def _review(one: ShownReview, *, shows_reasons: bool) -> ReviewAnswer:
    made_by = one.envelope.received_by
    return ReviewAnswer(
        envelope=from_envelope(one.envelope),
        made_by=made_by.username if made_by else "",
        made_at=one.envelope.received_at,
        reason=one.envelope.reason if shows_reasons else None,
        decisions=[
            DecisionAnswer(
                record_id=decision.record_ids[0],
                other_record_id=decision.record_ids[1],
                record=None if decision.keys[0] is None else record_name(decision.keys[0]),
                other_record=None if decision.keys[1] is None else record_name(decision.keys[1]),
                is_together=decision.is_together,
                holds=decision.holds,
            )
            for decision in one.decisions
        ],
    )
