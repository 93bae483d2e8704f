"""Who one is: person, key, permissions; and which version of Linkwright answers."""

from datetime import datetime

from django.http import HttpRequest
from ninja import Router, Schema
from pydantic import Field

from linkwright import __version__
from linkwright.api.answers import possible_errors
from linkwright.api.rights import caller_of
from linkwright.store.models import Membership, Role

router = Router(tags=["me"])


class RoleAnswer(Schema):
    """One's role in a project."""

    project_code: str
    role: Role


class MeAnswer(Schema):
    """Who calls."""

    version: str = Field(description="Of Linkwright.")
    user_name: str
    is_administrator: bool
    roles: list[RoleAnswer] = Field(description="By project; an Administrator needs none.")
    key_name: str
    key_permissions: list[str] | None = Field(
        description="What the key is narrowed to; null: all of the person's."
    )
    key_expires_at: datetime


@router.get("/me", response={200: MeAnswer, **possible_errors()}, summary="Who am I")
def read_me(request: HttpRequest) -> MeAnswer:
    """Say whose key this is, and what it may do."""
    caller = caller_of(request)
    memberships = Membership.objects.filter(user=caller.user).order_by("project__code")
    return MeAnswer(
        version=__version__,
        user_name=caller.user.username,
        is_administrator=caller.user.is_superuser,
        roles=[
            RoleAnswer(project_code=code, role=Role(role))
            for code, role in memberships.values_list("project__code", "role")
        ],
        key_name=caller.key.name,
        key_permissions=caller.key.permissions,
        key_expires_at=caller.key.expires_at,
    )
