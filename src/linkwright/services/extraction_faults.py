"""Finds every fault of an Extraction Project that somebody describes. Reads what exists; changes nothing."""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from linkwright.engine.extraction import column_faults
from linkwright.errors import FaultsError
from linkwright.store.models import (
    EventType,
    ExtractionFormat,
    ExtractionKind,
    ExtractionProject,
    LinkageProject,
)
from linkwright.store.queries.attachments import attached_event_types
from linkwright.store.settings import SETTINGS

MAX_TEXT_CHARACTERS = 200
KEEP_RESULTS_SETTING = "Extract.KeepResultsDays"
_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,49}")


class ExtractionRefusedError(FaultsError):
    """An Extraction Project cannot be created, changed, closed or extracted from; all reasons are named."""


@dataclass(frozen=True)
class ExtractionForm:
    """What can be changed of an Extraction Project.

    Args:
        name: for people.
        approval_reference: of the approval that it rests on.
        columns: pairs of a column (engine.extraction) and its name in the header, in the order of the file.
        file_format: of the data files, an ExtractionFormat's value.
        keep_results_days: how long results are kept.
    """

    name: str
    approval_reference: str
    columns: Sequence[tuple[str, str]]
    file_format: str
    keep_results_days: int

    def stored_columns(self) -> list[dict[str, str]]:
        """Return the columns as they are stored."""
        return [{"column": column, "name": name} for column, name in self.columns]


def form_faults(form: ExtractionForm) -> list[str]:
    """Name what is wrong with what can be changed, one sentence each."""
    return [fault for _field, fault in form_faults_by_field(form)]


def form_faults_by_field(form: ExtractionForm) -> list[tuple[str, str]]:
    """Name what is wrong with what can be changed: pairs of the form's field and a sentence."""
    faults = []
    for field, label in (("name", "The name"), ("approval_reference", "The approval reference")):
        text = getattr(form, field)
        if not text.strip():
            faults.append((field, f"{label} is empty. Give one."))
        elif len(text) > MAX_TEXT_CHARACTERS:
            told = f"{label} has {len(text)} characters; at most {MAX_TEXT_CHARACTERS} are allowed. Shorten it."
            faults.append((field, told))
        if "\0" in text:
            # PostgreSQL has no place for it
            faults.append((field, f"{label} holds the zero character (NUL). Remove it."))
    faults += [("columns", fault) for fault in column_faults(form.columns)]
    if form.file_format not in ExtractionFormat.values:
        there_are = f"There are: {', '.join(ExtractionFormat.values)}."
        faults.append(("file_format", f"There is no format {form.file_format!r}. {there_are}"))
    setting = SETTINGS[KEEP_RESULTS_SETTING]
    low, high = setting.minimum or 1, setting.maximum or 1
    if not low <= form.keep_results_days <= high:
        told = f"Results are to be kept {form.keep_results_days} days; allowed is {low} to {high}."
        faults.append(("keep_results_days", told))
    return faults


def identity_faults(
    project: LinkageProject, code: str, kind: str, event_types: Sequence[str], *, detached: Collection[str] = ()
) -> list[str]:
    """Name what is wrong with what can never be changed, one sentence each.

    Args:
        project: the Linkage Project.
        code: of the Extraction Project to be.
        kind: to be an ExtractionKind's value.
        event_types: codes of those that it is to show.
        detached: those of them that need not be attached, only be there.
    """
    faults = []
    if not _CODE.fullmatch(code):
        faults.append(
            f"{code!r} is no code. A code starts with a letter or digit, goes on with letters, digits, dots, "
            "hyphens and underscores, and has at most 50 characters."
        )
    elif ExtractionProject.objects.filter(project=project, code=code).exists():
        faults.append(f"{project.code} has an Extraction Project {code!r} already. Choose another code.")
    if kind not in ExtractionKind.values:
        faults.append(f"There is no kind {kind!r}. There are: {', '.join(ExtractionKind.values)}.")
    attached = list(attached_event_types(project).values_list("code", flat=True))
    there_are = f"There are: {', '.join(attached) or 'none'}."
    allowed = {*attached, *EventType.objects.filter(code__in=detached).values_list("code", flat=True)}
    if not event_types:
        faults.append(f"No Event Type is chosen. Choose at least one. {there_are}")
    faults += [
        f"Event Type {one!r} is not attached to {project.code}. {there_are}"
        for one in dict.fromkeys(event_types)
        if one not in allowed
    ]
    return faults
