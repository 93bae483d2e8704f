"""A seeded database, and a caller for each kind of person and key."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from linkwright.config import load_config, prepare_home
from linkwright.jobs.keyring import keyring_path
from linkwright.services.create_api_key import create_api_key
from linkwright.services.revoke_api_key import revoke_api_key
from linkwright.store.audit_log import COMMAND_LINE
from linkwright.store.models import ApiKey, User
from tests.integration.web.kept_seed import lay
from tests.integration.web.seed import World, seed_people_and_projects, seed_world

API = "/api/v1"


@dataclass
class Api:
    """Calls the API with one token; '' sends none."""

    token: str

    @property
    def headers(self) -> dict[str, str]:
        """What every request carries."""
        return {"Authorization": f"Bearer {self.token}"} if self.token else {}

    def get(self, path: str, **query: Any) -> Any:
        """Read."""
        return Client(raise_request_exception=False).get(f"{API}{path}", query, headers=self.headers)

    def post(self, path: str, body: Any = None, **headers: str) -> Any:
        """Act, with a JSON body."""
        client = Client(raise_request_exception=False, enforce_csrf_checks=True)
        extra = {} if body is None else {"data": body}
        return client.post(
            f"{API}{path}", content_type="application/json", headers={**self.headers, **headers}, **extra
        )

    def put(self, path: str, body: Any) -> Any:
        """Replace, with a JSON body."""
        client = Client(raise_request_exception=False, enforce_csrf_checks=True)
        return client.put(f"{API}{path}", body, content_type="application/json", headers=self.headers)

    def send(self, path: str, content: bytes, **headers: str) -> Any:
        """Send a file as the body."""
        client = Client(raise_request_exception=False, enforce_csrf_checks=True)
        return client.post(
            f"{API}{path}", content, content_type="application/zip", headers={**self.headers, **headers}
        )

    def put_slice(self, path: str, content: bytes, offset: object, **headers: str) -> Any:
        """Send a slice."""
        client = Client(raise_request_exception=False, enforce_csrf_checks=True)
        sent = {**self.headers, "Upload-Offset": str(offset), **headers}
        return client.put(f"{API}{path}", content, content_type="application/octet-stream", headers=sent)

    def delete(self, path: str) -> Any:
        """Delete."""
        client = Client(raise_request_exception=False, enforce_csrf_checks=True)
        return client.delete(f"{API}{path}", headers=self.headers)


KeyFor = Callable[..., Api]
People = dict[str, Api]


@pytest.fixture(autouse=True)
def _data_folder() -> None:
    prepare_home(load_config())
    # the seed's Extraction Project names a secret that was never made
    keyring_path(load_config()).write_text(json.dumps({"secrets": {"1": "00" * 32}}))


@pytest.fixture
def world(db: None) -> World:
    """Return a busy morning: Envelopes in every status."""
    return lay(seed_world)


@pytest.fixture
def empty_world(db: None) -> World:
    """Return people and projects, and no Envelope."""
    return lay(seed_people_and_projects)


@pytest.fixture
def key_for() -> KeyFor:
    """Return a function that makes a key of a person."""

    def make(user: User, **options: Any) -> Api:
        name = f"key {ApiKey.objects.count()}"
        return Api(create_api_key(user, name, COMMAND_LINE, **options).token)

    return make


@pytest.fixture
def people(world: World, key_for: KeyFor) -> People:
    """Return a caller for every role, for a member of another project, for nobody, and with keys that are over."""
    names = ("admin", "owner", "operator", "reviewer", "viewer", "stranger")
    found: dict[str, User] = {name: getattr(world, name) for name in names}
    found["newcomer"] = User.objects.create(username="newcomer")
    callers = {name: key_for(user) for name, user in found.items()}
    callers["nobody"] = Api("")
    callers["expired"] = key_for(world.admin)
    last = ApiKey.objects.order_by("-pk")[0]
    ApiKey.objects.filter(pk=last.pk).update(expires_at=timezone.now() - timedelta(seconds=1))
    callers["revoked"] = key_for(world.admin)
    revoke_api_key(ApiKey.objects.order_by("-pk")[0].pk, COMMAND_LINE)
    disabled = User.objects.create(username="disabled", is_superuser=True)
    callers["disabled"] = key_for(disabled)
    User.objects.filter(pk=disabled.pk).update(is_active=False)
    return callers
