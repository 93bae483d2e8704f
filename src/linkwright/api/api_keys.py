"""API keys: one's own, for Administrators everybody's; make one for oneself, revoke.

A new key's token is in one answer and nowhere else. A narrowed key reaches none of it (docs/decisions/0033).
"""

from datetime import datetime
from typing import Annotated, Any

from django.http import Http404, HttpRequest
from ninja import Path, Query, Router, Schema, Status
from pydantic import Field

from linkwright.api.answers import possible_errors
from linkwright.api.paging import (
    MAX_KEY,
    NO_ZERO,
    NOT_BLANK,
    Key,
    PageAnswer,
    PageQuery,
    links,
    newest_first,
    refuse_unknown,
)
from linkwright.api.rights import Caller, caller_of
from linkwright.services.create_api_key import MAX_LIFETIME_SETTING, create_api_key
from linkwright.services.revoke_api_key import UnknownApiKeyError, revoke_api_key, visible_api_keys
from linkwright.store.models import ApiKey
from linkwright.store.models.api_keys import MAX_KEY_NAME_LENGTH
from linkwright.store.permissions import Permission

router = Router(tags=["people"])

KeyId = Annotated[int, Path(ge=1, le=MAX_KEY, description="The key's number.")]


class ApiKeyAnswer(Schema):
    """One API key, without what it opens the door with."""

    id: int
    name: str
    person_id: int
    user_name: str
    token_start: str = Field(description="The first characters of the token, to recognise it by.")
    permissions: list[str] | None = Field(description="What it is narrowed to; null: all of the person's.")
    created_at: datetime
    expires_at: datetime
    revoked_at: datetime | None
    revoked_by: str = Field(description="A user name; empty: nobody, or the command line.")
    last_used_at: datetime | None = Field(description="To the minute.")
    last_used_from: str = Field(description="A network address.")


class NewApiKeyAnswer(ApiKeyAnswer):
    """A fresh key with its token: in this answer and nowhere else."""

    token: str


class ApiKeyPageAnswer(PageAnswer):
    """API keys, newest first."""

    items: list[ApiKeyAnswer]


class ApiKeyQuery(PageQuery):
    """Whose keys."""

    person_id: Key | None = Field(None, description="Only this person's.")


class ApiKeyForm(Schema):
    """A key of one's own."""

    name: str = Field(
        min_length=1,
        max_length=MAX_KEY_NAME_LENGTH,
        pattern=NOT_BLANK,
        description="Another than one's others have.",
    )
    lifetime_days: int | None = Field(
        None, ge=1, le=100_000, description=f"At most `{MAX_LIFETIME_SETTING}`; a year if left out."
    )
    permissions: list[Permission] | None = Field(
        None, min_length=1, max_length=100, description="To narrow it to; null: all that one holds."
    )


class RevokeForm(Schema):
    """Why; may be left out."""

    reason: str = Field("", max_length=500, pattern=NO_ZERO)


@router.get("", response={200: ApiKeyPageAnswer, **possible_errors()}, summary="List API keys")
def list_all(request: HttpRequest, query: Query[ApiKeyQuery]) -> ApiKeyPageAnswer:
    """List one's own keys, and for Administrators everybody's; those that are over stay."""
    caller = _whole(request)
    refuse_unknown(request, ApiKeyQuery)
    keys = visible_api_keys(caller.actor)
    if query.person_id is not None:
        keys = keys.filter(user=query.person_id)
    rows, cursor = newest_first(keys, query)
    return ApiKeyPageAnswer(items=[ApiKeyAnswer(**_values(row)) for row in rows], **links(request, cursor))


@router.post("", response={201: NewApiKeyAnswer, **possible_errors(409, 413, 415)}, summary="Make an API key")
def create(request: HttpRequest, form: ApiKeyForm) -> Status[NewApiKeyAnswer]:
    """Make a key of one's own; the token is shown this once."""
    caller = _whole(request)
    made = create_api_key(
        caller.user,
        form.name,
        caller.actor,
        lifetime_days=form.lifetime_days,
        permissions=form.permissions,
    )
    return Status(201, NewApiKeyAnswer(**_values(made.key), token=made.token))


@router.post(
    "/{key_id}/revoke", response={200: ApiKeyAnswer, **possible_errors(409, 413, 415)}, summary="Revoke an API key"
)
def revoke(request: HttpRequest, key_id: KeyId, form: RevokeForm | None = None) -> ApiKeyAnswer:
    """Make a key useless at once, also the one that this is asked with; a second time changes nothing."""
    caller = _whole(request)
    try:
        revoked = revoke_api_key(key_id, caller.actor, form.reason if form else "")
    except UnknownApiKeyError as error:
        raise Http404(f"There is no API key {key_id}.") from error
    return ApiKeyAnswer(**_values(revoked))


def _whole(request: HttpRequest) -> Caller:
    caller = caller_of(request)
    caller.demand_whole_key()
    return caller


def _values(key: ApiKey) -> dict[str, Any]:
    return {
        "id": key.pk,
        "name": key.name,
        "person_id": key.user_id,
        "user_name": key.user.username,
        "token_start": key.token_start,
        "permissions": key.permissions,
        "created_at": key.created_at,
        "expires_at": key.expires_at,
        "revoked_at": key.revoked_at,
        "revoked_by": key.revoked_by.username if key.revoked_by else "",
        "last_used_at": key.last_used_at,
        "last_used_from": key.last_used_from,
    }
