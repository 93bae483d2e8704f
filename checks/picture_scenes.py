"""What happens before the pictures of the tabs: the first run in the browser, and a morning of an operator."""

import re
from collections.abc import Iterator
from pathlib import Path

from checks.picture_stage import PATIENCE_S, Photographer, Rows, Stage, envelopes, strangers

USER, PASSWORD = "alex", "correct horse battery"
FIRST_COUNT = 900
PATIENCE_MS = PATIENCE_S * 1000
PILOT = """
settings:
  Worker.Load.MaxRejectedRows: 10
projects:
  - {code: PILOT, name: Pilot of 2024, description: Two wards on trial, event_types: [BIRTHS, ADMISSIONS]}
"""


def play_first_run(camera: Photographer, stage: Stage, link: str, rows: tuple[Rows, Rows]) -> None:
    """Set up a server in the browser, as docs/first-steps.md walks: two files of one provider, linked."""
    page = camera.page
    births, admissions = _first_files(stage, rows)
    page.goto(link)
    camera.take("set-up")
    page.get_by_label("User name").fill(USER)
    page.get_by_label("Password, at least 12 characters").fill(PASSWORD)
    page.get_by_label("Password once more").fill(PASSWORD)
    camera.press("Create the account")
    page.locator("#step-provider a").click()
    page.get_by_label("Code").fill("HEALTH")
    for label, text in (
        ("Organisation", "Department of Health"),
        ("Contact name", "Data services"),
        ("E-mail", "data@health.example"),
    ):
        page.get_by_label(label).fill(text)
    camera.press("Create it")
    camera.go("/first-steps/")
    camera.take("first-steps")
    for sample, code in ((births, "BIRTHS"), (admissions, "ADMISSIONS")):
        camera.go("/catalog/new-import-format/")
        camera.drop("#sample-drop", sample)
        page.locator(".sample-found").first.wait_for()
        page.locator("#code").fill(f"{code}-CSV")
        if code == "ADMISSIONS":
            camera.take("import-format", height=1300)
        page.locator("#format-save").click()
        page.locator(".flash", has_text="is created").wait_for()
        camera.go("/catalog/new-event-type/")
        page.get_by_label("Code").fill(code)
        page.get_by_label("Description").fill(code.capitalize())
        page.locator("select[name=import_format]").select_option(f"{code}-CSV")
        if code == "BIRTHS":
            page.get_by_role("checkbox").check()
        camera.press("Create it")
    _make_and_fill_project(camera, (births, admissions))


def _make_and_fill_project(camera: Photographer, files: tuple[Path, ...]) -> None:
    page = camera.page
    camera.go("/new-project/")
    page.get_by_label("Code").fill("PERINATAL")
    page.get_by_label("Name").fill("Perinatal outcomes")
    for box in page.get_by_role("checkbox").all():
        box.check()
    camera.take("new-project")
    camera.press("Create it")
    for file, code in zip(files, ("BIRTHS", "ADMISSIONS"), strict=True):
        camera.go("/projects/PERINATAL/submit/")
        page.locator("#event-type").select_option(code)
        page.locator("#upload-file").set_input_files(str(file))
        page.locator("#upload-submit").click()
        page.wait_for_url(re.compile(r"/submit/[0-9a-f]{32}/$"))
        if code == "BIRTHS":
            camera.take("submit-file")
        camera.press("Queue the Envelope")
    page.get_by_text("after admissions,").wait_for(timeout=PATIENCE_MS)
    camera.go("/projects/PERINATAL/")
    camera.take("first-groups", height=1300)


def _first_files(stage: Stage, rows: tuple[Rows, Rows]) -> tuple[Path, ...]:
    """Write births and admissions of the demo's persons, each as another provider's system would."""
    headers = (
        ("birth_id", "given_names", "surname", "dob", "suburb", "postcode"),
        ("admission_no", "first_name", "family_name", "date_of_birth", "town", "post_code"),
    )
    files = []
    for place, (name, separator) in enumerate((("births.csv", ";"), ("admissions.csv", ","))):
        written = [list(headers[place])]
        for row in sorted(rows[place], key=lambda row: int(row["rec_id"].split("-")[1]))[:FIRST_COUNT]:
            written += [["BA"[place] + f"{len(written) + one:05}", *values] for one, values in _visits(place, row)]
        files.append(stage.write(name, written, separator))
    return tuple(files)


def _visits(place: int, row: dict[str, str]) -> Iterator[tuple[int, list[str]]]:
    """Give the rows of a person: one of a birth; of admissions up to three, differently written."""
    born, given, postcode = row["date_of_birth"], row["given_name"].title(), row["postcode"]
    if place == 0 and len(born) == len("19151111"):
        born = f"{born[:4]}-{born[4:6]}-{born[6:]}"
    spellings = (given, f"{given[:2]}{given[3:]}", given[:1])
    for one in range(1 + int(postcode or 1) % 3 if place else 1):
        yield one, [spellings[one], row["surname"].title(), born, row["suburb"].title(), str(int(postcode) + one)]


def load_demo(camera: Photographer) -> None:
    """Load the demo project by its button, and take its page."""
    camera.go("/first-steps/")
    camera.press("Load the demo project")
    row = camera.page.locator("#envelopes tr[data-version]", has_text="dataset4b")
    row.locator(".status", has_text=re.compile(r"^Success$")).wait_for(timeout=PATIENCE_MS)
    camera.go("/projects/FEBRL4/")
    camera.take("project", height=1300)


def play_morning(stage: Stage, rows: Rows) -> None:
    """Bring a day's work to its end: everything that an operator meets."""
    envelope = stage.files / "FEBRL-2026-11.zip"
    deleted = stage.write("withdrawn.txt", [[row["rec_id"]] for row in rows[10:52]])
    stage.command(
        *("submit-file", "--project", "FEBRL4", "--event-type", "FEBRL-A", "--action", "SubmitDeletion"),
        *("--name", "Consent withdrawn, November", deleted),
    )
    together = stage.write(
        "review.csv",
        [
            ["FEBRL4", rows[number]["rec_id"].replace("org", kind), event_type, f"person {number}"]
            for number in range(200, 206)
            for kind, event_type in (("org", "FEBRL-A"), ("dup-0", "FEBRL-B"))
        ],
    )
    stage.command(
        *("submit-file", "--project", "FEBRL4", "--action", "SubmitQualityReview"),
        *("--name", "Clerical review 14", together),
    )
    wrong = stage.write("wrong.csv", [["rec_id"], *([row["rec_id"]] for row in rows[:5])])
    stage.command("build", "--project", "FEBRL4", "--sender", "FEBRL", "--data", f"DEATHS={wrong}", envelope)
    stage.command("submit", envelope, fails=True)
    (stage.files / "HOSP-2026-11.zip").write_bytes(b"%PDF-1.7 monthly report")
    stage.command("submit", stage.files / "HOSP-2026-11.zip", fails=True)
    stage.command(
        *("create-extraction-project", "FEBRL4", "AIR-2026", "--name", "Air quality and admissions"),
        *("--approval", "HREC 2026/118", "--kind", "enduring"),
        *("--event-type", "FEBRL-A", "--event-type", "FEBRL-B"),
        *("--column", "person_key", "--column", "source_unique_id", "--column", "event_type_code"),
    )
    stage.command("extract", "FEBRL4", "AIR-2026")
    again = stage.write("late.csv", [list(rows[0]), *strangers(rows, 400, "late")])
    stage.command(
        *("submit-file", "--project", "FEBRL4", "--event-type", "FEBRL-B", "--name", "Late registrations", again),
    )
    told = stage.settle()
    late = next(str(one["id"]) for one in envelopes(told) if one["name"] == "Late registrations")
    stage.command("rollback", late, "--reason", "Sent twice by the provider")
    stage.settle()


def play_pilot(stage: Stage, rows: Rows) -> None:
    """Make a small project, whose last Envelope has failed: its job can be retried."""
    declared = stage.files / "pilot.yaml"
    declared.write_text(PILOT)
    stage.command("apply", declared)
    stage.command(
        *("submit-file", "--project", "PILOT", "--event-type", "BIRTHS", "--name", "Births of two wards"),
        stage.files / "births.csv",
    )
    dates = {7: "31/02/2024", 23: "19801301", 41: "unknown"}
    header = ["admission_no", "first_name", "family_name", "date_of_birth", "town", "post_code"]
    admitted = [
        [
            *(f"W{number:03}", row["given_name"], row["surname"], dates.get(number, row["date_of_birth"])),
            *(row["suburb"], row["postcode"] if number % 30 else "61O8"),
        ]
        for number, row in enumerate(rows[:120])
    ]
    stage.command(
        *("submit-file", "--project", "PILOT", "--event-type", "ADMISSIONS", "--name", "Admissions, ward 4"),
        stage.write("ward-4.csv", [header, *admitted[:60], *admitted[:3]]),
    )
    doubled = stage.write("ward-5.csv", [header, *admitted[60:], *admitted[60:68]])
    stage.command(
        *("submit-file", "--project", "PILOT", "--event-type", "ADMISSIONS", "--name", "Admissions, ward 5"),
        doubled,
    )
    stage.settle()


def make_the_rest(stage: Stage) -> None:
    """Estimate the demo's parameters, and back everything up: two of the pages show what came of it."""
    stage.command("estimate", "FEBRL4")
    stage.command("backup", "--wait")
    stage.settle()
