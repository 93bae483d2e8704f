"""Trying a draft of a match configuration on a project that was processed."""

import pytest

from linkwright.engine.strategy import MatchConfiguration
from linkwright.jobs.project_form import current_match_configuration
from linkwright.queue.lock import FileLock
from linkwright.services import try_match as trial_service
from linkwright.services.try_match import MatchTrial, TrialBusyError, TrialError, try_match
from linkwright.store.audit_log import COMMAND_LINE, Actor
from linkwright.store.models import AuditLogEntry, LinkageProject, Membership, User
from linkwright.warehouse.preflight import OverLimitsError
from tests.integration.pipeline.conftest import Row, System, system

__all__ = ["system"]

ROWS: list[Row] = [
    ("a1", "Anna", "Berg", "1980-01-02", "2000"),
    ("a2", "Anna", "Berg", "1980-01-02", "2000"),
    ("a3", "Anna", "Holm", "1980-01-02", "2000"),
    ("a4", "Zoe", "Quist", "1980-01-02", ""),
    ("a5", "Ben", "Low", "1971-05-06", "2010"),
]


@pytest.fixture
def project(system: System) -> LinkageProject:
    """Return a project with five records."""
    assert system.load("first", ROWS).state == "Success"
    return LinkageProject.objects.get(code="P1")


def draft(project: LinkageProject, **changes: object) -> MatchConfiguration:
    """Return the project's configuration with changes of its only strategy."""
    configuration = current_match_configuration(project)[1]
    (strategy,) = configuration.strategies
    return configuration.model_copy(update={"strategies": (strategy.model_copy(update=changes),)})


def tried(system: System, project: LinkageProject, actor: Actor = COMMAND_LINE, **changes: object) -> MatchTrial:
    return try_match(system.config, actor, project, draft(project, **changes))


def member(project: LinkageProject, role: str) -> Actor:
    user = User.objects.create(username=role.lower())
    Membership.objects.create(user=user, project=project, role=role)
    return Actor(user, "192.0.2.7")


def test_pairs_are_counted_by_rule_weight_and_verdict(system: System, project: LinkageProject) -> None:
    trial = tried(system, project, match_threshold=5.0)
    (strategy,) = trial.strategies
    assert (trial.live_count, trial.sampled_count) == (5, 5)
    # one pair shares the surname, six the birthday; the first rule has the pair that both find
    assert [(rule.candidate_pairs_count, rule.scored_pairs_count) for rule in strategy.rules] == [(1, 1), (6, 5)]
    assert sum(one.scored_count for one in strategy.weights) == 6
    # Anna Berg twice links; Anna Holm with each of the two weighs 2.98: for review
    assert (strategy.linked_count, strategy.review_count) == (1, 2)


def test_a_pair_that_two_strategies_find_is_counted_once_in_the_total(
    system: System, project: LinkageProject
) -> None:
    (strategy,) = draft(project, match_threshold=5.0).strategies
    again = strategy.model_copy(update={"name": "again", "match_threshold": 2.5})
    configuration = draft(project).model_copy(update={"strategies": (strategy, again)})
    trial = try_match(system.config, COMMAND_LINE, project, configuration)
    # Anna Berg twice by the first, Anna Holm with each of the two by the second, for which 2.98 is enough
    assert [one.linked_count for one in trial.strategies] == [1, 2]
    assert (trial.linked_count, trial.review_count) == (3, 0)


def test_a_lower_threshold_links_what_was_for_review(system: System, project: LinkageProject) -> None:
    (strategy,) = tried(system, project).strategies
    assert (strategy.linked_count, strategy.review_count) == (3, 0)


def test_examples_lie_on_both_sides_of_both_thresholds(system: System, project: LinkageProject) -> None:
    (strategy,) = tried(system, project, match_threshold=5.0).strategies
    match, review = strategy.examples
    assert [one.match_weight >= 5 for one in (*match.over, *match.under)] == [True, False, False, False]
    assert all(-3 <= one.match_weight < 5 for one in review.over)
    assert all(one.match_weight < -3 for one in review.under)
    assert review.under


def test_whoever_may_see_values_sees_them_and_is_in_the_audit_log(system: System, project: LinkageProject) -> None:
    trial = tried(system, project, member(project, "Owner"), match_threshold=5.0)
    (pair,) = trial.strategies[0].examples[0].over
    assert pair.one.values is not None
    assert pair.one.values.values["surname"] == "berg"
    entry = AuditLogEntry.objects.get(action="see identifying values")
    assert entry.target == "a trial of the match configuration"
    assert "ADM:a1" in entry.detail["records"]


def test_whoever_may_not_see_values_sees_the_names_of_records_alone(
    system: System, project: LinkageProject
) -> None:
    trial = tried(system, project, member(project, "Operator"), match_threshold=5.0)
    (pair,) = trial.strategies[0].examples[0].over
    assert (pair.one.values, str(pair.one.key)) == (None, "ADM:a1")
    assert not AuditLogEntry.objects.filter(action="see identifying values").exists()


def test_a_sample_is_of_whole_groups(
    system: System, project: LinkageProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    more: list[Row] = [(f"p{n}", f"Name{n // 2}", f"Sur{n // 2}", f"19{n // 2 + 10}-03-04", "") for n in range(80)]
    assert system.load("more", more).state == "Success"
    monkeypatch.setattr(trial_service, "SAMPLED_RECORDS_COUNT", 40)
    trial = tried(system, project)
    assert trial.live_count == 85
    assert 20 <= trial.sampled_count <= 60
    (strategy,) = trial.strategies
    # each of the forty couples is in the sample as two, or not at all
    assert strategy.linked_count * 2 >= trial.sampled_count - 5


def test_a_second_trial_meanwhile_is_told_to_wait(system: System, project: LinkageProject) -> None:
    lock = FileLock(system.config.home / "try-match.lock")
    assert lock.try_acquire()
    with pytest.raises(TrialBusyError, match="one trial runs at a time"):
        tried(system, project)
    lock.release()
    assert tried(system, project).sampled_count == 5


def test_too_many_pairs_are_refused_before_any_is_compared(
    system: System, project: LinkageProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trial_service, "MAX_PAIRS_COUNT", 3)
    with pytest.raises(OverLimitsError, match="7 candidate pairs"):
        tried(system, project)


def test_a_trial_that_takes_too_long_is_stopped(
    system: System, project: LinkageProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trial_service, "MAX_S", 0.0)
    with pytest.raises(TrialError, match="was stopped"):
        tried(system, project)
    assert list(system.config.scratch_folder.iterdir()) == []


def test_a_project_without_records_says_so(system: System) -> None:
    with pytest.raises(TrialError, match="holds no records"):
        tried(system, LinkageProject.objects.get(code="P1"))


def test_a_trial_leaves_nothing_behind(system: System, project: LinkageProject) -> None:
    before = sorted(path.name for path in system.folder.iterdir())
    tried(system, project)
    assert sorted(path.name for path in system.folder.iterdir()) == before
    assert list(system.config.scratch_folder.iterdir()) == []
