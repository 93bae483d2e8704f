"""What programs do to projects and to the system through the API, processed by the jobs that it starts."""

import csv
import hashlib
import io
import zipfile
from typing import Any

import pytest

from linkwright.config import load_config
from linkwright.envelopes.manifest import RequestType
from linkwright.store.audit_log import COMMAND_LINE
from linkwright.store.models import AuditLogEntry, Job, JobKind, JobState, LinkageProject, Membership, Role, User
from linkwright.store.settings import change_setting
from tests.integration.api.conftest import API, Api, KeyFor
from tests.integration.pipeline.acting import review
from tests.integration.pipeline.conftest import Row, System
from tests.integration.pipeline.conftest import system as system  # noqa: PLC0414 - a fixture
from tests.integration.pipeline.conftest import without_drawing as without_drawing  # noqa: PLC0414 - a fixture

pytestmark = pytest.mark.usefixtures("without_drawing")

X1 = "/projects/P1/extraction-projects/X1"
NEW = {
    "code": "X1",
    "name": "A study",
    "approval_reference": "HREC 2026/17",
    "kind": "enduring",
    "event_type_codes": ["ADM"],
    "columns": [{"column": "person_key", "name": "key"}, {"column": "source_unique_id", "name": "id"}],
}
ANNA: Row = ("a1", "Anna", "Berg", "1980-01-02", "2000")
CARL: Row = ("c1", "Carl", "Cole", "1975-05-06", "3000")


@pytest.fixture
def owner(system: System, key_for: KeyFor) -> Api:
    """Return the Owner of P1, of which nothing is compacted by itself."""
    change_setting("Worker.Compact.AfterBatches", 0, COMMAND_LINE)
    user = User.objects.create(username="olivia")
    Membership.objects.create(user=user, project=LinkageProject.objects.get(code="P1"), role=Role.OWNER)
    return key_for(user)


def answer(response: Any, status: int) -> Any:
    """Return what was answered, as it must be."""
    assert response.status_code == status, response.content
    return response.json()


def refusal(response: Any) -> str:
    """Return why it was refused, all of it."""
    error = answer(response, 409)["error"]
    return "\n".join([error["message"], *error["faults"]])


def test_an_extraction_project_lives_from_its_creation_to_its_end(system: System, owner: Api) -> None:
    system.load("first", [ANNA, CARL])
    made = answer(owner.post("/projects/P1/extraction-projects", NEW), 201)
    assert (made["file_format"], made["keep_results_days"], made["created_by"]) == ("csv", 90, "olivia")
    assert (made["refusal"], made["keys"]) == ("", None)
    started = answer(owner.post(f"{X1}/extract"), 202)
    assert (started["kind"], started["status"]) == ("Extract", "Queued")
    assert f"Job {started['id']} (Extract) of X1 is queued" in refusal(owner.post(f"{X1}/extract"))
    system.drain()
    shown = answer(owner.get(X1), 200)
    assert shown["extract_job_id"] == started["id"]
    assert shown["keys"] == {
        "job_id": started["id"],
        "new_count": 2,
        "kept_count": 0,
        "retired_count": 0,
        "changed_counts": {},
    }
    (result,) = answer(owner.get(f"{X1}/results"), 200)["items"]
    assert (result["state"], result["records_count"], result["downloads_count"]) == ("kept", 2, 0)
    sent = owner.get(f"{X1}/results/{result['id']}/file")
    content = b"".join(sent.streaming_content)
    assert sent.headers["Content-SHA256"] == result["sha256"] == hashlib.sha256(content).hexdigest()
    with zipfile.ZipFile(io.BytesIO(content)) as package:
        lines = list(csv.reader(io.StringIO(package.read("data-extract.csv").decode(), newline="")))
    assert [lines[0], *sorted(line[1] for line in lines[1:])] == [["key", "id"], "a1", "c1"]
    assert answer(owner.get(f"{X1}/results"), 200)["items"][0]["downloads_count"] == 1
    closed = answer(owner.post(f"{X1}/close", {"reason": "the study has ended"}), 200)
    assert closed["closed_at"] is not None
    assert "was closed on" in refusal(owner.post(f"{X1}/extract"))
    assert list(
        AuditLogEntry.objects.filter(origin__startswith="API key").order_by("pk").values_list("action", "reason")
    ) == [
        ("create Extraction Project", ""),
        ("extract", ""),
        ("download extraction result", ""),
        ("close Extraction Project", "the study has ended"),
    ]


def test_what_is_changed_holds_for_later_extractions_and_the_rest_stays(system: System, owner: Api) -> None:
    answer(owner.post("/projects/P1/extraction-projects", NEW), 201)
    form = {**NEW, "name": "Another", "file_format": "parquet", "keep_results_days": 3}
    changed = answer(owner.put(X1, form), 200)
    assert (changed["name"], changed["file_format"], changed["keep_results_days"]) == ("Another", "parquet", 3)
    assert (changed["code"], changed["kind"], changed["columns"]) == ("X1", "enduring", NEW["columns"])
    answer(owner.post(f"{X1}/close", {"reason": "over"}), 200)
    assert "is closed; it cannot be changed" in refusal(owner.put(X1, form))


def test_what_the_api_made_stands_in_the_project_file_and_applying_that_changes_nothing(
    system: System, owner: Api
) -> None:
    answer(owner.post("/projects/P1/extraction-projects", NEW), 201)
    exported = owner.get("/export", project="P1")
    assert exported.status_code == 200
    text = exported.content.decode()
    assert "approval_reference: HREC 2026/17" in text
    before = AuditLogEntry.objects.count()
    system.apply(text)
    assert AuditLogEntry.objects.count() == before


def test_a_snapshot_waits_for_its_job(system: System, owner: Api) -> None:
    system.load("first", [ANNA])
    made = answer(owner.post("/projects/P1/extraction-projects", {**NEW, "kind": "snapshot"}), 201)
    assert f"wait until job {made['snapshot_job_id']} has ended" in made["refusal"]
    assert made["refusal"] in refusal(owner.post(f"{X1}/extract"))
    system.drain()
    assert answer(owner.get(X1), 200)["refusal"] == ""
    answer(owner.post(f"{X1}/extract", {"with_changes": False}), 202)


def test_every_fault_of_an_extraction_project_is_named(system: System, owner: Api) -> None:
    bad = {
        **NEW,
        "code": "no spaces",
        "name": " ",
        "event_type_codes": ["ADM", "BIRTH"],
        "columns": [],
        "keep_results_days": 999_999,
    }
    told = refusal(owner.post("/projects/P1/extraction-projects", bad))
    for part in ("is no code", "The name is empty", "'BIRTH' is not attached", "No column", "kept 999999 days"):
        assert part in told
    assert answer(owner.get("/projects/P1/extraction-projects"), 200)["items"] == []
    for odd in ({"kind": "eternal"}, {"columns": [{"column": "surname", "name": "x"}]}, {"name": "a\x00b"}):
        assert owner.post("/projects/P1/extraction-projects", {**NEW, **odd}).status_code == 422


def test_extraction_projects_and_results_come_in_pages(system: System, owner: Api) -> None:
    system.load("first", [ANNA])
    for code in ("B", "A", "X1"):
        answer(owner.post("/projects/P1/extraction-projects", {**NEW, "code": code}), 201)
    for _ in range(3):
        answer(owner.post(f"{X1}/extract"), 202)
        system.drain()
    codes = [item["code"] for item in walk(owner, "/projects/P1/extraction-projects")]
    assert codes == ["A", "B", "X1"]
    ids = [item["id"] for item in walk(owner, f"{X1}/results")]
    assert ids == sorted(ids, reverse=True)
    assert len(ids) == 3


def walk(api: Api, path: str) -> list[Any]:
    """Return every item of a list, two a page."""
    page = answer(api.get(path, limit=2), 200)
    items: list[Any] = page["items"]
    while page["next"]:
        page = answer(api.get(page["next"].removeprefix(API)), 200)
        items += page["items"]
    return items


def test_a_result_that_is_no_longer_kept_is_refused_and_not_counted(system: System, owner: Api) -> None:
    system.load("first", [ANNA])
    answer(owner.post("/projects/P1/extraction-projects", NEW), 201)
    answer(owner.post(f"{X1}/extract"), 202)
    system.drain()
    (result,) = answer(owner.get(f"{X1}/results"), 200)["items"]
    for path in load_config().results_folder.iterdir():
        path.unlink()
    assert "Extract again" in refusal(owner.get(f"{X1}/results/{result['id']}/file"))
    assert answer(owner.get(f"{X1}/results"), 200)["items"][0]["downloads_count"] == 0
    assert owner.get(f"{X1}/results/{result['id'] + 1}/file").status_code == 404


def test_an_event_type_is_attached_updated_and_detached(system: System, owner: Api) -> None:
    here = "/projects/P1/event-types"
    made = answer(owner.post(here, {"code": "BIRTH", "updates": "skip"}), 201)
    assert (made["state"], made["updates"], made["provider_code"]) == ("attached", "skip", "REG")
    assert "is attached to project P1 already" in refusal(owner.post(here, {"code": "BIRTH"}))
    assert "There is no Event Type 'NONE'" in refusal(owner.post(here, {"code": "NONE"}))
    assert answer(owner.put(f"{here}/BIRTH", {"updates": "replace"}), 200)["updates"] == "replace"
    assert [item["code"] for item in walk(owner, here)] == ["ADM", "BIRTH"]
    system.load("first", [ANNA, ("a2", *ANNA[1:]), CARL])
    preview = answer(owner.get(f"{here}/ADM/detach"), 200)
    assert (preview["refusal"], preview["records_count"], preview["groups_count"]) == ("", 3, 2)
    envelope = answer(owner.post(f"{here}/ADM/detach", {"reason": "the agreement has ended"}), 202)
    assert (envelope["name"], envelope["status"]) == ("Detach ADM", "Queued")
    assert answer(owner.get(f"{here}/ADM"), 200)["state"] == "being detached"
    assert "is being detached" in refusal(owner.post(here, {"code": "ADM"}))
    system.drain()
    shown = answer(owner.get(f"{here}/ADM"), 200)
    assert (shown["state"], shown["detached_by_id"]) == ("detached", envelope["id"])
    assert "is not attached" in refusal(owner.put(f"{here}/ADM", {"updates": "skip"}))
    assert system.groups() == set()
    assert answer(owner.post(here, {"code": "ADM"}), 201)["detached_by_id"] is None


def test_a_project_is_compacted_and_its_ended_records_are_purged(system: System, owner: Api) -> None:
    for number in range(3):
        system.load(f"load{number}", [(f"a{number}", *ANNA[1:])])
    assert answer(owner.post("/projects/P1/compact"), 202)["kind"] == "Compact"
    assert "is queued or runs already" in refusal(owner.post("/projects/P1/compact"))
    system.drain()
    assert "no small files to compact" in refusal(owner.post("/projects/P1/compact"))
    system.submit(system.build_raw("gone", {"ADM": b"a1\n"}, request_type=RequestType.SUBMIT_DELETION))
    system.drain()
    young = answer(owner.get("/projects/P1/purge", older_than_days=3), 200)
    assert (young["records_count"], young["younger_count"]) == (0, 1)
    form = {"reason": "asked for", "older_than_days": 3}
    assert young["refusal"] == refusal(owner.post("/projects/P1/purge", form))
    preview = answer(owner.get("/projects/P1/purge"), 200)
    assert (preview["refusal"], preview["records_count"], preview["fixed_count"]) == ("", 1, 1)
    assert [one["name"] for one in preview["fixed"]] == ["gone"]
    assert owner.post("/projects/P1/purge", {"reason": "asked for"}).status_code == 422
    assert answer(owner.post("/projects/P1/purge", {**form, "older_than_days": 0}), 202)["kind"] == "Purge"
    system.drain()
    assert {job.state for job in Job.objects.filter(kind__in=[JobKind.COMPACT, JobKind.PURGE])} == {
        JobState.SUCCESS
    }
    assert answer(owner.get("/projects/P1/purge"), 200)["records_count"] == 0


def test_a_system_job_is_cancelled_and_one_of_an_envelope_is_not(system: System, owner: Api) -> None:
    for number in range(2):
        system.load(f"load{number}", [(f"a{number}", *ANNA[1:])])
    job = answer(owner.post("/projects/P1/compact"), 202)
    cancelled = answer(owner.post(f"/jobs/{job['id']}/cancel", {"reason": "not now"}), 202)
    assert (cancelled["status"], cancelled["end_reason"]) == ("Errors", "cancelled")
    assert "only a queued or running job" in refusal(owner.post(f"/jobs/{job['id']}/cancel"))
    assert AuditLogEntry.objects.get(action="cancel job").reason == "not now"
    assert system.drain() == []
    envelope = system.submit(system.build("more", [CARL]))
    validate = envelope.jobs.order_by("chain_position")[0]
    assert "Cancel the Envelope" in refusal(owner.post(f"/jobs/{validate.pk}/cancel"))


def test_backups_are_started_and_listed_by_administrators_alone(system: System, key_for: KeyFor) -> None:
    user = User.objects.create(username="root", is_superuser=True)
    admin, narrowed = key_for(user), key_for(user, permissions=["see jobs", "configure projects"])
    assert answer(admin.get("/backups"), 200)["items"] == []
    for day in (1, 2, 3):
        (system.config.backups_folder / f"backup-2026010{day}T000000Z").mkdir(parents=True)
    (system.config.backups_folder / "unfinished-job-1-attempt-1").mkdir()
    items = walk(admin, "/backups")
    assert [item["name"][7:15] for item in items] == ["20260103", "20260102", "20260101"]
    assert all(item["fault"] and item["size_bytes"] is None for item in items)
    job = answer(admin.post("/backups"), 202)
    assert (job["kind"], job["status"]) == ("Backup", "Queued")
    assert "is queued already" in refusal(admin.post("/backups"))
    for refused in (narrowed.get("/backups"), narrowed.post("/backups")):
        assert "this key is narrowed" in answer(refused, 403)["error"]["message"]


def test_a_quality_review_is_taken_as_a_data_file_and_as_an_envelope(system: System, owner: Api) -> None:
    system.load("first", [ANNA, CARL])
    apart, together = {frozenset({"a1"}), frozenset({"c1"})}, {frozenset({"a1", "c1"})}
    assert system.groups() == apart
    sent = owner.send(
        "/projects/P1/data-files?action=SubmitQualityReview&file_name=review.csv",
        b"P1,a1,ADM,one\nP1,c1,ADM,one\n",
    )
    assert answer(sent, 201)["request_type"] == "SubmitQualityReview"
    system.drain()
    assert system.groups() == together
    content = {"ADM": b"P1,a1,ADM,one\nP1,c1,ADM,two\n"}
    package = system.build_raw("undone", content, request_type=RequestType.SUBMIT_QUALITY_REVIEW)
    shown = answer(owner.send("/envelopes?name=undone", package.read_bytes()), 201)
    system.drain()
    assert answer(owner.get(f"/envelopes/{shown['id']}"), 200)["status"] == "Success"
    assert system.groups() == apart


def test_the_preview_of_a_rollback_tells_the_reviews_and_extractions_that_go_with_it(
    system: System, owner: Api
) -> None:
    first = system.load("first", [ANNA, CARL])
    review(system, "a1>x", "c1>y", name="twins")
    answer(owner.post("/projects/P1/extraction-projects", {**NEW, "kind": "snapshot"}), 201)
    system.drain()
    answer(owner.post(f"{X1}/extract"), 202)
    system.drain()
    (result,) = answer(owner.get(f"{X1}/results"), 200)["items"]
    assert owner.get(f"{X1}/results/{result['id']}/file").getvalue()
    preview = answer(owner.get(f"/envelopes/{first.pk}/rollback"), 200)
    assert [one["name"] for one in preview["reviews"]] == ["twins"]
    numbers = ("later_count", "reviews_count", "withdrawn_results_count", "downloaded_results_count")
    assert [preview[name] for name in (*numbers, "snapshots_count")] == [1, 1, 1, 1, 1]
