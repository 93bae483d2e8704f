"""A processed project with a group of two and a group of one, its members, and who looked at whose values.

Import the fixtures `system`, `without_drawing` and `linked` where they are used.
"""

import pytest

from linkwright.store.models import AuditLogEntry, LinkageProject, Membership, Role, User
from tests.integration.pipeline.conftest import Row, System, system, without_drawing

__all__ = ["FIRST", "VALUES", "linked", "looks", "member", "system", "without_drawing"]

FIRST: list[Row] = [
    ("a1", "Anna", "Berg", "1980-01-02", "2000"),
    ("a2", "Annalie", "Berg", "1980-01-02", "2017"),
    ("a4", "<b>Zoe</b>", "Quist", "1955-12-13", ""),
]
VALUES = ("annalie", "berg", "1980-01-02", "2017", "zoe", "quist")
"""What identifies these people."""


@pytest.fixture
def linked(system: System) -> System:
    """Return a project with a group of two and a group of one."""
    assert system.load("first", FIRST).state == "Success"
    return system


def member(role: Role) -> User:
    """Return a member of the project."""
    user, _ = User.objects.get_or_create(username=role.value.lower())
    project = LinkageProject.objects.get(code="P1")
    Membership.objects.get_or_create(user=user, project=project, defaults={"role": role})
    return user


def looks() -> list[tuple[str, str]]:
    """Return who saw whose values, the oldest first."""
    entries = AuditLogEntry.objects.filter(action="see identifying values").order_by("pk")
    return [(entry.user.username if entry.user else "", entry.target) for entry in entries]
