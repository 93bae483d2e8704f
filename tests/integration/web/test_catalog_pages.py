"""The DATA CATALOG tab: what each person sees, forms that create and change, deletion of what is unused."""

import re

from django.test import Client

from linkwright.store.models import AuditLogEntry, DataProvider, EventType, ImportFormat
from tests.integration.web.conftest import SignIn
from tests.integration.web.seed import World

PROVIDER = {"code": "NSWHEALTH", "organisation": "NSW <b>Health</b>", "email": "link@nsw.example"}


def page(client: Client, path: str) -> str:
    return client.get(path).content.decode()


def test_each_person_sees_what_their_projects_use(empty_world: World, sign_in: SignIn) -> None:
    admin, viewer, stranger = (
        sign_in(person) for person in (empty_world.admin, empty_world.viewer, empty_world.stranger)
    )
    ImportFormat.objects.create(code="SPARE", definition={})
    for path, shared, mine, theirs in (
        ("/catalog/providers/", "", "WAHEALTH", "CANREG"),
        ("/catalog/event-types/", "CSV", "BIRTHS", "TUMOURS"),
        ("/catalog/import-formats/", "CSV", "BIRTHS", "TUMOURS"),
    ):
        assert all(word in page(admin, path) for word in (shared, mine, theirs, "Delete"))
        assert mine in page(viewer, path)
        assert not any(word in page(viewer, path) for word in (theirs, "SPARE", "/change/", "/delete/", "new-"))
        assert theirs in page(stranger, path)
        assert mine not in page(stranger, path)
    assert "Formats (2)" in page(admin, "/catalog/providers/")
    assert "Formats (1)" in page(viewer, "/catalog/providers/")
    assert viewer.get("/catalog/import-formats/SPARE/").status_code == 404
    assert "PERINATAL" not in page(stranger, "/catalog/import-formats/CSV/")


def test_a_provider_is_created_changed_and_deleted(empty_world: World, sign_in: SignIn) -> None:
    client = sign_in(empty_world.admin)
    html = client.post("/catalog/new-provider/", PROVIDER, follow=True).content.decode()
    assert "Data Provider NSWHEALTH is created." in html
    assert "NSW &lt;b&gt;Health&lt;/b&gt;" in html
    form = page(client, "/catalog/providers/NSWHEALTH/change/")
    seen = re.findall(r'name="seen" value="(\w+)"', form)[0]
    changed = {"organisation": "NSW Health", "phone": "02 1234", "seen": seen}
    assert client.post("/catalog/providers/NSWHEALTH/change/", changed).status_code == 302
    row = DataProvider.objects.get(code="NSWHEALTH")
    assert (row.organisation, row.phone, row.email) == ("NSW Health", "02 1234", "")
    entry = AuditLogEntry.objects.get(action="update Data Provider")
    assert entry.detail["before"]["organisation"] == "NSW <b>Health</b>"
    assert (entry.user, entry.origin) == (empty_world.admin, "127.0.0.1")
    assert "Nothing uses it." in page(client, "/catalog/providers/NSWHEALTH/delete/")
    assert client.post("/catalog/providers/NSWHEALTH/delete/").status_code == 302
    assert not DataProvider.objects.filter(code="NSWHEALTH").exists()


def test_a_form_that_somebody_else_overtook_changes_nothing(empty_world: World, sign_in: SignIn) -> None:
    client, path = sign_in(empty_world.admin), "/catalog/providers/WAHEALTH/change/"
    seen = re.findall(r'name="seen" value="(\w+)"', page(client, path))[0]
    DataProvider.objects.filter(code="WAHEALTH").update(phone="08 9999")
    response = client.post(path, {"organisation": "Mine", "seen": seen})
    assert response.status_code == 409
    assert "Somebody else has changed it since you opened this form." in response.content.decode()
    assert DataProvider.objects.get(code="WAHEALTH").phone == "08 9999"


def test_a_refused_form_comes_back_as_it_was_filled_in(empty_world: World, sign_in: SignIn) -> None:
    client = sign_in(empty_world.admin)
    response = client.post("/catalog/new-provider/", {**PROVIDER, "code": "a b"})
    html = response.content.decode()
    assert response.status_code == 409
    assert "is no code" in html
    assert 'value="link@nsw.example"' in html
    taken = client.post("/catalog/new-provider/", {**PROVIDER, "code": "CANREG"}).content.decode()
    assert "there is a Data Provider &#x27;CANREG&#x27; already" in taken


def test_an_event_type_is_created_and_changed(empty_world: World, sign_in: SignIn) -> None:
    client = sign_in(empty_world.admin)
    form = {"code": "VISITS", "provider": "WAHEALTH", "import_format": "CSV", "authoritative": "on"}
    assert client.post("/catalog/new-event-type/", form).status_code == 302
    assert EventType.objects.get(code="VISITS").authoritative
    change = {"provider": "CANREG", "import_format": "CSV", "category": "care"}
    assert client.post("/catalog/event-types/VISITS/change/", change).status_code == 302
    row = EventType.objects.select_related("provider").get(code="VISITS")
    assert (row.provider.code, row.category, row.authoritative) == ("CANREG", "care", False)
    assert AuditLogEntry.objects.get(action="update Event Type").detail["after"]["provider"] == "CANREG"


def test_what_is_in_use_says_by_what_and_stays(empty_world: World, sign_in: SignIn) -> None:
    client = sign_in(empty_world.admin)
    for path, told in (
        ("/catalog/providers/CANREG/delete/", "Event Type TUMOURS uses it."),
        ("/catalog/event-types/BIRTHS/delete/", "Linkage Project PERINATAL takes it."),
        ("/catalog/import-formats/CSV/delete/", "Event Type DEATHS uses it."),
    ):
        html = page(client, path)
        assert told in html
        assert "button-danger-solid" not in html
        assert client.post(path).status_code == 409
    assert (DataProvider.objects.count(), EventType.objects.count(), ImportFormat.objects.count()) == (2, 4, 1)


def test_a_script_is_sent_to_the_list_after_a_deletion(empty_world: World, sign_in: SignIn) -> None:
    ImportFormat.objects.create(code="SPARE", definition={})
    client = sign_in(empty_world.admin)
    response = client.post("/catalog/import-formats/SPARE/delete/", headers={"HX-Request": "true"})
    assert (response.status_code, response["HX-Redirect"]) == (204, "/catalog/import-formats/")
    assert "Import Format SPARE is deleted." in page(client, "/catalog/import-formats/")
