"""The first run: one link, one Administrator; the list of first steps; the demo project by one click."""

from pathlib import Path

import pytest
from django.contrib.auth.password_validation import validate_password
from django.test import Client

from linkwright.config import ServerConfig, load_config, prepare_home
from linkwright.services import set_up_token
from linkwright.services.set_up_token import (
    SetUpOverError,
    create_first_administrator,
    demand_set_up_token,
    make_set_up_token,
)
from linkwright.store.models import AuditLogEntry, DataProvider, Envelope, JobState, LinkageProject, User
from tests.integration.web.conftest import SignIn
from tests.integration.web.seed import World

PASSWORD = "correct horse battery"
FORM = {"username": "olga", "password": PASSWORD, "again": PASSWORD}


@pytest.fixture
def config(db: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ServerConfig:
    """Return an empty server's."""
    monkeypatch.setenv("LINKWRIGHT_HOME", str(tmp_path / "home"))
    config = load_config()
    prepare_home(config)
    return config


@pytest.fixture
def token(config: ServerConfig) -> str:
    """Return the token that `serve` printed."""
    token = make_set_up_token(config)
    assert token is not None
    return token


def test_the_link_makes_the_administrator_and_leads_to_the_first_steps(config: ServerConfig, token: str) -> None:
    client = Client()
    address = f"/set-up/{token}/"
    page = client.get(address)
    assert page.status_code == 200
    assert "no-store" in page["Cache-Control"]
    assert "There is no account on this server yet" in client.get("/sign-in/").content.decode()
    response = client.post(address, FORM)
    assert response["Location"] == "/first-steps/"
    user = User.objects.get()
    assert (user.username, user.is_superuser, user.check_password(PASSWORD)) == ("olga", True, True)
    html = client.get("/first-steps/").content.decode()
    assert "0 of 6 steps are done" in html
    entry = AuditLogEntry.objects.get()
    assert (entry.action, entry.user, entry.origin) == ("create Administrator", user, "127.0.0.1")
    assert "There is no account" not in Client().get("/sign-in/").content.decode()
    # used: it opens nothing any more, for nobody
    assert Client().get(address).status_code == 404
    assert Client().post(address, {**FORM, "username": "eve"}).status_code == 404
    assert not config.set_up_file.exists()
    assert User.objects.count() == 1


def test_of_two_browsers_at_once_one_gets_the_server(
    config: ServerConfig, token: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    others: list[str] = []

    def overtaken(password: str, user: User) -> None:
        """Let the other browser through between the first look and the lock."""
        validate_password(password, user)
        if not others:
            others.append("olga")
            create_first_administrator(config, token, username="olga", password=PASSWORD, origin="10.0.0.1")

    monkeypatch.setattr(set_up_token, "validate_password", overtaken)
    response = Client().post(f"/set-up/{token}/", {**FORM, "username": "eve"})
    assert response.status_code == 404
    assert list(User.objects.values_list("username", flat=True)) == ["olga"]


def test_nobody_gets_in_without_the_newest_link(config: ServerConfig, token: str) -> None:
    newer = make_set_up_token(config)
    assert newer is not None
    for wrong in (token, newer[:-1], "x", "é" * 20):
        assert Client().post(f"/set-up/{wrong}/", FORM).status_code == 404
    assert not User.objects.exists()
    demand_set_up_token(config, newer)
    # nothing but a hash lies in the data folder, for its owner alone
    assert newer not in config.set_up_file.read_text()
    assert config.set_up_file.stat().st_mode & 0o777 == 0o600
    config.set_up_file.unlink()
    with pytest.raises(SetUpOverError):
        demand_set_up_token(config, newer)


def test_no_link_is_made_once_there_is_an_account(config: ServerConfig, token: str) -> None:
    User.objects.create(username="somebody")
    assert Client().get(f"/set-up/{token}/").status_code == 404
    assert make_set_up_token(config) is None
    assert not config.set_up_file.exists()


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"again": "another one, too"}, "repetition differ"),
        ({"password": "short", "again": "short"}, "too short"),
        ({"username": " "}, "cannot be a user name"),
    ],
)
def test_a_refused_form_says_why_and_the_link_stays(token: str, changed: dict[str, str], told: str) -> None:
    response = Client().post(f"/set-up/{token}/", {**FORM, **changed})
    html = response.content.decode()
    assert response.status_code == 409
    assert told in html
    assert PASSWORD not in html
    assert not User.objects.exists()
    assert Client().get(f"/set-up/{token}/").status_code == 200


def test_each_step_ticks_itself_off_and_the_list_goes_when_the_groups_are_looked_at(
    world: World, sign_in: SignIn
) -> None:
    client = sign_in(world.admin)
    html = client.get("/first-steps/").content.decode()
    assert "5 of 6 steps are done" in html
    assert ">First steps</a>" in client.get("/projects/").content.decode()
    assert ">First steps</a>" not in sign_in(world.owner).get("/projects/").content.decode()
    client.get("/projects/PERINATAL/")
    assert ">First steps</a>" not in client.get("/projects/").content.decode()


def test_the_list_can_be_put_away(config: ServerConfig, sign_in: SignIn) -> None:
    client = sign_in(User.objects.create(username="olga", is_superuser=True))
    assert "0 of 6 steps" in client.get("/first-steps/").content.decode()
    DataProvider.objects.create(code="HOSP", organisation="A hospital")
    assert "1 of 6 steps" in client.get("/first-steps/").content.decode()
    client.post("/first-steps/close/")
    assert ">First steps</a>" not in client.get("/projects/").content.decode()


def test_what_is_created_leads_to_the_next_step(config: ServerConfig, sign_in: SignIn) -> None:
    client = sign_in(User.objects.create(username="olga", is_superuser=True))
    assert client.get("/")["Location"] == "/first-steps/"
    client.post("/catalog/new-provider/", {"code": "HOSP", "organisation": "A hospital"})
    html = client.get("/catalog/providers/").content.decode()
    assert 'href="/catalog/new-import-format/">Next: describe its files' in html
    steps = client.get("/first-steps/").content.decode()
    assert 'href="/catalog/new-provider/">Add another' in steps
    # the one that there is, is chosen
    assert '<option value="HOSP" selected>' in client.get("/catalog/new-event-type/").content.decode()
    client.post("/new-project/", {"code": "P1", "name": "First"})
    assert "Next: describe its files" in client.get("/projects/P1/").content.decode()
    client.post("/first-steps/close/")
    client.post("/catalog/new-provider/", {"code": "REG", "organisation": "A registry"})
    html = client.get("/catalog/providers/").content.decode()
    assert "REG is created." in html
    assert "Next:" not in html
    assert client.get("/")["Location"] == "/jobs/envelopes/"


def test_who_has_everything_is_led_to_the_jobs_and_not_on(world: World, sign_in: SignIn) -> None:
    client = sign_in(world.admin)
    assert client.get("/")["Location"] == "/jobs/envelopes/"
    client.post("/catalog/new-provider/", {"code": "REG", "organisation": "A registry"})
    assert "Next:" not in client.get("/catalog/providers/").content.decode()


def test_the_demo_project_is_loaded_through_the_queue_once(config: ServerConfig, sign_in: SignIn) -> None:
    client = sign_in(User.objects.create(username="olga", is_superuser=True))
    assert "Load the demo project" in client.get("/first-steps/").content.decode()
    assert client.post("/first-steps/demo/")["Location"] == "/jobs/envelopes/"
    html = client.get("/jobs/envelopes/").content.decode()
    assert "2 Envelopes are queued" in html
    assert "dataset4a" in html
    assert set(Envelope.objects.get(name="dataset4b").jobs.values_list("state", flat=True)) == {JobState.QUEUED}
    again = client.post("/first-steps/demo/")
    assert again["Location"] == "/first-steps/"
    assert "There is a Linkage Project FEBRL4 already" in client.get("/first-steps/").content.decode()
    assert (LinkageProject.objects.count(), Envelope.objects.count()) == (1, 2)
    assert AuditLogEntry.objects.filter(action="load demo project").count() == 1
    # what was built is deleted, what was sent is kept
    assert [path.name for path in config.scratch_folder.iterdir()] == []
