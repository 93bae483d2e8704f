"""The page of a match configuration: one version read, the history, what differs, downloads."""

import json
from html import unescape
from typing import Any

import pytest
import yaml
from django.test import Client

from linkwright.engine.default_configuration import default_match_definition
from linkwright.engine.fields import STANDARD_FIELDS
from linkwright.services.apply_estimation import apply_estimation
from linkwright.services.save_match import MatchDraft, save_match
from linkwright.store.audit_log import Actor
from linkwright.store.models import MatchConfigurationVersion
from linkwright.web.formatting import format_number
from tests.integration.web.conftest import SignIn
from tests.integration.web.seed import World

PAGE = "/projects/PERINATAL/match-configuration/"


def definition(**changes: Any) -> dict[str, Any]:
    """Return the default configuration; `changes` are of its first strategy."""
    made: dict[str, Any] = json.loads(json.dumps(default_match_definition(STANDARD_FIELDS)))
    made["strategies"][0].update(changes)
    return made


@pytest.fixture
def two_versions(empty_world: World) -> World:
    """Return a world whose project has versions 4 and 5 after one that does not fit its fields."""
    project, owner = empty_world.perinatal, Actor(empty_world.owner, "10.0.0.7")
    save_match(project, MatchDraft(definition(), 3, source="default.yaml"), owner)
    raised = definition(match_threshold=5.5)
    save_match(project, MatchDraft(raised, 4, note="fewer false links"), owner)
    return empty_world


def text_of(client: Client, path: str, status: int = 200) -> str:
    """Return the main part of a page, tags taken as they are."""
    response = client.get(path)
    assert response.status_code == status
    return unescape(response.content.decode().split("<main", 1)[1].split("</main>", 1)[0])


def test_the_newest_version_is_explained(two_versions: World, sign_in: SignIn) -> None:
    shown = text_of(sign_in(two_versions.viewer), PAGE)
    assert "<h1>Version 5</h1>" in shown
    assert "<dt>Links from</dt><dd>+5.5</dd>" in shown
    assert "surname (soundex)" in shown
    assert "day and month are swapped" in shown
    assert f"one pair in {format_number(100_000)}" in shown


def test_the_history_says_who_made_which_version_from_where_and_why(two_versions: World, sign_in: SignIn) -> None:
    history = text_of(sign_in(two_versions.viewer), PAGE).split('id="history-title"')[1]
    newest, earlier = (history.split("<tr")[number] for number in (2, 3))
    assert all(part in newest for part in (">5</a>", "in force", "owner", "the page", "fewer false links"))
    assert all(part in earlier for part in (">4</a>", "owner", "default.yaml"))
    assert "differences/?from=4&to=5" in newest


def test_a_version_that_counted_term_frequencies_says_so(two_versions: World, sign_in: SignIn) -> None:
    seeded = two_versions
    version = MatchConfigurationVersion.objects.get(project=seeded.perinatal, version=5)
    MatchConfigurationVersion.objects.create(
        project=seeded.perinatal, version=6, definition=version.definition, term_frequencies="counted.parquet"
    )
    assert "term frequencies counted" in text_of(sign_in(seeded.viewer), PAGE)


def test_a_version_that_an_estimation_made_says_so(world: World, sign_in: SignIn) -> None:
    assert world.estimation is not None
    apply_estimation(world.estimation.pk, Actor(world.owner, ""), replace_version=3)
    assert f"estimation {world.estimation.pk}" in text_of(sign_in(world.viewer), PAGE)


def test_an_earlier_version_is_shown_on_request(two_versions: World, sign_in: SignIn) -> None:
    shown = text_of(sign_in(two_versions.viewer), f"{PAGE}?version=4")
    assert "<h1>Version 4</h1>" in shown
    assert "Version 5</a> is in force" in shown


@pytest.mark.parametrize("version", ["99", "0", "-1", "x", "9" * 30])
def test_a_version_that_there_is_not_is_not_found(two_versions: World, sign_in: SignIn, version: str) -> None:
    text_of(sign_in(two_versions.viewer), f"{PAGE}?version={version}", 404)


def test_a_version_that_fits_no_more_is_shown_with_the_reason(two_versions: World, sign_in: SignIn) -> None:
    shown = text_of(sign_in(two_versions.viewer), f"{PAGE}?version=3")
    assert "does not fit the project's linkage fields" in shown
    assert "birth_date" in shown


def test_differences_name_place_and_numbers(two_versions: World, sign_in: SignIn) -> None:
    shown = text_of(sign_in(two_versions.viewer), f"{PAGE}differences/?from=4&to=5")
    assert "1 difference." in shown
    assert 'strategy person</th><td>match threshold</td><td class="muted">4</td><td>5.5</td>' in shown


def test_differences_to_a_version_that_fits_no_more_are_refused_with_the_reason(
    two_versions: World, sign_in: SignIn
) -> None:
    shown = text_of(sign_in(two_versions.viewer), f"{PAGE}differences/?from=3&to=5")
    assert "Version 3 does not fit the linkage fields of PERINATAL" in shown


def test_what_is_downloaded_is_what_is_in_force(two_versions: World, sign_in: SignIn) -> None:
    client = sign_in(two_versions.viewer)
    own = client.get(f"{PAGE}download/")
    assert yaml.safe_load(own.content) == definition(match_threshold=5.5)
    assert own.headers["Content-Disposition"] == 'attachment; filename="PERINATAL-match.yaml"'
    splink = client.get(f"{PAGE}download/?form=splink&strategy=person")
    assert "blocking_rules_to_generate_predictions" in json.loads(splink.content)


def test_a_strategy_that_there_is_not_is_no_download(two_versions: World, sign_in: SignIn) -> None:
    text_of(sign_in(two_versions.viewer), f"{PAGE}download/?form=splink&strategy=nobody", 409)


def test_a_weight_without_bound_is_told_in_words(empty_world: World, sign_in: SignIn) -> None:
    made = definition()
    surname = next(one for one in made["strategies"][0]["comparisons"] if one["field"] == "surname")
    surname["term_frequency"] = {}
    save_match(empty_world.perinatal, MatchDraft(made, 3), Actor(empty_world.owner, "10.0.0.7"))
    shown = text_of(sign_in(empty_world.viewer), PAGE)
    assert "<dt>Full agreement weighs</dt><dd>any weight: the rarer the values, the more</dd>" in shown
    assert "inf" not in shown.split("Full agreement weighs")[1].split("</dl>")[0]
