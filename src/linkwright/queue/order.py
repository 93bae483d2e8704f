"""The order of the queue: the chain under way first, then by rank, inside a chain by position."""

from django.db.models import Case, IntegerField, Max, Min, QuerySet, Value, When

from linkwright.store.models import Job, JobState, QueueState


def queue_state(*, lock: bool = False) -> QueueState:
    """Return the queue's one row, made on first use; with `lock`, held until the transaction ends."""
    rows = QueueState.objects.select_for_update() if lock else QueueState.objects
    # one at most: `first` would order and cut them
    state = next(iter(rows.filter(pk=1)), None)
    if state is None:
        QueueState.objects.get_or_create(pk=1)
        state = rows.get(pk=1)
    return state


def queued_in_order(state: QueueState) -> QuerySet[Job]:
    """Return the queued jobs, first to run first."""
    jobs = Job.objects.filter(state=JobState.QUEUED)
    if state.active_envelope_id is None:
        return jobs.order_by("queue_rank", "envelope_id", "chain_position", "pk")
    # A chain that has begun is finished before anything else, whatever was moved to the front meanwhile.
    under_way = Case(
        When(envelope_id=state.active_envelope_id, then=Value(0)), default=Value(1), output_field=IntegerField()
    )
    return jobs.annotate(after=under_way).order_by("after", "queue_rank", "envelope_id", "chain_position", "pk")


def front_rank() -> int:
    """Return a rank before every queued job's."""
    first = Job.objects.filter(state=JobState.QUEUED).aggregate(rank=Min("queue_rank"))["rank"]
    return 0 if first is None else int(first) - 1


def back_rank() -> int:
    """Return a rank after every queued job's."""
    last = Job.objects.filter(state=JobState.QUEUED).aggregate(rank=Max("queue_rank"))["rank"]
    return 1 if last is None else int(last) + 1
