"""Walks a list in the order of an index, and says when it has looked long enough. Never writes, never counts.

A list is the merge of *lanes*: values that an index begins with, and behind which it goes on in the list's order.
What else is asked for (`wanted`) is looked at row by row. Where that may mean many rows in vain, the walk goes
window by window, each wider than the last, as long as the next one fits into `PATIENCE_S`: the page then tells how
far it looked, and 'Older' goes on from there. So every page takes about the same time, whatever it is asked for.

SQL is written here, and not by the ORM, because neither database merges by itself the ordered halves of an IN, and
because SQLite needs every ordered half in a subselect of its own.
"""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import connection

PATIENCE_S = 0.012
# a set of lanes with fewer rows than this is read whole, without windows
FEW_ROWS = 1000
LANES_AT_ONCE = 100
_FIRST_IDS = 2000
_FIRST_SPAN_US = 12 * 3600 * 1_000_000
_WIDER = 4
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

# where a walk starts or ends: the time in microseconds (0 in a list that is ordered by key alone), and the key
Position = tuple[int, int]


@dataclass(frozen=True)
class Sql:
    """A condition with its values."""

    text: str
    values: tuple[Any, ...] = ()


@dataclass(frozen=True)
class Walk:
    """What is walked: a table by `time_column` and key, or by key alone (''); newest first unless `is_upward`."""

    table: str
    time_column: str
    # first and last position that count, of the time if there is one
    lowest: int | None = None
    highest: int | None = None
    is_upward: bool = False

    @property
    def column(self) -> str:
        """What positions are of."""
        return self.time_column or "id"


@dataclass(frozen=True)
class Keys:
    """Keys in the order of the walk. `reached`: how far it has looked, if it stopped before it had enough."""

    keys: Sequence[int]
    reached: int | None = None


def microseconds(at: datetime) -> int:
    """Return a moment as a whole number."""
    return (at - _EPOCH) // timedelta(microseconds=1)


def moment_of(position_us: int) -> datetime:
    """Return the moment of a number.

    Raises:
        OverflowError: if there is no such year.
    """
    return _EPOCH + timedelta(microseconds=position_us)


def one_of(column: str, values: Sequence[Any]) -> Sql:
    """Return the condition that a column holds one of these."""
    if not values:
        return Sql("1 = 0")
    if connection.vendor == "postgresql":
        # one value, whatever their number: a thousand take the driver as long as the database
        return Sql(f"{column} = ANY(%s)", (list(values),))
    return Sql(f"{column} IN ({', '.join(['%s'] * len(values))})", tuple(values))


@dataclass(frozen=True)
class Way:
    """One way to walk a list: by lanes, looking at `wanted` row by row.

    A lane is given by the values of `columns`, one row of `values` each; without columns there is one lane, the
    whole list. `also` holds in every lane, and costs nothing. `is_sorted`: behind the columns an index goes on in
    the list's order; else the way serves only if it holds few rows. No row may be in two lanes.
    """

    columns: tuple[str, ...] = ()
    values: Sequence[tuple[Any, ...]] = ((),)
    also: Sequence[Sql] = ()
    wanted: Sequence[Sql] = ()
    is_sorted: bool = True


def read_best(
    walk: Walk, ways: Sequence[Way], start: Position | None, limit: int, *, patience_s: float | None = None
) -> Keys:
    """Return the next keys from behind `start` on, by the way that costs least; the last one is the last resort.

    First comes a way that meets no row in vain, then one whose lanes hold few rows, then the last one, by windows.
    """
    near = _near(walk, start)
    for way in ways:
        if way.is_sorted and not way.wanted:
            return Keys(_merged(walk, way, [*near, *_far(walk)], limit))
    for way in ways:
        few = _all_if_few(walk, way)
        if few is not None:
            return Keys(_sorted(walk, [one_of("id", few), *near, *_far(walk), *way.wanted], limit))
    extent = _extent(walk)
    if extent is None:
        return Keys([])
    patience_s = PATIENCE_S if patience_s is None else patience_s
    lowest, highest = extent
    begun = lowest if walk.is_upward else highest
    if start is not None:
        at = start[0 if walk.time_column else 1]
        begun = max(at, lowest) if walk.is_upward else min(at, highest)
    return _read_windows(_Windows(walk, ways[-1], near, begun, extent), limit, patience_s)


def _all_if_few(walk: Walk, way: Way) -> list[int] | None:
    """Return the keys of all rows of a way's lanes, in no order; None if they are not few. Reads few at most."""
    keys: list[int] = []
    for some in _pieces(way):
        statement, values = _lanes_sql(walk, some, [], f"LIMIT {FEW_ROWS}", selected="id")
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT id FROM ({statement}) AS few LIMIT {FEW_ROWS - len(keys)}", values)
            keys += [int(row[0]) for row in cursor.fetchall()]
        if len(keys) >= FEW_ROWS:
            return None
    return keys


@dataclass(frozen=True)
class _Windows:
    """A walk window by window: from `begun` on, which lies behind `near`, to the other end of `extent`."""

    walk: Walk
    way: Way
    near: Sequence[Sql]
    begun: int
    extent: tuple[int, int]


def _read_windows(windows: _Windows, limit: int, patience_s: float) -> Keys:
    walk, position, near = windows.walk, windows.begun, windows.near
    lowest, highest = windows.extent
    span = _FIRST_SPAN_US if walk.time_column else _FIRST_IDS
    keys: list[int] = []
    began_s = time.perf_counter()
    while True:
        position = position + span if walk.is_upward else position - span
        is_last = position > highest if walk.is_upward else position <= lowest
        far = _far(walk) if is_last else [_edge(walk, "<" if walk.is_upward else ">=", position)]
        asked_s = time.perf_counter()
        keys += _merged(walk, windows.way, [*near, *far], limit - len(keys))
        now_s = time.perf_counter()
        if len(keys) >= limit or is_last:
            return Keys(keys)
        took_s, left_s = now_s - asked_s, patience_s - (now_s - began_s)
        # the next one as wide takes about as long
        if took_s > left_s:
            return Keys(keys, position)
        if _WIDER * took_s < left_s:
            span *= _WIDER
        near = [_edge(walk, ">=" if walk.is_upward else "<", position)]


def _extent(walk: Walk) -> tuple[int, int] | None:
    """Return the first and the last position that can hold a row: two looks at the ends of an index."""
    column = walk.column
    ends = [
        f"(SELECT {column} FROM {walk.table} WHERE {column} IS NOT NULL ORDER BY {column} {way} LIMIT 1)"
        for way in ("ASC", "DESC")
    ]
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {ends[0]}, {ends[1]}")
        oldest, newest = cursor.fetchone() or (None, None)
    if oldest is None or newest is None:
        return None
    lowest, highest = _position(oldest), _position(newest)
    lowest = lowest if walk.lowest is None else max(lowest, walk.lowest)
    return lowest, highest if walk.highest is None else min(highest, walk.highest)


def _merged(walk: Walk, way: Way, bounds: Sequence[Sql], limit: int) -> list[int]:
    """Return the first keys of all lanes together."""
    found: list[tuple[Any, ...]] = []
    conditions = [*bounds, *way.wanted]
    order = f"ORDER BY {_order(walk)} LIMIT {limit}"
    for some in _pieces(way):
        statement, values = _lanes_sql(walk, some, conditions, order, selected=_columns(walk))
        with connection.cursor() as cursor:
            cursor.execute(f"{statement} {order}" if len(some.values) > 1 else statement, values)
            found += cursor.fetchall()
    if len(way.values) > LANES_AT_ONCE:
        found = sorted(found, reverse=not walk.is_upward)[:limit]
    return [int(row[-1]) for row in found]


def _sorted(walk: Walk, conditions: Sequence[Sql], limit: int) -> list[int]:
    """Return the first keys of the few rows that fit: they are sorted here, so that no database walks an index."""
    where, values = _where(conditions)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {_columns(walk)} FROM {walk.table} WHERE {where}", values)
        found = sorted(cursor.fetchall(), reverse=not walk.is_upward)
    return [int(row[-1]) for row in found[:limit]]


def _pieces(way: Way) -> Iterator[Way]:
    for first in range(0, len(way.values), LANES_AT_ONCE):
        yield replace(way, values=way.values[first : first + LANES_AT_ONCE])


def _lanes_sql(
    walk: Walk, way: Way, conditions: Sequence[Sql], ending: str, *, selected: str
) -> tuple[str, list[Any]]:
    """Return the statement that reads every lane up to its `ending`, unordered as a whole if there are several."""
    where, values = _where([*way.also, *conditions])
    table = walk.table
    if len(way.values) > 1 and connection.vendor == "postgresql":
        # planned once, whatever the number of lanes
        names = ", ".join(way.columns)
        by_column = [list(column) for column in zip(*way.values, strict=True)]
        types = ("text" if isinstance(column[0], str) else "bigint" for column in by_column)
        arrays = ", ".join(f"%s::{one}[]" for one in types)
        same = " AND ".join(f"{table}.{column} = lane.{column}" for column in way.columns)
        lane = f"SELECT {selected} FROM {table} WHERE {same} AND {where} {ending}"
        lanes = f"unnest({arrays}) AS lane ({names})"
        return f"SELECT found.* FROM {lanes} CROSS JOIN LATERAL ({lane}) AS found", [*by_column, *values]
    same = " AND ".join([*(f"{column} = %s" for column in way.columns), where])
    lane = f"SELECT {selected} FROM {table} WHERE {same} {ending}"
    if len(way.values) == 1:
        return lane, [*way.values[0], *values]
    return (
        " UNION ALL ".join([f"SELECT * FROM ({lane})"] * len(way.values)),
        [value for one in way.values for value in (*one, *values)],
    )


def _where(conditions: Sequence[Sql]) -> tuple[str, list[Any]]:
    text = " AND ".join(f"({one.text})" for one in conditions) or "1 = 1"
    return text, [value for one in conditions for value in one.values]


def _columns(walk: Walk) -> str:
    return f"{walk.time_column}, id" if walk.time_column else "id"


def _order(walk: Walk) -> str:
    way = "ASC" if walk.is_upward else "DESC"
    return f"{walk.time_column} {way}, id {way}" if walk.time_column else f"id {way}"


# One bound on each side, never two: SQLite would begin at either of them.


def _near(walk: Walk, start: Position | None) -> list[Sql]:
    """Return the bound from which the walk comes."""
    end = walk.lowest if walk.is_upward else walk.highest
    if start is not None:
        at = start[0 if walk.time_column else 1]
        if end is None or (at > end if walk.is_upward else at < end):
            return [_behind(walk, start)]
    return [] if end is None else [_edge(walk, ">=" if walk.is_upward else "<=", end)]


def _far(walk: Walk) -> list[Sql]:
    """Return the bound to which the walk goes."""
    end = walk.highest if walk.is_upward else walk.lowest
    if end is not None:
        return [_edge(walk, "<=" if walk.is_upward else ">=", end)]
    return [Sql(f"{walk.time_column} IS NOT NULL")] if walk.time_column else []


def _behind(walk: Walk, start: Position) -> Sql:
    """Return the condition that a row lies behind a position; the plain bound lets both databases start inside."""
    sign = ">" if walk.is_upward else "<"
    if not walk.time_column:
        return Sql(f"id {sign} %s", (start[1],))
    at = _value(walk, start[0])
    column = walk.time_column
    return Sql(f"{column} {sign}= %s AND ({column} {sign} %s OR id {sign} %s)", (at, at, start[1]))


def _edge(walk: Walk, sign: str, position: int) -> Sql:
    return Sql(f"{walk.column} {sign} %s", (_value(walk, position),))


def _value(walk: Walk, position: int) -> Any:
    """Return a position as the database writes it."""
    if not walk.time_column:
        return position
    return connection.ops.adapt_datetimefield_value(moment_of(max(position, 0)))


def _position(found: Any) -> int:
    if isinstance(found, int):
        return found
    at = found if isinstance(found, datetime) else datetime.fromisoformat(str(found))
    return microseconds(at if at.tzinfo else at.replace(tzinfo=UTC))
