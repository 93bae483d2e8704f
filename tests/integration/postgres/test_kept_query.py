"""A kept query gives what the query set gives, on both databases: with other values, after errors, in threads."""

import gc
import threading
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import DataError, OperationalError, connection
from django.db.models import CharField, Count, DateTimeField, Q, QuerySet, Sum
from django.db.models.sql.compiler import SQLCompiler
from django.test.utils import CaptureQueriesContext

from linkwright.queue.order import first_queued
from linkwright.queue.retry import why_not_retry_each
from linkwright.store.kept_query import Given, KeptQuery, count_of, given_one_of, totals_of
from linkwright.store.models import LinkageProject, MatchConfigurationVersion, QueueState, User
from linkwright.store.queries.envelope_lists import read_last_errors
from linkwright.store.queries.project_summaries import read_project_summaries
from linkwright.store.settings import read_settings
from tests.live_system import LiveSystem

BEGUN = datetime(2026, 1, 1, 12, 0, 0, 250_000, tzinfo=UTC)


@pytest.fixture
def projects(on_both: LiveSystem) -> list[LinkageProject]:
    """Return twelve projects, each with as many versions of its configuration as its number says."""
    del on_both
    MatchConfigurationVersion.objects.all().delete()
    person = User.objects.create(username="writer")
    made = []
    for number in range(12):
        name = 'O\'Brien "%s" 100 %' if number == 7 else f"Project {number}"
        project = LinkageProject.objects.create(code=f"P{number:02}", name=name, own_fields={"n": number})
        made.append(project)
        for version in range(1, number + 1):
            MatchConfigurationVersion.objects.create(
                project=project, version=version, definition={"v": [version, None, "ü"]}, created_by=person
            )
        at = BEGUN + timedelta(days=number)
        MatchConfigurationVersion.objects.filter(project=project).update(created_at=at)
    return made


@contextmanager
def written_statements() -> Iterator[list[str]]:
    """Note every statement that the ORM writes in this block."""
    written: list[str] = []
    write = SQLCompiler.as_sql
    with pytest.MonkeyPatch.context() as patch:

        def noted(compiler: SQLCompiler, *args: Any, **options: Any) -> Any:
            found = write(compiler, *args, **options)
            written.append(found[0])
            return found

        patch.setattr(SQLCompiler, "as_sql", noted)
        yield written


def versions_of(project: Any) -> QuerySet[MatchConfigurationVersion]:
    found = MatchConfigurationVersion.objects.filter(project=project).select_related("project", "created_by")
    return found.order_by("-version")[:5]


def test_models_come_with_what_belongs_to_them_and_are_written_once(projects: list[LinkageProject]) -> None:
    kept = KeptQuery(lambda: versions_of(Given("project")))
    assert kept.rows(project=projects[3].pk) == list(versions_of(projects[3]))
    with written_statements() as written:
        for project in projects:
            found = kept.rows(project=project.pk)
            assert [one.version for one in found] == list(range(project.own_fields["n"], 0, -1))[:5]
            for one in found:
                assert (one.project.name, one.project.own_fields) == (project.name, project.own_fields)
                assert one.definition == {"v": [one.version, None, "ü"]}
                assert one.created_by is not None
                assert one.created_by.username == "writer"
    assert written == []


def test_an_answer_is_new_each_time(projects: list[LinkageProject]) -> None:
    kept = KeptQuery(lambda: versions_of(Given("project")))
    first, again = kept.first(project=projects[2].pk), kept.first(project=projects[2].pk)
    assert first is not None
    assert first is not again
    MatchConfigurationVersion.objects.create(project=projects[2], version=9, definition={})
    newest = kept.first(project=projects[2].pk)
    assert newest is not None
    assert newest.version == 9
    assert kept.first(project=-1) is None


def test_columns_texts_and_moments(projects: list[LinkageProject]) -> None:
    named = KeptQuery(
        lambda: LinkageProject.objects.filter(name=Given("name", CharField())).values_list("code", "own_fields")
    )
    for project in projects:
        assert named.rows(name=project.name) == [(project.code, project.own_fields)]
    assert named.rows(name="' OR 1=1 --") == []
    # in SQL nothing equals NULL
    assert named.rows(name=None) == []
    since = KeptQuery(
        lambda: (
            MatchConfigurationVersion.objects.filter(created_at__gte=Given("at", DateTimeField()))
            .order_by("pk")
            .values_list("created_at", flat=True)
        )
    )
    for days in (0, 5, 11):
        at = BEGUN + timedelta(days=days)
        asked = MatchConfigurationVersion.objects.filter(created_at__gte=at).order_by("pk")
        assert since.rows(at=at) == list(asked.values_list("created_at", flat=True))
    assert since.rows(at=BEGUN + timedelta(days=11, microseconds=1)) == []


def test_lists_of_any_length_are_one_statement(projects: list[LinkageProject]) -> None:
    listed = given_one_of("pk", "keys") | Q(code=Given("code", CharField()))
    kept = KeptQuery(lambda: LinkageProject.objects.filter(listed).order_by("code").values_list("code", flat=True))
    keys = [project.pk for project in projects]
    assert kept.rows(keys=[], code="") == []
    with written_statements() as written:
        assert kept.rows(keys=keys[:1], code="") == ["P00"]
        assert kept.rows(keys=[keys[4], keys[2], keys[4]], code="P07") == ["P02", "P04", "P07"]
        assert kept.rows(keys=[*keys, *range(10**9, 10**9 + 5000)], code="") == [one.code for one in projects]
    assert written == []


def test_counts_and_totals_are_one_row_even_of_nothing(projects: list[LinkageProject]) -> None:
    counted = KeptQuery(lambda: count_of(MatchConfigurationVersion.objects.filter(project=Given("project"))))
    totals = KeptQuery(
        lambda: totals_of(
            MatchConfigurationVersion.objects.filter(project=Given("project")),
            late=Count("pk", filter=Q(version__gt=2)),
            added=Sum("version"),
        )
    )
    assert [counted.rows(project=one.pk) for one in projects] == [[number] for number in range(12)]
    assert totals.rows(project=projects[4].pk) == [(2, 10)]
    assert totals.rows(project=projects[0].pk) == [(0, None)]


def test_a_query_goes_on_after_errors(projects: list[LinkageProject]) -> None:
    kept = KeptQuery(lambda: LinkageProject.objects.filter(pk=Given("key")).values_list("code", flat=True))
    with pytest.raises(KeyError):
        kept.rows(other=1)
    with pytest.raises((DataError, OperationalError, OverflowError)):
        kept.rows(key=2**70)
    assert kept.rows(key=projects[1].pk) == ["P01"]
    connection.close()
    assert kept.rows(key=projects[2].pk) == ["P02"]


def test_threads_do_not_get_each_others_answers(projects: list[LinkageProject]) -> None:
    kept = KeptQuery(lambda: LinkageProject.objects.filter(pk=Given("key")).values_list("code", flat=True))
    wrong: list[object] = []

    def ask(mine: list[LinkageProject]) -> None:
        try:
            for _time in range(40):
                wrong.extend(one.code for one in mine if kept.rows(key=one.pk) != [one.code])
        except Exception as error:  # noqa: BLE001 - shown by the test
            wrong.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=ask, args=(projects[first::4],)) for first in range(4)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert wrong == []


def test_what_was_asked_for_is_not_kept_with_the_query(projects: list[LinkageProject]) -> None:
    class Asked(str):
        """A text of which one can tell whether it is still held."""

        __slots__ = ("__weakref__",)

    kept = KeptQuery(lambda: LinkageProject.objects.filter(code=Given("code", CharField())))
    asked = Asked("P03")
    assert kept.rows(code=asked) == [projects[3]]
    is_held = weakref.ref(asked)
    del asked
    gc.collect()
    assert is_held() is None


def test_a_query_that_can_find_nothing_finds_nothing(projects: list[LinkageProject]) -> None:
    nothing = LinkageProject.objects.filter(pk__in=[], name=Given("name", CharField()))
    assert KeptQuery(lambda: nothing).rows(name=projects[0].name) == []
    assert KeptQuery(lambda: nothing.values_list("code", flat=True)).first(name="") is None
    named: KeptQuery[Any] = KeptQuery(lambda: nothing.values_list("code", "name", named=True))
    assert named.rows(name="") == []
    assert read_settings("Nothing.begins.so.") == {}


def test_of_no_keys_nothing_is_asked(projects: list[LinkageProject]) -> None:
    kept = KeptQuery(lambda: LinkageProject.objects.filter(given_one_of("pk", "keys")).order_by("pk"))
    assert kept.among(project.pk for project in projects) == projects
    with CaptureQueriesContext(connection) as asked:
        assert kept.among([]) == []
        assert read_project_summaries([]) == []
        assert read_last_errors([]) == {}
        assert why_not_retry_each([]) == {}
        assert first_queued(QueueState(pk=1), [], 30) == []
    assert [query["sql"] for query in asked] == []
