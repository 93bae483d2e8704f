"""Takes the pictures of people, settings, the audit log, and what everybody has: sign-in, password, API keys."""

from checks.picture_scenes import PASSWORD
from checks.picture_stage import DIALOG, Photographer, Stage

PEOPLE = (("b.okafor", "Owner"), ("c.lindqvist", "Operator"), ("d.moreau", "Reviewer"), ("e.tanaka", "Viewer"))
PAUSES, REJECTED = "Worker.Jobs.PauseProcessingOnFailure", "Worker.Load.MaxRejectedRows"
WRONG_ATTEMPTS = 12
PERMISSIONS = ("submit", "see jobs")


def take_people(camera: Photographer, stage: Stage, group: str) -> None:
    """Invite people; let two of them in, and one forget the password."""
    links = [_invite(camera, name, role) for name, role in PEOPLE]
    owner, viewer = camera.beside(), camera.beside()
    owner.go(links[0])
    owner.take("invitation")
    for person, name, link in ((owner, PEOPLE[0][0], links[0]), (viewer, PEOPLE[3][0], links[3])):
        _accept(person, name, link)
    _take_as_viewer(viewer, group)
    forgetful = camera.beside()
    forgetful.go(links[0])
    forgetful.take("invitation-over")
    _forget(forgetful, PEOPLE[1][0])
    stage.command("create-api-key", PEOPLE[0][0], "--name", "nightly load", "--permission", "submit")
    camera.go("/admin/people/")
    camera.take("people")
    _take_one(camera)
    _take_members(camera)


def _invite(camera: Photographer, name: str, role: str) -> str:
    """Invite a person; returns the link."""
    page = camera.go("/admin/people/invite/")
    page.get_by_label("User name").fill(name)
    page.get_by_label("E-mail").fill(f"{name}@unit.example")
    page.locator("select[name=project]").select_option("PERINATAL")
    page.locator("select[name=role]").select_option(role)
    if name == PEOPLE[0][0]:
        camera.take("person-invite")
    camera.press("Make the link")
    return page.locator("#token").input_value()


def _accept(person: Photographer, name: str, link: str) -> None:
    page = person.go(link)
    page.get_by_label("New password").fill(PASSWORD)
    page.get_by_label("Once more").fill(PASSWORD)
    person.press("Set the password")
    person.sign_in(name, PASSWORD)


def _take_as_viewer(viewer: Photographer, group: str) -> None:
    """Take what a Viewer sees of a group, and of pages that are not for them."""
    viewer.go(group)
    viewer.take("group-hidden", height=1400)
    viewer.go("/admin/settings/")
    viewer.take("forbidden")
    viewer.go("/projects/NOWHERE/")
    viewer.take("not-found")


def _forget(person: Photographer, name: str) -> None:
    """Type wrong passwords until one has to wait."""
    page = person.go("/sign-in/")
    for attempt in range(WRONG_ATTEMPTS):
        person.sign_in(name, f"summer of {attempt}")
        if page.get_by_text("wait", exact=False).count():
            break
        if not attempt:
            person.take("sign-in-refused")
    person.take("sign-in-wait")


def _take_one(camera: Photographer) -> None:
    """Take the page of each of three people, and what can be done there."""
    page = camera.page
    pages = {}
    for name, _role in PEOPLE:
        camera.go("/admin/people/")
        pages[name] = str(page.get_by_role("link", name=name).first.get_attribute("href"))
    owner, operator, reviewer, _viewer = (pages[name] for name, _role in PEOPLE)
    camera.go(owner)
    camera.take("person")
    camera.ask("#end-sessions")
    camera.take("person-sessions")
    camera.ask("#administrator", on=owner)
    camera.take("person-administrator")
    camera.ask("#add-role", on=owner)
    camera.fill({"project": "FEBRL4"})
    page.locator(DIALOG).get_by_label("Reviewer").check()
    camera.take("person-role")
    camera.ask("#lift", on=operator)
    camera.take("person-lift")
    camera.go(operator)
    camera.follow("#person-link")
    camera.take("person-link")
    camera.press("Make the link")
    camera.take("person-link-shown")
    camera.ask("#deactivate", on=reviewer)
    camera.fill({"reason": "Has left the unit"})
    camera.take("person-deactivate")
    camera.answer()
    page.locator("#reactivate").wait_for()
    camera.ask("#reactivate")
    camera.take("person-reactivate")


def _take_members(camera: Photographer) -> None:
    page = camera.go("/projects/PERINATAL/people/")
    camera.take("members")
    camera.ask("[id^=member-][id$=-role]")
    camera.take("member-role")
    camera.go("/projects/PERINATAL/people/add/")
    page.get_by_label("User name").fill("f.rossi")
    page.get_by_label("E-mail").fill("f.rossi@unit.example")
    page.get_by_label("Reviewer").check()
    camera.take("member-add")


def take_own(camera: Photographer) -> None:
    """Make an API key, narrowed, and take the pages of one's own account."""
    page = camera.go("/account/api-keys/new/")
    page.get_by_label("Name: which program").fill("hospital feed")
    page.get_by_label("Days until it expires").fill("90")
    for permission in PERMISSIONS:
        page.get_by_label(permission, exact=True).check()
    camera.take("api-key-new")
    camera.press("Make the key")
    camera.take("api-key-shown")
    for name in ("api-keys", "password"):
        camera.visit(name)
        camera.take(name)
    camera.ask("[id^=key-][id$=-revoke]", on="/account/api-keys/")
    camera.take("api-key-revoke")


def take_administration(camera: Photographer) -> None:
    """Change a setting, and take the settings, the audit log and the question before a backup."""
    page = camera.ask("[id='change-Backup.Keep']", on="/admin/settings/")
    camera.fill({"value": "14"})
    camera.answer()
    page.locator(".flash-success").wait_for()
    camera.go("/admin/settings/")
    camera.take("settings")
    camera.ask(f"[id='change-{PAUSES}']")
    camera.take("setting-change")
    camera.ask(f"[id='change-{REJECTED}']", on="/admin/settings/")
    camera.fill({"value": "-5"})
    camera.answer()
    page.locator(f"{DIALOG} .field-fault").wait_for()
    camera.take("setting-refused")
    camera.go("/admin/audit-log/")
    camera.take("audit-log")
    changed = page.locator("tr", has_text="Backup.Keep").first.locator("[id$=-open]")
    camera.ask(f"#{changed.get_attribute('id')}")
    camera.take("audit-entry")
    camera.ask("#check-chain", on="/admin/audit-log/")
    camera.take("audit-log-check")
    camera.ask("#back-up-now", on="/admin/backups/")
    camera.take("backup-start")


def take_sign_in(camera: Photographer, link: str) -> None:
    """Take the page that everybody meets first, and what has become of the link of the first run."""
    camera.page.context.clear_cookies()
    camera.go("/sign-in/")
    camera.take("sign-in")
    camera.go(link)
    camera.take("set-up-over")
