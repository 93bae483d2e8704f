"""The Event Types of a project on its page: what is shown to whom, and what its dialogs do."""

import re

import pytest
from django.urls import reverse

from linkwright.store.models import (
    AttachedEventType,
    AuditLogEntry,
    DataProvider,
    Envelope,
    EventType,
    ImportFormat,
    Job,
)
from tests.integration.web.conftest import SignIn
from tests.integration.web.seed import World

SCRIPT = {"HX-Request": "true"}
PAGE = "/projects/PERINATAL/"


def attachment(code: str = "BIRTHS") -> AttachedEventType:
    return AttachedEventType.objects.get(project__code="PERINATAL", event_type__code=code)


def address(name: str, code: str = "BIRTHS") -> str:
    return reverse(name, args=["PERINATAL", code])


def test_everybody_sees_them_and_who_may_configure_can_change_them(world: World, sign_in: SignIn) -> None:
    for person, may_change in ((world.owner, True), (world.viewer, False)):
        html = sign_in(person).get(PAGE).content.decode()
        section = html[html.index('id="event-types-title"') : html.index('id="setup-title"')]
        assert [code in section for code in ("BIRTHS", "HOSP", "DEATHS")] == [True] * 3
        assert "reject" in section
        assert ("Detach" in section, "attach-event-type" in section) == (may_change, may_change)


def test_the_update_mode_is_changed_in_its_dialog(world: World, sign_in: SignIn) -> None:
    client = sign_in(world.owner)
    shown = client.get(address("event-type-updates"), headers=SCRIPT).content.decode()
    assert re.search(r'value="reject" checked', shown)
    done = client.post(address("event-type-updates"), {"updates": "replace"}, headers=SCRIPT)
    assert (done.status_code, attachment().updates) == (204, "replace")
    assert "records that come again: replace" in done["HX-Trigger"]
    assert AuditLogEntry.objects.get(action="change update mode").user == world.owner


def test_a_word_that_is_no_mode_rejects(world: World, sign_in: SignIn) -> None:
    AttachedEventType.objects.update(updates="skip")
    sign_in(world.owner).post(address("event-type-updates"), {"updates": "<b>"})
    assert attachment().updates == "reject"


def test_an_event_type_is_attached_from_the_catalog(world: World, sign_in: SignIn) -> None:
    provider, form = DataProvider.objects.get(code="CANREG"), ImportFormat.objects.get()
    EventType.objects.create(code="MOTHERS", provider=provider, import_format=form)
    client = sign_in(world.owner)
    here = reverse("event-type-attach", args=["PERINATAL"])
    shown = client.get(here, headers=SCRIPT).content.decode()
    assert "MOTHERS" in shown
    assert 'value="BIRTHS"' not in shown
    assert client.post(here, {"event_type": "MOTHERS", "updates": "skip"}, headers=SCRIPT).status_code == 204
    assert (attachment("MOTHERS").is_attached, attachment("MOTHERS").updates) == (True, "skip")
    refused = client.post(here, {"event_type": "MOTHERS"}, headers=SCRIPT)
    assert refused.status_code == 409
    assert "attached to project PERINATAL already" in refused.content.decode()


@pytest.mark.parametrize(
    ("answers", "refusal"),
    [({"typed": "HOSP", "reason": "over"}, "Type the code BIRTHS"), ({"typed": "BIRTHS"}, "needs a reason")],
)
def test_detaching_asks_for_the_code_and_a_reason(
    world: World, sign_in: SignIn, answers: dict[str, str], refusal: str
) -> None:
    refused = sign_in(world.owner).post(address("event-type-detach"), answers, headers=SCRIPT)
    assert refused.status_code == 409
    assert refusal in refused.content.decode()
    assert attachment().is_attached


def test_detaching_queues_an_envelope_that_the_lists_show(world: World, sign_in: SignIn) -> None:
    client = sign_in(world.owner)
    shown = client.get(address("event-type-detach"), headers=SCRIPT).content.decode()
    # what waits is named: its records end as well
    assert "HOSP-2026-10" in shown
    answers = {"typed": "BIRTHS", "reason": "the agreement has ended"}
    assert client.post(address("event-type-detach"), answers, headers=SCRIPT).status_code == 204
    envelope = Envelope.objects.get(name="Detach BIRTHS")
    assert Job.objects.filter(envelope=envelope).count() == 3
    lists = client.get("/jobs/envelopes/").content.decode()
    assert "Detach BIRTHS" in lists
    page = client.get(PAGE).content.decode()
    assert f'title="by Envelope {envelope.pk} (Detach BIRTHS)"' in page
    refused = client.post(address("event-type-detach"), answers, headers=SCRIPT)
    assert "is being detached from project PERINATAL already" in refused.content.decode()
    chain = client.get(reverse("envelope-jobs", args=[envelope.pk]), headers=SCRIPT)
    assert chain.status_code == 200


def test_one_that_was_never_attached_does_not_exist(world: World, sign_in: SignIn) -> None:
    for name in ("event-type-updates", "event-type-detach"):
        assert sign_in(world.owner).get(address(name, "TUMOURS")).status_code == 404


def test_an_event_type_whose_files_cannot_be_loaded_is_told_on_the_projects_page(
    empty_world: World, sign_in: SignIn
) -> None:
    page = sign_in(empty_world.viewer).get("/projects/PERINATAL/")
    assert "cannot be loaded" not in page.content.decode()
    own = {"columns": {"source_unique_id": "id", "occupation": "job"}}
    ImportFormat.objects.filter(code="CSV").update(definition=own)
    page = sign_in(empty_world.viewer).get("/projects/PERINATAL/")
    assert "Files of BIRTHS cannot be loaded. Import Format CSV" in page.content.decode()
    assert "columns.occupation: the project has no linkage field" in page.content.decode()
