"""What happens before each picture: the first run in the browser, a morning of an operator, a queue at work."""

import re
from collections.abc import Iterator
from pathlib import Path

from checks.picture_stage import ADDRESS, PATIENCE_S, Photographer, Rows, Stage, envelopes, strangers

USER, PASSWORD = "alex", "correct horse battery"
STRANGERS_COUNT = 1_000_000
FIRST_COUNT = 900
PATIENCE_MS = PATIENCE_S * 1000
PEOPLE = (("b.okafor", "Owner"), ("c.lindqvist", "Operator"), ("d.moreau", "Reviewer"), ("e.tanaka", "Viewer"))


def play_first_run(camera: Photographer, stage: Stage, link: str, rows: tuple[Rows, Rows]) -> None:
    """Set up a server in the browser, as docs/first-steps.md walks: two files of one provider, linked."""
    page = camera.page
    births, admissions = _first_files(stage, rows)
    page.goto(link)
    camera.take("set-up", height=640)
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
    camera.take("first-steps", height=820)
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
    camera.take("new-project", height=700)
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
        [["FEBRL4", rows[number]["rec_id"], "FEBRL-A", f"person {number // 2}"] for number in range(200, 212)],
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


def take_quiet(camera: Photographer) -> None:
    """Take the pages on which nothing runs."""
    for name, path in (
        ("providers", "/catalog/providers/"),
        ("event-types", "/catalog/event-types/"),
        ("import-formats", "/catalog/import-formats/"),
        ("projects", "/projects/"),
    ):
        camera.go(path)
        camera.take(name, height=520)
    _take_groups(camera)
    _take_match(camera)
    _take_administration(camera)
    _take_statistics(camera)


def _take_groups(camera: Photographer) -> None:
    page = camera.go("/projects/PERINATAL/records/by-values/")
    page.get_by_label("Surname").fill("white")
    page.get_by_label("Surname").press("Enter")
    page.get_by_role("heading", name="found").first.wait_for()
    camera.take("records")
    camera.go("/projects/PERINATAL/")
    largest = (
        page.locator("#map-numbers-1 .figures > div", has_text="Largest group size").locator("dd").inner_text()
    )
    for group_id in range(1, FIRST_COUNT):
        camera.go(f"/projects/PERINATAL/groups/{group_id}/")
        if page.get_by_text(f"{largest} records,").count():
            break
    camera.take("group", height=1400)
    page.locator("a[href*='/pairs/']").first.click()
    camera.take("pair", height=1200)


def _take_match(camera: Photographer) -> None:
    page = camera.go("/projects/FEBRL4/linkage-fields/")
    camera.take("linkage-fields")
    camera.go("/projects/FEBRL4/match-configuration/edit/")
    page.locator("[id$='-match_threshold']").first.fill("6")
    page.get_by_label("Note").fill("fewer false links")
    page.get_by_text("1 difference from version 1.").wait_for()
    camera.take("match-edit")
    page.locator("#try-match").click()
    page.locator("#trial").wait_for(timeout=PATIENCE_MS)
    page.wait_for_timeout(600)
    camera.take("match-try", height=1300)
    page.locator("#save-match").click()
    page.get_by_text("Version 2 is saved.").wait_for()
    camera.go("/projects/FEBRL4/match-configuration/")
    camera.take("match-configuration")
    camera.go("/projects/FEBRL4/match-configuration/differences/?from=1&to=2")
    camera.take("match-differences", height=620)


def _take_administration(camera: Photographer) -> None:
    page = camera.page
    for name, role in PEOPLE:
        camera.go("/admin/people/invite/")
        page.get_by_label("User name").fill(name)
        page.get_by_label("E-mail").fill(f"{name}@unit.example")
        page.locator("select[name=project]").select_option("PERINATAL")
        page.locator("select[name=role]").select_option(role)
        camera.press("Make the link")
    camera.go("/admin/people/")
    camera.take("people", height=520)
    camera.go("/admin/audit-log/")
    camera.take("audit-log")
    camera.go("/admin/settings/")
    camera.take("settings")


def _take_statistics(camera: Photographer) -> None:
    """Open the Envelope that has linked groups, and the statistics of its Match."""
    page = camera.go("/jobs/envelopes/?live=off")
    row = page.locator("tr", has_text="dataset4b").first
    row.locator("button[aria-expanded]").click()
    page.locator("tr.below tr", has_text="Match").locator("button[aria-expanded]").first.click()
    page.locator("tr.below .plot-frame svg").first.wait_for()
    row.evaluate("row => window.scrollTo(0, row.getBoundingClientRect().top + window.scrollY - 100)")
    camera.take("statistics")


def take_busy(camera: Photographer, stage: Stage, rows: Rows) -> None:
    """Take the pages of a queue at work: one Envelope runs, two wait."""
    many = stage.write("all.csv", [list(rows[0]), *strangers(rows, STRANGERS_COUNT, "all")])
    few = stage.write("few.csv", [list(rows[0]), *strangers(rows, 1_000, "few")])
    queued = ("submit-file", "--project", "FEBRL4", "--event-type", "FEBRL-A")
    stage.command(*queued, "--name", "Registrations 1926-2025", many)
    for number in (1, 2):
        stage.command(*queued, "--name", f"Registrations 2026, part {number}", few)
    page = camera.go("/jobs/all/")
    page.get_by_text("Match ·").first.wait_for(timeout=PATIENCE_MS)
    camera.take("jobs")
    camera.go("/jobs/envelopes/")
    camera.take("envelopes")


def take_sign_in(camera: Photographer) -> None:
    """Take the page that everybody meets first."""
    camera.page.context.clear_cookies()
    camera.page.goto(f"{ADDRESS}/sign-in/")
    camera.take("sign-in", height=520)
