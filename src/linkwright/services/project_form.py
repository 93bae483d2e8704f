"""What a person may say of a Linkage Project: its name and what goes with it; names every fault at once.

The bounds are the project file's: what the pages and the API take, a file can hold.
"""

from dataclasses import asdict, dataclass

from django.core.exceptions import ValidationError as EmailError
from django.core.validators import validate_email
from pydantic import ValidationError

from linkwright.engine.strategy_faults import sentences
from linkwright.errors import FaultsError, LinkwrightError
from linkwright.services.project_file import ProjectPart


class ProjectRefusedError(FaultsError):
    """The project cannot be made or changed as it was asked; every fault is named."""


class ProjectStateError(LinkwrightError):
    """The project cannot be archived, taken out of the archive or deleted now; the text says why."""


@dataclass(frozen=True)
class ProjectForm:
    """The changeable words of a project."""

    name: str
    description: str = ""
    notification_email: str = ""


def form_faults(form: ProjectForm, code: str) -> list[str]:
    """Return one sentence for each fault of a form, the code among them."""
    faults = []
    try:
        ProjectPart.model_validate({"code": code, **asdict(form)})
    except ValidationError as error:
        faults += sentences(error, "", {"": tuple(ProjectPart.model_fields)})
    if any(character in "\r\n\0" for character in form.name):
        faults.append("name: it holds a line break or a zero character. Write it on one line.")
    if "\0" in form.description:
        faults.append("description: it holds a zero character. Remove it.")
    if form.notification_email:
        try:
            validate_email(form.notification_email)
        except EmailError:
            faults.append(
                f"notification_email: {form.notification_email!r} is no e-mail address. Correct it, or leave it "
                "empty."
            )
    return [fault.lstrip(".") for fault in faults]
