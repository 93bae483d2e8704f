"""Lists in pages: `limit`, an opaque `cursor`, and a link to the next page. Nothing is ever counted."""

from collections.abc import Callable
from functools import wraps
from inspect import signature
from typing import Annotated, Any, TypeVar

from django.db.models import Model, QuerySet
from django.http import HttpRequest
from ninja import Schema
from ninja.errors import HttpError
from pydantic import Field

MAX_LIMIT = 500
DEFAULT_LIMIT = 50
MAX_KEY = 2**63 - 1
# PostgreSQL refuses the zero character in a text
NO_ZERO = r"^[^\u0000]*$"
NOT_BLANK = r"^[^\u0000]*[^\u0000-\u0020][^\u0000]*$"
KEY_CURSOR = r"^[0-9]{0,18}$"
JOB_CURSOR = r"^(s[0-9]{1,17}-[0-9]{1,18}|u[0-9]{1,18})?$"

Key = Annotated[int, Field(ge=1, le=MAX_KEY)]
Text = Annotated[str, Field(max_length=200, pattern=NO_ZERO)]
Code = Annotated[str, Field(min_length=1, max_length=255, pattern=NO_ZERO)]

Row = TypeVar("Row", bound=Model)
Item = TypeVar("Item")


class PageQuery(Schema):
    """Which page of a list."""

    limit: int = Field(DEFAULT_LIMIT, ge=1, le=MAX_LIMIT, description="How many at most.")
    cursor: str = Field(
        "", max_length=30, pattern=KEY_CURSOR, description="From `next_cursor` of the page before; opaque."
    )


class CodePageQuery(PageQuery):
    """Which page of a list that is ordered by code."""

    cursor: str = Field(
        "",
        max_length=255,
        pattern=NO_ZERO,
        description="From `next_cursor` of the page before; opaque.",
    )


class PageAnswer(Schema):
    """One page."""

    next_cursor: str | None = Field(description="The cursor of the next page; null on the last one.")
    next: str | None = Field(description="Path and query of the next page; null on the last one.")


def refuse_unknown(request: HttpRequest, query: type[Schema]) -> None:
    """Refuse parameters that the list does not know, or has twice: they would narrow nothing, silently."""
    unknown = sorted(set(request.GET) - set(query.model_fields))
    if unknown:
        raise HttpError(
            422, f"Unknown parameters: {', '.join(unknown)}. Allowed: {', '.join(query.model_fields)}."
        )
    repeated = sorted(name for name, values in request.GET.lists() if len(values) > 1)
    if repeated:
        raise HttpError(422, f"Given more than once: {', '.join(repeated)}. Give each parameter once.")


def takes_no_parameters(view: Callable[..., Any]) -> Callable[..., Any]:
    """Wrap an operation that has no query, so that it refuses one; the others know their own `refuse_unknown`."""
    if "query" in signature(view).parameters:
        return view

    @wraps(view)
    def strict(request: HttpRequest, *values: Any, **named: Any) -> Any:
        if request.GET:
            raise HttpError(422, f"Unknown parameters: {', '.join(sorted(request.GET))}. Allowed: none.")
        return view(request, *values, **named)

    return strict


def links(request: HttpRequest, cursor: str) -> dict[str, str | None]:
    """Return what a page says of the next one; an empty cursor: there is none."""
    if not cursor:
        return {"next_cursor": None, "next": None}
    query = request.GET.copy()
    query["cursor"] = cursor
    return {"next_cursor": cursor, "next": f"{request.path}?{query.urlencode()}"}


def newest_first(rows: QuerySet[Row], query: PageQuery) -> tuple[list[Row], str]:
    """Return a page of rows by falling key, and the cursor of the next."""
    older = rows.filter(pk__lt=int(query.cursor)) if query.cursor else rows
    return cut_page(list(older.order_by("-pk")[: query.limit + 1]), query.limit, lambda row: str(row.pk))


def oldest_first(rows: QuerySet[Row], query: PageQuery) -> tuple[list[Row], str]:
    """Return a page of rows by rising key, and the cursor of the next."""
    newer = rows.filter(pk__gt=int(query.cursor)) if query.cursor else rows
    return cut_page(list(newer.order_by("pk")[: query.limit + 1]), query.limit, lambda row: str(row.pk))


def by_code(rows: QuerySet[Row], query: CodePageQuery) -> tuple[list[Row], str]:
    """Return a page of rows by their code, and the cursor of the next."""
    later = rows.filter(code__gt=query.cursor) if query.cursor else rows
    return cut_page(list(later.order_by("code")[: query.limit + 1]), query.limit, _code_of)


def _code_of(row: Any) -> str:
    return str(row.code)


def cut_page(found: list[Item], limit: int, cursor_of: Callable[[Item], str]) -> tuple[list[Item], str]:
    """Return a page of what was found, one more than `limit` if there is more, and the cursor of the next."""
    page = found[:limit]
    return page, cursor_of(page[-1]) if len(found) > limit else ""
