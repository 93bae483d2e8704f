"""The page of a project's linkage fields: sources, standardisation, uses; values for those who may see them."""

import re
from html import unescape

import pytest

from linkwright.engine.cleaning_words import CLEANING_WORDS
from linkwright.engine.fields import FieldType
from linkwright.services.linkage_fields import read_linkage_fields
from linkwright.store.audit_log import COMMAND_LINE
from linkwright.store.models import AuditLogEntry, LinkageProject, Membership, Role, User
from tests.integration.pipeline.conftest import Row, System, system
from tests.integration.web.conftest import SignIn

__all__ = ["system"]

PAGE = "/projects/P1/linkage-fields/"
ROWS: list[Row] = [("a1", "Anna", "O'Berg", "1980-01-02", "2000")]


@pytest.fixture
def project(system: System) -> LinkageProject:
    """Return a project with one record and an own field of every type."""
    assert system.load("first", ROWS).state == "Success"
    project = LinkageProject.objects.get(code="P1")
    project.own_fields = {f"own_{kind.value}": kind.value for kind in FieldType}
    project.save()
    return project


def shown(sign_in: SignIn, project: LinkageProject, role: Role, path: str = PAGE) -> str:
    user = User.objects.create(username=role.value.lower())
    Membership.objects.create(user=user, project=project, role=role)
    response = sign_in(user).get(path)
    assert response.status_code == 200
    return unescape(response.content.decode().split("<main", 1)[1])


def test_a_field_tells_its_column_its_steps_and_its_uses(project: LinkageProject, sign_in: SignIn) -> None:
    row = shown(sign_in, project, Role.VIEWER).split(">surname</span>")[1].split("</tr>")[0]
    assert '<span class="code">ADM</span> surname' in row
    assert "Apostrophes are dropped" in row
    used = row.split("<details", 1)[1].split("</details>")[0]
    assert re.search(r"</strong>, 1 blocking rule, 1 comparison</summary>", used)
    # the summary is short, and all of it opens below
    for told in ("surname (exact)", "finds pairs:</span> surname"):
        assert told in used.split("</summary>")[1]


def test_who_may_not_see_values_gets_made_up_examples_even_if_values_are_asked_for(
    project: LinkageProject, sign_in: SignIn
) -> None:
    text = shown(sign_in, project, Role.VIEWER, f"{PAGE}?values=1")
    assert "oberg" not in text
    assert "obrien" in text
    assert "Show values of records" not in text
    assert not AuditLogEntry.objects.filter(action="see identifying values").exists()


def test_who_may_see_values_sees_them_and_is_in_the_audit_log(project: LinkageProject, sign_in: SignIn) -> None:
    assert "oberg" in shown(sign_in, project, Role.REVIEWER, f"{PAGE}?values=1")
    entry = AuditLogEntry.objects.get(action="see identifying values")
    assert (entry.target, entry.user.username if entry.user else "") == ("values of linkage fields", "reviewer")


EXPECTED = {
    FieldType.NAME: ["obrien", "smith jones", "müller"],
    FieldType.TEXT: ["12 high st", "flat 3/14"],
    FieldType.DATE: ["1980-02-01", None],
    FieldType.SEX: ["f", "m", None, None],
    FieldType.STATE: ["nsw", "vic", None],
    FieldType.POSTCODE: ["2000", "sw1a1aa"],
    FieldType.IDENTIFIER: ["ab1234x", "00417"],
    FieldType.NUMBER: ["3.5", "1000.0", None],
    FieldType.BLOOM: ["QUI=", "QUI=", None],
}


def test_every_type_has_steps_and_its_examples_are_what_load_makes_of_them(
    system: System, project: LinkageProject
) -> None:
    fields = read_linkage_fields(system.config, COMMAND_LINE, project)
    found = {one.field.type: [example.value for example in one.examples] for one in fields if one.is_own}
    assert found == EXPECTED
    assert all(CLEANING_WORDS[kind].steps for kind in FieldType)
