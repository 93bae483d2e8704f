"""Queries whose SQL is written once, and then only asked with other values.

A page asks some fifteen queries, always the same ones, and the ORM writes the SQL of each of them anew: that takes
a third of the page. A `KeptQuery` is built by the ORM as any other, with `Given` in the place of what differs, and
its compiled form stays with the connection. What comes back is what the query set gives: models or named columns,
converted as ever.

For queries of one shape alone: the text must be the same whatever is given. A list goes through `given_one_of`.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Generic, TypeVar, cast

from django.core.exceptions import EmptyResultSet
from django.db import DEFAULT_DB_ALIAS, connection, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Aggregate, BigIntegerField, BooleanField, Count, Expression, F, Field, QuerySet, Value
from django.db.models.sql.compiler import SQLCompiler

Row = TypeVar("Row")
_KEPT = "kept_queries"


class Given(Expression):
    """The place of a value in a kept query, as a field of this kind writes it; an integer if nothing is said."""

    def __init__(self, name: str, output_field: "Field[Any, Any] | None" = None) -> None:
        super().__init__(output_field=output_field or BigIntegerField())
        self.name = name

    def as_sql(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper) -> tuple[str, tuple[Any, ...]]:
        """Return a placeholder, with this as what stands for the value."""
        del compiler, connection
        return "%s", (self,)

    def written(self, value: Any) -> Any:
        """Return a value as the database takes it."""
        return self.output_field.get_db_prep_value(value, connection)


class _GivenList(Given):
    """The place of a list of integers: one value, whatever their number."""

    def written(self, value: Any) -> Any:
        """Return the list as the database takes it."""
        return list(value) if connection.vendor == "postgresql" else json.dumps(list(value))


class _OneOf(Expression):
    """The condition that a column holds one of the integers of a list."""

    conditional = True

    def __init__(self, column: str, name: str) -> None:
        super().__init__(output_field=BooleanField())
        self._parts: list[Any] = [F(column), _GivenList(name)]

    def get_source_expressions(self) -> list[Any]:
        """Return the column and the list."""
        return self._parts

    def set_source_expressions(self, exprs: Any) -> None:
        """Take over the column and the list, resolved."""
        self._parts = list(exprs)

    def as_sql(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper) -> tuple[str, tuple[Any, ...]]:
        """Return the condition."""
        column, column_values = compiler.compile(self._parts[0])
        place, values = compiler.compile(self._parts[1])
        is_array = connection.vendor == "postgresql"
        listed = f"= ANY({place})" if is_array else f"IN (SELECT value FROM json_each({place}))"
        return f"{column} {listed}", (*column_values, *values)


def given_one_of(column: str, name: str) -> Any:
    """Return the condition that a column holds one of the integers that are given under a name."""
    return _OneOf(column, name)


def count_of(found: "QuerySet[Any, Any]") -> "QuerySet[Any, int]":
    """Return the query of one row that counts these."""
    return totals_of(found, count=Count("pk")).values_list("count", flat=True)


def totals_of(found: "QuerySet[Any, Any]", **totals: Aggregate) -> "QuerySet[Any, Any]":
    """Return the query of one row that adds these up, with the totals in the order given."""
    # grouped by nothing: what is the same in every row is left out
    grouped = found.order_by().annotate(together=Value(1)).values("together")
    added_up: QuerySet[Any, Any] = grouped.annotate(**totals).values_list(*totals)
    return added_up


class KeptQuery(Generic[Row]):
    """A query set, written once for each connection."""

    def __init__(self, build: "Callable[[], QuerySet[Any, Row]]") -> None:
        self._build = build

    def rows(self, **values: Any) -> list[Row]:
        """Ask with these values: one for each `Given` of the query."""
        # a connection belongs to one thread, and so does what is kept with it
        kept = vars(connections[DEFAULT_DB_ALIAS]).setdefault(_KEPT, {})
        if self not in kept:
            kept[self] = _Written(self._build())
        written: _Written[Row] = kept[self]
        return written.rows(values)

    def among(self, keys: Iterable[int]) -> list[Row]:
        """Ask with a list of `keys`; of none there is nothing, and nothing is asked."""
        listed = list(keys)
        return self.rows(keys=listed) if listed else []

    def first(self, **values: Any) -> Row | None:
        """Ask with these values a query of one row at most; None if there is none."""
        found = self.rows(**values)
        return found[0] if found else None


class _Written(Generic[Row]):
    """A query set with its SQL, as one connection runs it."""

    def __init__(self, query_set: "QuerySet[Any, Row]") -> None:
        compiler = query_set.query.get_compiler(DEFAULT_DB_ALIAS)
        try:
            self._sql, self._parts = compiler.as_sql()
        except EmptyResultSet:
            # it finds nothing, whatever is given: without SQL, the compiler asks nothing
            self._sql, self._parts = "", ()
        self._values: tuple[Any, ...] = ()
        self._query_set = query_set
        vars(compiler)["as_sql"] = self._as_sql
        vars(query_set.query)["get_compiler"] = lambda *_args, **_options: compiler

    def rows(self, values: Mapping[str, Any]) -> list[Row]:
        """Return what the query set gives with these values."""
        self._values = tuple(
            part.written(values[part.name]) if isinstance(part, Given) else part for part in self._parts
        )
        # what iterates a query set, without what it keeps
        iterate = cast("Any", self._query_set)._iterable_class  # noqa: SLF001
        try:
            return list(iterate(self._query_set))
        finally:
            # what was asked for is not kept: it may be the key of a session
            self._values = ()

    def _as_sql(self, *_args: Any, **_options: Any) -> tuple[str, tuple[Any, ...]]:
        return self._sql, self._values
