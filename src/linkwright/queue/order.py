"""The order of the queue: the chain under way first, then by rank, inside a chain by position."""

from collections.abc import Sequence
from functools import cache
from typing import Any

from django.db.models import Case, IntegerField, Max, Min, QuerySet, Value, When

from linkwright.store.kept_query import Given, KeptQuery, given_one_of
from linkwright.store.models import Job, JobState, QueueState

_STATE = KeptQuery(lambda: QueueState.objects.filter(pk=1))


def queue_state(*, lock: bool = False) -> QueueState:
    """Return the queue's one row, made on first use; with `lock`, held until the transaction ends."""
    state = QueueState.objects.select_for_update().filter(pk=1).first() if lock else _STATE.first()
    if state is not None:
        return state
    QueueState.objects.get_or_create(pk=1)
    return queue_state(lock=lock)


def queued_in_order(state: QueueState) -> QuerySet[Job]:
    """Return the queued jobs, first to run first."""
    return _in_order(state.active_envelope_id)


def _in_order(active_envelope_id: int | Given | None) -> QuerySet[Job]:
    jobs = Job.objects.filter(state=JobState.QUEUED)
    if active_envelope_id is None:
        return jobs.order_by("queue_rank", "envelope_id", "chain_position", "pk")
    # A chain that has begun is finished before anything else, whatever was moved to the front meanwhile.
    under_way = Case(
        When(envelope_id=active_envelope_id, then=Value(0)), default=Value(1), output_field=IntegerField()
    )
    return jobs.annotate(after=under_way).order_by("after", "queue_rank", "envelope_id", "chain_position", "pk")


def first_queued(state: QueueState, series: Sequence[int] | None, limit: int) -> list[int]:
    """Return the keys of the first queued jobs, those of some series or of all (None)."""
    if series is not None and not series:
        return []
    has_begun = state.active_envelope_id is not None
    asked = _first_queued(has_begun=has_begun, is_narrowed=series is not None, limit=limit)
    given: dict[str, Any] = {"active": state.active_envelope_id} if has_begun else {}
    return asked.rows(**given, **({} if series is None else {"series": series}))


@cache
def _first_queued(*, has_begun: bool, is_narrowed: bool, limit: int) -> KeptQuery[int]:
    narrowed = [given_one_of("series_id", "series")] if is_narrowed else []
    active = Given("active") if has_begun else None
    return KeptQuery(lambda: _in_order(active).filter(*narrowed).values_list("pk", flat=True)[:limit])


def front_rank() -> int:
    """Return a rank before every queued job's."""
    first = Job.objects.filter(state=JobState.QUEUED).aggregate(rank=Min("queue_rank"))["rank"]
    return 0 if first is None else int(first) - 1


def back_rank() -> int:
    """Return a rank after every queued job's."""
    last = Job.objects.filter(state=JobState.QUEUED).aggregate(rank=Max("queue_rank"))["rank"]
    return 1 if last is None else int(last) + 1
