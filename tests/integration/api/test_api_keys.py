"""API keys: shown once, stored as a hash, narrowed, expiring, revoked; and how often wrong ones may be tried."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from linkwright.api.rights import FAILURES_ALLOWED, FAILURES_WITHIN_S, FailedKeys
from linkwright.services.create_api_key import ApiKeyRefusedError, create_api_key
from linkwright.services.revoke_api_key import UnknownApiKeyError, revoke_api_key
from linkwright.services.use_api_key import ApiKeyError, use_api_key
from linkwright.store.audit_log import COMMAND_LINE, Actor
from linkwright.store.models import ApiKey, AuditLogEntry
from linkwright.store.settings import change_setting
from tests.integration.api.conftest import API, Api, KeyFor
from tests.integration.web.seed import World


def test_the_token_is_nowhere_in_the_database(empty_world: World) -> None:
    made = create_api_key(empty_world.owner, "nightly", COMMAND_LINE)
    assert made.token.startswith("lw_")
    assert len(made.token) == 46
    stored = [str(value) for row in ApiKey.objects.values() for value in row.values()]
    logged = [str(value) for row in AuditLogEntry.objects.values() for value in row.values()]
    assert not any(made.token in text or made.token[8:] in text for text in [*stored, *logged])


def test_a_key_lives_a_year_unless_told_otherwise(empty_world: World) -> None:
    made = create_api_key(empty_world.owner, "default", COMMAND_LINE)
    assert (made.key.expires_at - made.key.created_at).days == 365
    change_setting("ApiKeys.MaxLifetimeDays", 90, COMMAND_LINE)
    shorter = create_api_key(empty_world.owner, "short", COMMAND_LINE)
    assert (shorter.key.expires_at - shorter.key.created_at).days == 90
    with pytest.raises(ApiKeyRefusedError, match="allowed are 1 to 90"):
        create_api_key(empty_world.owner, "long", COMMAND_LINE, lifetime_days=91)


@pytest.mark.parametrize("name", ["", "  ", "x" * 41, "two\nlines", "\x00"])
def test_a_name_that_nobody_can_read_is_refused(empty_world: World, name: str) -> None:
    with pytest.raises(ApiKeyRefusedError, match="cannot name an API key"):
        create_api_key(empty_world.owner, name, COMMAND_LINE)


def test_two_usable_keys_of_one_person_have_two_names(empty_world: World) -> None:
    first = create_api_key(empty_world.owner, "nightly", COMMAND_LINE)
    create_api_key(empty_world.viewer, "nightly", COMMAND_LINE)
    with pytest.raises(ApiKeyRefusedError, match="Give another name"):
        create_api_key(empty_world.owner, " nightly ", COMMAND_LINE)
    revoke_api_key(first.key.pk, COMMAND_LINE)
    assert create_api_key(empty_world.owner, "nightly", COMMAND_LINE).key.pk != first.key.pk


def test_a_permission_that_there_is_not_is_named(empty_world: World) -> None:
    with pytest.raises(ApiKeyRefusedError, match="'fly': no such permission"):
        create_api_key(empty_world.owner, "x", COMMAND_LINE, permissions=["submit", "fly"])
    with pytest.raises(ApiKeyRefusedError, match="allowed nothing"):
        create_api_key(empty_world.owner, "x", COMMAND_LINE, permissions=[])


def test_only_its_person_and_an_administrator_can_revoke_a_key(empty_world: World) -> None:
    made = create_api_key(empty_world.owner, "nightly", COMMAND_LINE)
    with pytest.raises(UnknownApiKeyError):
        revoke_api_key(made.key.pk, Actor(empty_world.viewer, "x"))
    use_api_key(made.token, "10.0.0.1")
    revoke_api_key(made.key.pk, Actor(empty_world.admin, "x"), "left us")
    revoke_api_key(made.key.pk, Actor(empty_world.owner, "x"), "again")
    with pytest.raises(ApiKeyError, match="was revoked"):
        use_api_key(made.token, "10.0.0.1")
    entry = AuditLogEntry.objects.get(action="revoke API key")
    assert (entry.user, entry.reason) == (empty_world.admin, "left us")


def test_a_narrowed_key_never_holds_more_than_its_person(empty_world: World, key_for: KeyFor) -> None:
    api = key_for(empty_world.viewer, permissions=["clear", "pause and resume", "see jobs"])
    assert api.post("/queue/clear", {"reason": "x"}).status_code == 403
    assert api.post("/queue/pause", {"reason": "x"}).status_code == 403
    assert api.get("/queue").status_code == 200


def test_the_last_use_is_kept_to_the_minute(empty_world: World) -> None:
    made = create_api_key(empty_world.owner, "nightly", COMMAND_LINE)
    use_api_key(made.token, "10.0.0.1")
    use_api_key(made.token, "10.0.0.2")
    assert ApiKey.objects.get().last_used_from == "10.0.0.1"
    ApiKey.objects.update(last_used_at=timezone.now() - timedelta(minutes=2))
    use_api_key(made.token, "10.0.0.2")
    assert ApiKey.objects.get().last_used_from == "10.0.0.2"


@pytest.mark.parametrize("token", ["", "lw_", "lw_ä", "lw_" + "x" * 500, "Bearer", "lw_\x00", "x" * 46])
def test_what_is_no_key_opens_nothing(empty_world: World, token: str) -> None:
    create_api_key(empty_world.owner, "nightly", COMMAND_LINE)
    with pytest.raises(ApiKeyError, match="not known"):
        use_api_key(token, "10.0.0.1")


def test_a_session_opens_nothing_but_the_description(empty_world: World) -> None:
    client = Client()
    client.force_login(empty_world.admin)
    assert client.get(f"{API}/envelopes").status_code == 401
    assert client.post(f"{API}/queue/pause", {"reason": "x"}, content_type="application/json").status_code == 401
    assert client.get(f"{API}/openapi.json").status_code == 200
    assert Client().get(f"{API}/openapi.json").status_code == 401


def test_many_wrong_keys_are_slowed_down_and_right_ones_are_not(empty_world: World, key_for: KeyFor) -> None:
    good, wrong = key_for(empty_world.owner), Api("lw_wrong")
    found = [wrong.get("/me").status_code for _ in range(FAILURES_ALLOWED + 2)]
    assert found == [401] * FAILURES_ALLOWED + [429] * 2
    assert 0 < int(wrong.get("/me")["Retry-After"]) <= FAILURES_WITHIN_S
    assert good.get("/me").status_code == 200


def test_wrong_keys_are_forgotten_after_a_minute_and_counted_by_address() -> None:
    counted = FailedKeys()
    waits = [counted.note("a", now_s=float(second)) for second in range(FAILURES_ALLOWED + 1)]
    assert waits == [0.0] * FAILURES_ALLOWED + [FAILURES_WITHIN_S - FAILURES_ALLOWED]
    assert counted.note("b", now_s=30.0) == 0.0
    assert counted.note("a", now_s=500.0) == 0.0
