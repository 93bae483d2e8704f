"""The editor of an Import Format: a sample is detected, shown as it reads, and saved as a definition."""

import gzip
import io
import re
from html import unescape
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from linkwright.config import ServerConfig, load_config, prepare_home
from linkwright.services.sample_file import SAMPLE_BYTES
from linkwright.store.models import ImportFormat
from tests.integration.web.conftest import SignIn
from tests.integration.web.seed import World

NEW = "/catalog/new-import-format/"
PREVIEW = "/catalog/format-preview/"
CSV = "visit_id;forename;Family Name;DOB;ward\r\n1;Ada;Bérg;31/01/1980;W1\r\n2;Bo;Cole;30/02/1981;W2\r\n"
CSV += "".join(f"{n};Cy;Dunn;0{n}/03/1982;W3\r\n" for n in range(3, 9))
MAPPED = {
    "source_unique_id": "visit_id",
    "given_name": "forename",
    "surname": "Family Name",
    "date_of_birth": "DOB",
}


@pytest.fixture(autouse=True)
def config(empty_world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ServerConfig:
    monkeypatch.setenv("LINKWRIGHT_HOME", str(tmp_path / "home"))
    prepare_home(load_config())
    return load_config()


@pytest.fixture
def admin(empty_world: World, sign_in: SignIn) -> Client:
    return sign_in(empty_world.admin)


def fields_of(html: str) -> dict[str, str]:
    """Read the form as a browser would send it."""
    fields = dict(re.findall(r'<input (?![^>]*type="file")[^>]*?name="(\w+)"[^>]*?value="([^"]*)"', html))
    for name, options in re.findall(r'<select name="(\w+)"[^>]*>(.*?)</select>', html, re.DOTALL):
        chosen = re.findall(r'<option value="([^"]*)" selected', options) or re.findall(
            r'value="([^"]*)"', options
        )
        fields[name] = chosen[0]
    fields |= dict(re.findall(r'<textarea name="(\w+)"[^>]*>(.*?)</textarea>', html, re.DOTALL))
    fields.pop("csrfmiddlewaretoken", "")
    return {name: unescape(value) for name, value in fields.items()}


def send_sample(client: Client, content: bytes | str, path: str = NEW, **fields: str) -> str:
    raw = content.encode() if isinstance(content, str) else content
    form: dict[str, Any] = {"action": "sample", **fields, "sample_file": SimpleUploadedFile("visits.csv", raw)}
    return client.post(path, form).content.decode()


def samples(config: ServerConfig) -> list[Path]:
    return list(config.waiting_folder.glob("*/data")) if config.waiting_folder.exists() else []


def test_a_sample_becomes_a_format(admin: Client, config: ServerConfig) -> None:
    html = send_sample(admin, CSV.encode("latin-1"), code="visits-csv")
    for part in ("delimited by semicolon", "latin-1", "lines end with CR LF", "looks like text", "Bérg"):
        assert part in html
    # the rows as the format reads them, with the fault in its cell
    assert "→" not in html
    assert '<span class="preview-standard">1980-01-31</span>' in html
    assert "This is no date that can be read; it stays empty." in html
    form = fields_of(html)
    assert (form["separator"], form["encoding"], form["header"]) == (";", "latin-1", "yes")
    assert form["date_formats"] == "%d/%m/%Y"
    assert [form[f"field_{n}"] for n in range(5)] == [*MAPPED, ""]
    assert len(samples(config)) == 1
    response = admin.post(NEW, {**form, "action": "save"})
    assert response["Location"] == "/catalog/import-formats/visits-csv/"
    assert ImportFormat.objects.get(code="visits-csv").definition == {
        "kind": "delimited",
        "separator": ";",
        "encoding": "latin-1",
        "columns": MAPPED,
        "date_formats": ["%d/%m/%Y"],
    }
    assert samples(config) == []


def test_what_was_saved_comes_back_and_saving_it_again_changes_nothing(admin: Client) -> None:
    definition = {
        "kind": "delimited",
        "separator": "\t",
        "quote": None,
        "escape": "\\",
        "columns": {"source_unique_id": 1, "surname": "last | name", "date_of_birth": 3},
        "field_date_formats": {"date_of_birth": ["%d %B, %Y", "%Y"[:2] + "%j"]},
        "null_values": ["N/A", "-"],
    }
    ImportFormat.objects.create(code="ODD", definition=definition)
    path = "/catalog/import-formats/ODD/change/"
    form = fields_of(admin.get(path).content.decode())
    html = admin.post(path, {**form, "action": "save"}, follow=True).content.decode()
    assert "Import Format ODD is as it was: nothing differed." in html
    assert ImportFormat.objects.get(code="ODD").definition == definition


def test_a_fixed_width_format_is_saved_with_its_ranges_and_what_is_kept_apart(admin: Client) -> None:
    lines = "0001 Ada    Berg    19800102 W1\n0002 Bo     Cole    19810203 W2\n0003 Cy     Dunn    19820304 W3\n"
    html = send_sample(admin, lines, code="fixed")
    assert "fixed-width, 5 columns" in html
    form = fields_of(html) | {"other_4": "ward", "line_width": "31"}
    for place, name in enumerate(("source_unique_id", "given_name", "surname", "date_of_birth")):
        form[f"field_{place}"] = name
    seen = admin.post(PREVIEW, form).content.decode()
    assert '<span class="preview-standard">1980-01-02</span>' in seen
    assert admin.post(NEW, {**form, "action": "save"}).status_code == 302
    saved = ImportFormat.objects.get(code="fixed").definition
    assert saved["columns"]["surname"] == {"start": 13, "width": 8}
    assert saved["other_columns"] == {"ward": {"start": 30, "width": 2}}
    assert saved["line_width"] == 31


def test_a_parquet_sample_shows_its_columns(admin: Client) -> None:
    sink = io.BytesIO()
    pq.write_table(pa.table({"id": [1, 2], "surname": ["Berg", None], "x": [[1], [2]]}), sink)
    html = send_sample(admin, sink.getvalue(), code="pq")
    form = fields_of(html)
    assert form["kind"] == "parquet"
    assert [form[f"field_{n}"] for n in range(3)] == ["source_unique_id", "surname", ""]


def test_a_gzip_sample_that_ends_early_is_read_as_far_as_it_goes(admin: Client, config: ServerConfig) -> None:
    rows = "".join(f"{n},{n * 7919 % 100003},name{n * 104729 % 1299709}\n" for n in range(200_000))
    packed = gzip.compress(("id,number,surname\n" + rows).encode())
    html = send_sample(admin, packed[:SAMPLE_BYTES])
    assert "Its first MiB is looked at." in html
    assert samples(config)[0].stat().st_size <= SAMPLE_BYTES
    assert "name104729" in html
    assert "gzip packing is damaged" in send_sample(admin, packed[:3000][:20])


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("", "is empty"),
        (b"PK\x03\x04abc", "Excel workbook"),
        (bytes(range(256)) * 50, "control characters"),
        (b"PAR1 and nothing more", "no sound Parquet file"),
    ],
)
def test_what_is_no_sample_says_so_and_the_form_stays(admin: Client, content: bytes | str, told: str) -> None:
    html = send_sample(admin, content, code="kept", description="as typed")
    assert told in html
    assert fields_of(html)["description"] == "as typed"


def test_another_separator_gives_other_columns_and_a_choice_other_rows(admin: Client) -> None:
    form = fields_of(send_sample(admin, CSV, code="visits-csv"))
    rows = admin.post(PREVIEW, {**form, "field_1": ""}).content.decode()
    assert 'id="format-columns"' not in rows
    assert "surname" in rows
    assert "given_name" not in rows
    columns = admin.post(PREVIEW, {**form, "separator": ","}).content.decode()
    assert 'id="format-columns"' in columns
    assert 'hx-swap-oob="true"' in columns
    assert "not in the sample" in columns


def test_columns_by_position_are_saved_as_numbers(admin: Client) -> None:
    form = fields_of(send_sample(admin, CSV, code="visits-csv"))
    assert admin.post(NEW, {**form, "columns_by": "position", "action": "save"}).status_code == 302
    assert list(ImportFormat.objects.get(code="visits-csv").definition["columns"].values()) == [1, 2, 3, 4]


def test_dates_that_no_format_reads_are_told_with_a_format_to_add(admin: Client) -> None:
    form = fields_of(send_sample(admin, CSV, code="visits-csv"))
    html = admin.post(NEW, {**form, "date_formats": "%Y-%m-%d", "action": "preview"}).content.decode()
    assert 'value="add-date:%d/%m/%Y"' in html
    added = admin.post(NEW, {**form, "date_formats": "%Y-%m-%d", "action": "add-date:%d/%m/%Y"}).content.decode()
    assert fields_of(added)["date_formats"].split() == ["%Y-%m-%d", "%d/%m/%Y"]


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"field_2": "given_name"}, "columns.given_name: is chosen for 2 columns."),
        ({"field_0": ""}, "No column is the Source Unique ID."),
        ({"code": "a b"}, "is no code"),
        ({"date_formats": "%y"}, "two-digit year"),
        ({"separator": "ab"}, "definition.separator"),
    ],
)
def test_what_cannot_be_saved_is_told_and_nothing_is_lost(
    admin: Client, config: ServerConfig, changes: dict[str, str], told: str
) -> None:
    form = fields_of(send_sample(admin, CSV, code="visits-csv", description="Visits"))
    response = admin.post(NEW, {**form, **changes, "action": "save"})
    html = unescape(response.content.decode())
    assert response.status_code == 409
    assert told in html
    assert fields_of(html)["description"] == "Visits"
    assert len(samples(config)) == 1
    assert ImportFormat.objects.count() == 1


def test_a_sample_is_for_the_person_alone_who_sent_it(empty_world: World, admin: Client, sign_in: SignIn) -> None:
    form = fields_of(send_sample(admin, CSV, code="visits-csv"))
    other = type(empty_world.admin).objects.create(username="other", is_superuser=True)
    for path in (PREVIEW, NEW):
        html = sign_in(other).post(path, {**form, "action": "detect"}).content.decode()
        assert "Ada" not in html
        assert "does not wait any more" in html


def test_hostile_numbers_are_refused_in_words(admin: Client) -> None:
    lines = "0001 Ada    Berg\n0002 Bo     Cole\n0003 Cy     Dunn\n"
    form = fields_of(send_sample(admin, lines, code="fixed")) | {"kind": "fixed_width", "field_0": "surname"}
    for start, width in (("0", "4"), ("x", "4"), ("9999999", "9999999"), ("", "")):
        response = admin.post(PREVIEW, {**form, "start_0": start, "width_0": width, "lines_count": "9999999"})
        assert response.status_code == 200


TOUCHING = "".join(
    f"{number:04}{'MF'[number % 2]}{1950 + 3 * number}0517{('Berg', 'Abernathy', 'Cole')[number % 3]:<9}"
    f"{('NSW', 'SA ', 'VIC')[number % 3]}{('2000', '5012', '3141')[number % 3]}\n"
    for number in range(12)
)


def test_touching_columns_without_names_are_found_and_suggested_by_their_values(admin: Client) -> None:
    html = send_sample(admin, TOUCHING, code="touching")
    assert "fixed-width, 6 columns" in html
    form = fields_of(html)
    suggested = ["source_unique_id", "sex", "date_of_birth", "", "state", "postcode"]
    assert [form[f"field_{n}"] for n in range(6)] == suggested
    assert [(form[f"start_{n}"], form[f"width_{n}"]) for n in (1, 2, 3)] == [("5", "1"), ("6", "8"), ("14", "9")]
    assert "date_of_birth is suggested: dates over many years. Check it." in html
    # a person takes one off and corrects a width; what they chose stays, and is no suggestion any more
    form |= {"field_5": "", "field_3": "surname", "width_3": "10", "start_4": "24", "width_4": "2"}
    again = admin.post(NEW, {**form, "action": "add-date:"}).content.decode()
    form = fields_of(again)
    assert [form[f"field_{n}"] for n in (3, 5)] == ["surname", ""]
    assert "postcode is suggested" not in again
    assert "sex is suggested" in again
    admin.post(NEW, {**form, "action": "save"})
    saved = ImportFormat.objects.get(code="touching").definition["columns"]
    assert saved["surname"] == {"start": 14, "width": 10}
    assert "postcode" not in saved


def test_columns_without_a_header_are_suggested_by_their_values(admin: Client) -> None:
    rows = "".join(f"{number + 70},Berg,{1950 + 3 * number}-05-17,{'MF'[number % 2]}\n" for number in range(12))
    html = send_sample(admin, rows, code="headless")
    form = fields_of(html)
    assert form["header"] == "no"
    assert [form[f"field_{n}"] for n in range(4)] == ["source_unique_id", "", "date_of_birth", "sex"]
    assert "sex is suggested: words or codes of sex. Check it." in html
    named = send_sample(admin, "a,b,c,d\n" + rows, code="named")
    assert [fields_of(named)[f"field_{n}"] for n in range(4)] == ["", "", "", ""]


def test_a_stored_format_is_not_filled_in_by_a_sample(admin: Client) -> None:
    columns = {"source_unique_id": {"start": 1, "width": 4}, "surname": {"start": 14, "width": 9}}
    ImportFormat.objects.create(code="own", definition={"kind": "fixed_width", "columns": columns})
    html = send_sample(
        admin,
        TOUCHING,
        "/catalog/import-formats/own/change/",
        **fields_of(admin.get("/catalog/import-formats/own/change/").content.decode()),
    )
    form = fields_of(html)
    assert sorted(form[f"field_{n}"] for n in range(2)) == ["source_unique_id", "surname"]
    assert "is suggested" not in html
