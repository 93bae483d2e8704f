"""Takes the pages and dialogs that need no scene of their own: each by its address, while nothing runs."""

from checks.picture_stage import DIALOG, Photographer, Stage

PERINATAL, FEBRL4, PILOT = "/projects/PERINATAL/", "/projects/FEBRL4/", "/projects/PILOT/"
AIR = f"{FEBRL4}extractions/AIR-2026/"
# name, the greatest height
PAGES = (
    ("projects", 1000),
    ("estimation", 1200),
    ("extraction", 1000),
    ("extraction-change", 1200),
    ("reports", 1000),
    ("project-reports", 1300),
    ("backups", 1000),
)
# name, the page, what opens the dialog, and what is typed or chosen there
DIALOGS: tuple[tuple[str, str, str, dict[str, str]], ...] = (
    ("event-type-attach", PERINATAL, "#attach-event-type", {"event_type": "DEATHS"}),
    ("event-type-updates", PERINATAL, "[id^=event-type-][id$=-updates]", {}),
    (
        "event-type-detach",
        PERINATAL,
        "[id^=event-type-][id$=-detach]",
        {"reason": "Sent to another project", "typed": "ADMISSIONS"},
    ),
    ("project-estimate", FEBRL4, "#estimate", {}),
    ("estimation-apply", f"{FEBRL4}estimations/1/", "#apply-estimation", {}),
    ("extraction-extract", AIR, "#extract-now", {}),
    ("extraction-close", AIR, "#close-extraction", {"reason": "The approval has ended"}),
    ("project-compact", FEBRL4, "#compact", {}),
    ("project-purge", FEBRL4, "#purge", {"reason": "Consent withdrawn, November"}),
    ("project-archive", PERINATAL, "#archive-project", {"reason": "The study has ended"}),
)


def take_the_rest(camera: Photographer, stage: Stage) -> None:
    """Take every page and dialog of the lists, and the report of an Envelope."""
    page = camera.go("/jobs/envelopes/?live=off")
    row = page.locator("tr[data-version]", has_text="dataset4b").first
    envelope = str(row.get_attribute("id")).removeprefix("envelope-")
    camera.go(f"/reports/FEBRL4/{envelope}/")
    camera.take("envelope-report")
    camera.go("/search/?q=FEBRL")
    camera.take("search")
    _take_forms(camera, stage)
    for name, height in PAGES:
        camera.visit(name)
        camera.take(name, height=height)
    for name, path, link, typed in DIALOGS:
        camera.ask(link, on=path)
        camera.fill(typed)
        camera.take(name)
    camera.go("/projects/")
    page.keyboard.press("?")
    page.locator(DIALOG).wait_for()
    camera.take("keys")


def _take_forms(camera: Photographer, stage: Stage) -> None:
    """Take the forms of a project, filled in."""
    page = camera.visit("project-change")
    page.get_by_label("Notification e-mail").fill("perinatal@unit.example")
    page.get_by_label("Description").fill("Births and the admissions of the first year of life")
    camera.take("project-change")
    camera.visit("submit")
    page.locator("#event-type").select_option("BIRTHS")
    page.locator("#upload-file").set_input_files(str(stage.files / "births.csv"))
    camera.take("submit")
    camera.visit("new-extraction")
    for label, text in (
        ("Code", "ASTHMA-2026"),
        ("Name", "Asthma in childhood"),
        ("Approval reference", "HREC 2026/204"),
    ):
        page.get_by_label(label, exact=True).fill(text)
    page.get_by_label("Enduring").check()
    for code in ("FEBRL-A", "FEBRL-B", "event_type_code"):
        page.get_by_label(code).first.check()
    camera.take("new-extraction", height=1200)


def take_archived(camera: Photographer, stage: Stage) -> None:
    """Archive the small project, and take what can be done with it then."""
    stage.command("archive-project", "PILOT", "--reason", "The pilot has ended")
    camera.go(PILOT)
    camera.take("archived", height=700)
    camera.ask("#unarchive")
    camera.take("project-unarchive")
    camera.ask("#delete-project", on=PILOT)
    camera.fill({"reason": "The pilot has ended", "typed": "PILOT"})
    camera.take("project-delete")
