"""Takes the pictures of the data catalog: lists, forms, what may be deleted, the default configuration."""

from checks.picture_stage import DIALOG, PATIENCE_S, Photographer

PROVIDERS, EVENT_TYPES, FORMATS = "/catalog/providers/", "/catalog/event-types/", "/catalog/import-formats/"
DIALOGS = (
    ("provider-delete", PROVIDERS, "CENSUS"),
    ("provider-in-use", PROVIDERS, "HEALTH"),
    ("event-type-delete", EVENT_TYPES, "DEATHS"),
    ("format-delete", FORMATS, "BIRTHS-CSV"),
)


def take_catalog(camera: Photographer) -> None:
    """Create a Data Provider and an Event Type, and take the lists, the forms and the dialogs."""
    page = camera.go("/catalog/new-provider/")
    for label, text in (
        ("Code", "CENSUS"),
        ("Organisation", "Office of Statistics"),
        ("Contact name", "Data exchange"),
        ("E-mail", "exchange@statistics.example"),
        ("Phone", "+61 2 5550 0142"),
    ):
        page.get_by_label(label).fill(text)
    camera.take("provider-new")
    camera.press("Create it")
    camera.go("/catalog/new-event-type/")
    page.get_by_label("Code").fill("DEATHS")
    page.get_by_label("Description").fill("Deaths, as registered")
    page.get_by_label("Category").fill("vital events")
    page.locator("select[name=provider]").select_option("HEALTH")
    page.locator("select[name=import_format]").select_option("BIRTHS-CSV")
    page.get_by_role("checkbox").check()
    camera.take("event-type-new")
    camera.press("Create it")
    for name in ("providers", "event-types", "import-formats", "provider-change", "event-type-change"):
        camera.visit(name)
        camera.take(name)
    for name in ("format", "format-change"):
        camera.visit(name)
        camera.take(name, height=1300)
    for name, path, code in DIALOGS:
        camera.ask(f"a[data-dialog][href$='/{code}/delete/']", on=path)
        camera.take(name)
    _take_default(camera)


def _take_default(camera: Photographer) -> None:
    """Save a default of one's own, and take what differs."""
    page = camera.go("/catalog/default-match/edit/")
    page.locator("[id$='-match_threshold']").first.fill("9")
    page.get_by_label("Note").fill("as the steering group decided in June")
    page.get_by_text("1 difference from").wait_for()
    camera.take("default-match-edit")
    page.locator("#save-match").click()
    page.get_by_text("Version 1 is saved.").wait_for(timeout=PATIENCE_S * 1000)
    camera.go("/catalog/default-match/")
    camera.take("default-match", height=1200)
    camera.go("/catalog/default-match/differences/?from=0&to=1")
    camera.take("default-match-differences")
    camera.ask("#restore-built-in", on="/catalog/default-match/")
    page.locator(DIALOG).get_by_label("Note, optional").fill("back to the careful one")
    camera.take("default-match-built-in")
