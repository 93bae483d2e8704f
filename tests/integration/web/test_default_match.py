"""What new projects start with: read by everybody, changed by Administrators, copied once, told in the history."""

import json
from html import unescape
from typing import Any

import pytest
import yaml
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from linkwright.engine.default_configuration import default_match_definition
from linkwright.engine.fields import STANDARD_FIELDS
from linkwright.services.default_match import first_match, read_default_version
from linkwright.services.match_history import UnknownVersionError, list_versions
from linkwright.services.save_default_match import restore_built_in, save_default_match
from linkwright.services.save_match import MatchChangedError, MatchDraft
from linkwright.store.audit_log import COMMAND_LINE
from linkwright.store.models import (
    AuditLogEntry,
    DefaultMatchVersion,
    LinkageProject,
    MatchConfigurationVersion,
)
from tests.integration.web.conftest import SignIn
from tests.integration.web.seed import World
from tests.integration.web.test_match_editor import form_of

PAGE = "/catalog/default-match/"
NEW = {"code": "NEW", "name": "A new project"}


def built_in(**changes: Any) -> dict[str, Any]:
    made: dict[str, Any] = json.loads(json.dumps(default_match_definition(STANDARD_FIELDS)))
    return {**made, **changes}


def save(definition: dict[str, Any], base_version: int | None = None) -> DefaultMatchVersion | None:
    return save_default_match(MatchDraft(definition, base_version, source="default.yaml"), COMMAND_LINE)


def text_of(client: Client, path: str = PAGE, status: int = 200) -> str:
    response = client.get(path)
    assert response.status_code == status
    return unescape(response.content.decode().split("<main", 1)[1].split("</main>", 1)[0])


@pytest.fixture
def admin(empty_world: World, sign_in: SignIn) -> Client:
    return sign_in(empty_world.admin)


def test_a_fresh_installation_has_the_built_in_default(empty_world: World, sign_in: SignIn) -> None:
    shown = text_of(sign_in(empty_world.viewer))
    assert "This is the one that is built in" in shown
    assert "round numbers that were chosen by hand" in shown
    assert "built in</a>" in shown
    assert "surname (soundex)" in shown
    assert 'id="change-match"' not in shown
    assert 'id="restore-built-in"' not in shown


def test_what_is_saved_is_what_a_new_project_starts_with_and_others_keep_theirs(
    admin: Client, empty_world: World
) -> None:
    before = list(MatchConfigurationVersion.objects.values_list("project__code", "version", "definition"))
    form = form_of(admin.get(f"{PAGE}edit/")) | {"prior": "0.002", "note": "small registers"}
    saved = admin.post(f"{PAGE}edit/", {**form, "step": "save"}, follow=True).content.decode()
    assert "Version 1 is saved. New projects start with it." in saved
    assert list(MatchConfigurationVersion.objects.values_list("project__code", "version", "definition")) == before
    admin.post("/new-project/", NEW)
    save(built_in(prior=0.5), 1)
    copied = MatchConfigurationVersion.objects.get(project__code="NEW")
    assert copied.definition == built_in(prior=0.002)
    assert list_versions(copied.project)[0].source == "version 1 of the default"
    entry = AuditLogEntry.objects.get(action="change default match configuration", target="version 1")
    assert (entry.user, entry.reason, entry.detail) == (
        empty_world.admin,
        "small registers",
        {"from": "the page"},
    )


def test_the_built_in_default_is_made_of_a_projects_own_fields_and_its_history_says_so(admin: Client) -> None:
    admin.post("/new-project/", NEW)
    assert list_versions(LinkageProject.objects.get(code="NEW"))[0].source == "the built-in default"
    admin.post("/new-project/", {**NEW, "code": "LIKE", "like": "NEW"})
    assert list_versions(LinkageProject.objects.get(code="LIKE"))[0].source == "version 1 of NEW"


def test_the_history_tells_who_made_which_and_what_differs(admin: Client) -> None:
    save(built_in(prior=0.002))
    save(built_in(prior=0.003), 1)
    shown = text_of(admin)
    history = shown.split('id="history-title"')[1]
    assert [part in history for part in (">2</a>", ">1</a>", "built in</a>", "default.yaml")] == [True] * 4
    assert "differences/?from=0&to=1" in history
    assert "1 difference." in text_of(admin, f"{PAGE}differences/?from=0&to=2")
    assert "<td>prior</td>" in text_of(admin, f"{PAGE}differences/?from=1&to=2")
    assert "Version 2</a> is in force" in text_of(admin, f"{PAGE}?version=1")
    assert "Version 2</a> is in force" in text_of(admin, f"{PAGE}?version=0")
    text_of(admin, f"{PAGE}?version=3", 404)
    text_of(admin, f"{PAGE}differences/?from=x&to=1", 404)


def test_going_back_to_the_built_in_one_is_a_version_as_well(admin: Client) -> None:
    save(built_in(prior=0.002))
    assert "becomes version 2; version 1 stays" in unescape(admin.get(f"{PAGE}built-in/").content.decode())
    admin.post(f"{PAGE}built-in/", {"note": "too bold"})
    read = read_default_version()
    assert (read.row.version, read.is_built_in, read.row.definition) == (2, True, built_in())
    assert "goes back to the built-in one" in text_of(admin)
    assert first_match(STANDARD_FIELDS).source == "the built-in default"
    assert AuditLogEntry.objects.get(target="version 2").reason == "too bold"
    # there is nothing left to go back to
    assert 'id="restore-built-in"' not in text_of(admin)
    assert restore_built_in(COMMAND_LINE, source="here") is None


def test_what_means_the_same_makes_no_version(admin: Client) -> None:
    assert save(built_in()) is None
    form = form_of(admin.get(f"{PAGE}edit/"))
    told = admin.post(f"{PAGE}edit/", {**form, "step": "save"}, follow=True).content.decode()
    assert "Nothing differs from the newest version" in told
    assert not DefaultMatchVersion.objects.exists()


def test_whoever_saves_second_is_told_what_the_first_changed(admin: Client) -> None:
    form = form_of(admin.get(f"{PAGE}edit/")) | {"prior": "0.004"}
    save(built_in(prior=0.002))
    response = admin.post(f"{PAGE}edit/", {**form, "step": "save"})
    assert response.status_code == 409
    assert "Version 1 was saved" in response.content.decode()
    assert "<td>0.002</td>" in response.content.decode()
    over = form_of(admin.post(f"{PAGE}edit/", {**form_of(response), "step": "rebase"}))
    admin.post(f"{PAGE}edit/", {**over, "step": "save"})
    assert DefaultMatchVersion.objects.get(version=2).definition["prior"] == 0.004


def test_two_who_save_at_the_same_moment_make_one_version(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    save(built_in(prior=0.002))
    stale = read_default_version()
    monkeypatch.setattr("linkwright.services.save_default_match.read_default_version", _once(stale))
    save(built_in(prior=0.003), 1)
    monkeypatch.setattr("linkwright.services.save_default_match.read_default_version", _once(stale))
    with pytest.raises(MatchChangedError, match="Version 2 was saved"):
        save(built_in(prior=0.004), 1)
    assert DefaultMatchVersion.objects.count() == 2


def _once(stale: Any) -> Any:
    answers = [stale]
    return lambda: answers.pop() if answers else read_default_version()


def test_a_draft_of_a_version_that_never_was_is_refused(db: None) -> None:
    with pytest.raises(UnknownVersionError, match="has no version 7"):
        save(built_in(prior=0.002), 7)


def test_faults_are_named_and_nothing_is_saved(admin: Client) -> None:
    form = form_of(admin.get(f"{PAGE}edit/")) | {"prior": "2"}
    assert "prior: 2 is out of bounds" in unescape(admin.post(f"{PAGE}check/", form).content.decode())
    assert admin.post(f"{PAGE}edit/", {**form, "step": "save"}).status_code == 409
    # a field of one project's own is none of all projects
    draft = yaml.safe_dump({"prior": 0.1, "strategies": [{"name": "a", "blocking_rules": [["occupation"]]}]})
    told = admin.post(f"{PAGE}check/", {"mode": "text", "text": draft}).content.decode()
    assert "occupation" in told
    assert "fault" in told
    assert not DefaultMatchVersion.objects.exists()


def test_it_is_downloaded_and_taken_back_in_both_forms(admin: Client) -> None:
    save(built_in(prior=0.002))
    own = admin.get(f"{PAGE}download/")
    assert yaml.safe_load(own.content) == built_in(prior=0.002)
    assert own.headers["Content-Disposition"] == 'attachment; filename="default-match.yaml"'
    splink = admin.get(f"{PAGE}download/?form=splink&strategy=person")
    for name, content, told in (
        ("own.yaml", own.content, "Nothing differs"),
        ("s.json", splink.content, "differ"),
    ):
        response = admin.post(f"{PAGE}upload/", {"file": SimpleUploadedFile(name, content)})
        assert f"The draft below is what {name} holds" in response.content.decode()
        assert told in response.content.decode()


def test_a_draft_is_tried_on_a_project_that_is_named(admin: Client) -> None:
    page = admin.get(f"{PAGE}edit/")
    assert '<option value="PERINATAL">on PERINATAL</option>' in page.content.decode()
    form = form_of(page)
    tried = admin.post(f"{PAGE}try/", {**form, "trial_project": "PERINATAL"}).content.decode()
    assert 'id="trial"' in tried
    assert admin.post(f"{PAGE}try/", {**form, "trial_project": "NONE"}).status_code == 404


def test_the_form_of_a_new_project_names_the_version_that_it_would_get(admin: Client) -> None:
    shown = text_of(admin, "/new-project/")
    assert "The default for new projects: the built-in one" in shown
    assert "links carefully" in shown
    save(built_in(prior=0.001))
    shown = text_of(admin, "/new-project/")
    assert "The default for new projects: version 1" in shown
    assert f'<a href="{PAGE}">Version 1 of the default</a>' in shown
    assert "from default.yaml" in shown
    assert "links carefully" not in shown
