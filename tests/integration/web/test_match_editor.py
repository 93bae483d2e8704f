"""The editor of a match configuration: fields, text, steps, checks, saving, and two people at once."""

import json
import re
from html import unescape
from typing import Any

import pytest
import yaml
from django.core.files.uploadedfile import SimpleUploadedFile
from django.template.loader import render_to_string
from django.test import Client

from linkwright.engine.default_configuration import default_match_definition
from linkwright.engine.fields import parse_fields
from linkwright.services.save_match import MatchDraft, save_match
from linkwright.store.audit_log import Actor
from linkwright.store.models import AuditLogEntry, LinkageProject, MatchConfigurationVersion
from tests.integration.web.conftest import SignIn
from tests.integration.web.seed import World

EDIT = "/projects/PERINATAL/match-configuration/edit/"
CHECK = "/projects/PERINATAL/match-configuration/check/"
UPLOAD = "/projects/PERINATAL/match-configuration/upload/"
_FIELD = re.compile(r'<input type="(?:text|hidden)"[^>]*? name="([^"]+)"[^>]*? value="([^"]*)"')
_CHECKED = re.compile(r'<input type="checkbox" name="(strategies[^"]+)"[^>]*? checked')
_SELECT = re.compile(r'<select name="([^"]+)".*?</select>', re.DOTALL)
_CHOSEN = re.compile(r'<option value="([^"]*)" selected')


def default() -> dict[str, Any]:
    """Return the default configuration of the project, every part its own."""
    made: dict[str, Any] = json.loads(json.dumps(default_match_definition(parse_fields({}))))
    return made


@pytest.fixture
def project(empty_world: World) -> LinkageProject:
    """Return a project whose version 4 is the default."""
    save_match(empty_world.perinatal, MatchDraft(default(), 3), Actor(empty_world.owner, ""))
    return empty_world.perinatal


@pytest.fixture
def owner(project: LinkageProject, empty_world: World, sign_in: SignIn) -> Client:
    """Return the owner's browser."""
    return sign_in(empty_world.owner)


def form_of(response: Any) -> dict[str, str]:
    """Return what a browser would send of the editor's form."""
    text = response.content.decode().split('id="match-form"', 1)[1].split("</form>", 1)[0]
    found = {name: unescape(value) for name, value in _FIELD.findall(text)}
    for name in _CHECKED.findall(text):
        found[name] = "on"
    for select in _SELECT.finditer(text):
        chosen = _CHOSEN.findall(select.group())
        found[select.group(1)] = unescape(chosen[0]) if chosen else ""
    written = re.search(r"<textarea[^>]*>\n(.*?)</textarea>", text, re.DOTALL)
    return {**found, **({"text": unescape(written.group(1))} if written else {})}


def newest(project: LinkageProject) -> MatchConfigurationVersion:
    """Return the newest version."""
    return MatchConfigurationVersion.objects.filter(project=project).order_by("-version")[0]


def test_the_form_holds_all_of_the_configuration(owner: Client, project: LinkageProject) -> None:
    form = form_of(owner.get(EDIT))
    assert form["prior"] == "1e-05"
    response = owner.post(EDIT, {**form, "step": "save"}, follow=True)
    assert "Nothing differs from the newest version" in response.content.decode()
    assert newest(project).version == 4


def test_a_threshold_is_changed_and_saved_with_its_note(owner: Client, project: LinkageProject) -> None:
    form = form_of(owner.get(EDIT)) | {"strategies.0.match_threshold": "5.5", "note": "fewer false links"}
    response = owner.post(EDIT, {**form, "step": "save"})
    assert response.headers["Location"].endswith("/match-configuration/")
    saved = newest(project)
    wanted = default()
    wanted["strategies"][0]["match_threshold"] = 5.5
    assert (saved.version, saved.definition) == (5, wanted)
    entry = AuditLogEntry.objects.get(target="PERINATAL version 5")
    assert (entry.reason, entry.detail, entry.user) == (
        "fewer false links",
        {"from": "the page"},
        saved.created_by,
    )


def test_what_is_wrong_stands_beside_its_place_and_nothing_is_saved(
    owner: Client, project: LinkageProject
) -> None:
    form = form_of(owner.get(EDIT)) | {"strategies.0.comparisons.0.levels.0.m_probability": "0,7"}
    response = owner.post(EDIT, {**form, "step": "save"})
    text = unescape(response.content.decode())
    assert response.status_code == 409
    assert (
        "<p>m probability: '0,7' is no number." in text.split('id="faults-strategies-0-comparisons-0-levels-0"')[1]
    )
    # what was typed is still there
    assert form_of(response)["strategies.0.comparisons.0.levels.0.m_probability"] == "0,7"
    assert newest(project).version == 4


def test_the_check_names_faults_weights_and_differences(owner: Client) -> None:
    form = form_of(owner.get(EDIT))
    sound = owner.post(CHECK, form | {"prior": "0.001"}).content.decode()
    assert "1 difference from version 4" in sound
    assert 'id="weight-strategies-0-comparisons-0-levels-0" hx-swap-oob="true"' in sound
    faulty = owner.post(CHECK, form | {"prior": "2"}).content.decode()
    assert "1 fault: nothing can be saved yet." in faulty
    assert "prior: 2 is out of bounds" in unescape(faulty)


@pytest.mark.parametrize(
    ("step", "place", "count"),
    [
        ("add strategies", "strategies", 3),
        ("remove strategies.1", "strategies", 1),
        ("add strategies.0.comparisons", "strategies.0.comparisons", None),
        ("add strategies.0.blocking_rules", "strategies.0.blocking_rules", None),
        ("add strategies.0.blocking_rules.0", "strategies.0.blocking_rules.0", None),
        ("add strategies.0.comparisons.0.levels", "strategies.0.comparisons.0.levels", None),
        ("remove strategies.0.comparisons.0.levels.1", "strategies.0.comparisons.0.levels", None),
    ],
)
def test_a_step_changes_the_draft_by_one_part(owner: Client, step: str, place: str, count: int | None) -> None:
    before = form_of(owner.get(EDIT))
    after = form_of(owner.post(EDIT, {**before, "step": step}))

    def parts(form: dict[str, str]) -> int:
        return len({name[len(place) + 1 :].split(".")[0] for name in form if name.startswith(f"{place}.")})

    assert parts(after) == (count or parts(before) + (1 if step.startswith("add") else -1))


def test_parts_change_places(owner: Client) -> None:
    form = form_of(owner.post(EDIT, {**form_of(owner.get(EDIT)), "step": "down strategies.0"}))
    assert [form[f"strategies.{number}.name"] for number in (0, 1)] == ["person_at_address", "person"]
    back = form_of(owner.post(EDIT, {**form, "step": "up strategies.1"}))
    assert [back[f"strategies.{number}.name"] for number in (0, 1)] == ["person", "person_at_address"]


@pytest.mark.parametrize(
    "step", ["remove strategies.9", "up strategies.0.nothing.1", "add prior", "add strategies.0"]
)
def test_a_step_on_a_part_that_is_gone_is_refused(owner: Client, step: str) -> None:
    response = owner.post(EDIT, {**form_of(owner.get(EDIT)), "step": step})
    assert response.status_code == 409
    assert "Reload the page" in response.content.decode()


def test_text_and_form_are_the_same_draft(owner: Client, project: LinkageProject) -> None:
    as_text = form_of(owner.post(EDIT, {**form_of(owner.get(EDIT)), "prior": "0.002", "step": "as-text"}))
    written = yaml.safe_load(as_text["text"])
    assert written == {**default(), "prior": 0.002}
    written["strategies"].pop()
    as_text["text"] = yaml.safe_dump(written)
    as_form = form_of(owner.post(EDIT, {**as_text, "step": "as-form"}))
    assert (as_form["prior"], "strategies.1.name" in as_form) == ("0.002", False)
    owner.post(EDIT, {**as_form, "step": "save"})
    assert newest(project).definition["prior"] == 0.002


def test_faults_of_the_text_have_their_lines(owner: Client) -> None:
    form = form_of(owner.post(EDIT, {**form_of(owner.get(EDIT)), "step": "as-text"}))
    told = owner.post(CHECK, form | {"text": form["text"].replace("prior: 1.0e-05", "prior: 3")})
    assert "line 1: prior: 3 is out of bounds" in unescape(told.content.decode())


@pytest.mark.parametrize("text", ["", "a: [", "strategies: 3", "- 1", "strategies: [{comparisons: [4]}]", "\x00"])
def test_text_of_another_shape_is_named_and_never_saved(owner: Client, project: LinkageProject, text: str) -> None:
    form = {"mode": "text", "text": text, "base_version": "4"}
    for step in ("save", "as-form"):
        assert owner.post(EDIT, {**form, "step": step}).status_code == 409
    assert "fault" in owner.post(CHECK, form).content.decode()
    assert newest(project).version == 4


def test_whoever_saves_second_is_told_what_the_first_changed(
    owner: Client, project: LinkageProject, empty_world: World
) -> None:
    form = form_of(owner.get(EDIT)) | {"strategies.0.match_threshold": "6"}
    other = default()
    other["prior"] = 0.0005
    save_match(project, MatchDraft(other, 4), Actor(empty_world.admin, ""))
    response = owner.post(EDIT, {**form, "step": "save"})
    text = unescape(response.content.decode())
    assert response.status_code == 409
    assert "Version 5 was saved by admin" in text
    assert '<td>prior</td><td class="muted">1e-05</td><td>0.0005</td>' in text
    assert newest(project).version == 5
    over = form_of(owner.post(EDIT, {**form_of(response), "step": "rebase"}))
    owner.post(EDIT, {**over, "step": "save"})
    saved = newest(project)
    assert (saved.version, saved.definition["strategies"][0]["match_threshold"]) == (6, 6)


def test_term_frequencies_go_on_to_hold_for_the_same_fields(owner: Client, project: LinkageProject) -> None:
    form = form_of(owner.get(EDIT)) | {"strategies.0.comparisons.1.frequency": "on"}
    owner.post(EDIT, {**form, "step": "save"})
    MatchConfigurationVersion.objects.filter(project=project, version=5).update(term_frequencies="f.parquet")
    again = form_of(owner.get(EDIT)) | {"strategies.0.match_threshold": "6"}
    owner.post(EDIT, {**again, "step": "save"})
    assert newest(project).term_frequencies == "f.parquet"
    more = form_of(owner.get(EDIT)) | {"strategies.0.comparisons.0.frequency": "on"}
    owner.post(EDIT, {**more, "step": "save"})
    assert (newest(project).version, newest(project).term_frequencies) == (7, "")


def test_a_file_becomes_a_draft_and_nothing_is_saved_before_save(owner: Client, project: LinkageProject) -> None:
    changed = {**default(), "prior": 0.003}
    file = SimpleUploadedFile("tuned.yaml", yaml.safe_dump(changed).encode())
    response = owner.post(UPLOAD, {"file": file})
    assert "what tuned.yaml holds" in response.content.decode()
    assert newest(project).version == 4
    owner.post(EDIT, {**form_of(response), "step": "save"})
    assert newest(project).definition["prior"] == 0.003
    assert AuditLogEntry.objects.get(target="PERINATAL version 5").detail == {"from": "the page, from tuned.yaml"}


def test_a_splink_model_that_was_downloaded_comes_back(owner: Client) -> None:
    model = owner.get("/projects/PERINATAL/match-configuration/download/?form=splink&strategy=person").content
    response = owner.post(UPLOAD, {"file": SimpleUploadedFile("model.json", model)})
    assert response.status_code == 200
    assert form_of(response)["source"] == "the page, from Splink model model.json"


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"<b>x</b>", b"prior: 1\n"])
def test_a_file_of_another_kind_is_refused_with_the_reason(
    owner: Client, project: LinkageProject, content: bytes
) -> None:
    response = owner.post(UPLOAD, {"file": SimpleUploadedFile("x.yaml", content or b" ")})
    assert response.status_code == 409
    assert newest(project).version == 4


def test_a_script_gets_the_editor_alone_and_is_led_on_after_saving(owner: Client) -> None:
    form = form_of(owner.get(EDIT))
    part = owner.post(EDIT, {**form, "step": "refresh"}, headers={"HX-Request": "true"})
    assert part.content.decode().startswith('<div id="match-editor"')
    saved = owner.post(EDIT, {**form, "prior": "0.1", "step": "save"}, headers={"HX-Request": "true"})
    assert saved.headers["HX-Redirect"].endswith("/match-configuration/")


def test_a_project_without_configuration_begins_with_the_default(owner: Client, project: LinkageProject) -> None:
    MatchConfigurationVersion.objects.filter(project=project).delete()
    form = form_of(owner.get(EDIT))
    assert form["strategies.0.name"] == "person"
    owner.post(EDIT, {**form, "step": "save"})
    assert newest(project).version == 1


def test_what_does_not_fit_the_fields_is_edited_as_text(owner: Client, project: LinkageProject) -> None:
    MatchConfigurationVersion.objects.filter(project=project, version=4).delete()
    response = owner.get(EDIT)
    assert "birth_date" in form_of(response)["text"]


def test_names_in_a_draft_are_text_and_never_markup(owner: Client) -> None:
    form = form_of(owner.get(EDIT)) | {"strategies.0.name": "<img src=x>", "note": '"><script>'}
    text = owner.post(EDIT, {**form, "step": "refresh"}).content.decode()
    assert "<img src=x" not in text
    assert '"><script>' not in text


@pytest.mark.parametrize(("strategies_count", "told"), [(1, False), (2, True)])
def test_a_trial_of_several_strategies_says_with_which_a_pair_counts(strategies_count: int, told: bool) -> None:
    one = {"trial": {"strategy": {"name": "person"}, "linked_count": 0, "review_count": 0, "rules": []}}
    trial = {"sampled_count": 2, "live_count": 2, "seconds": 0.1, "linked_count": 1234, "review_count": 0}
    context = {"trial": trial, "strategies": [one] * strategies_count}
    html = render_to_string("web/partials/match_trial.html", context)
    assert ("is counted once, with the one that would keep it" in html) is told
    assert html.count("Pairs that link by it") == (strategies_count if told else 0)
    assert ("<dt>Pairs that link</dt><dd>1\u202f234</dd>" in html) is told
