"""A draft as it comes with a form, and what the editor shows of it: as fields, or as text. Changes nothing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import yaml
from django.http import QueryDict

from linkwright.engine.configuration_differences import configuration_differences
from linkwright.engine.default_configuration import IndistinctFieldsError
from linkwright.engine.fields import LinkageField
from linkwright.errors import ConfigurationError
from linkwright.services.default_match import first_match
from linkwright.services.match_history import ReadVersion
from linkwright.services.save_match import PAGE, CheckedDraft, check_definition, check_text, read_draft_text
from linkwright.web.address import read_key
from linkwright.web.match_editor import Layout, Part, faults_by_place, places_of
from linkwright.web.match_form import Definition, empty_definition, read_form
from linkwright.web.match_home import MatchHome
from linkwright.web.match_view import view_differences

MODES = ("form", "text")
LONGEST_NOTE = 1000
LONGEST_SOURCE = 200


@dataclass(frozen=True)
class Draft:
    """A draft in the browser.

    Args:
        mode: 'form' or 'text'.
        definition: plain data; in the mode 'text' it is not read.
        text: YAML; in the mode 'form' it is not read.
        base_version: the version that it started from.
        source: where it comes from.
        note: why it is made.
    """

    mode: str
    definition: Definition
    text: str
    base_version: int | None
    source: str = PAGE
    note: str = ""

    def check(self, fields: Sequence[LinkageField]) -> CheckedDraft:
        """Check it against linkage fields."""
        return check_text(fields, self.text) if self.mode == "text" else check_definition(fields, self.definition)

    def plain(self) -> Any:
        """Return it as plain values.

        Raises:
            ConfigurationError: if the text is no YAML.
        """
        return read_draft_text(self.text) if self.mode == "text" else self.definition


def begin_draft(home: MatchHome) -> Draft:
    """Begin with the newest version; with the default where there is none."""
    read = home.read()
    if read is None:
        return Draft("form", _default(home.fields), "", None)
    draft = draft_of(read.row.definition, home.fields, read.row.version)
    # what does not fit the fields of the form shows all of itself as text alone
    return draft if read.configuration is not None else as_text(draft)


def draft_of(definition: Mapping[str, Any], fields: Sequence[LinkageField], base_version: int | None) -> Draft:
    """Return a definition as a draft: as fields if it can be laid out so."""
    draft = Draft("form", dict(definition), "", base_version)
    return draft if _can_be_laid_out(definition, fields) else as_text(draft)


def read_draft(sent: QueryDict) -> Draft:
    """Read the draft that a form carries."""
    mode = sent.get("mode", "form")
    return Draft(
        mode=mode if mode in MODES else "form",
        definition=read_form((name, values[-1]) for name, values in sent.lists() if values),
        text=sent.get("text", "").replace("\r\n", "\n"),
        base_version=read_key(sent.get("base_version", "")),
        source=sent.get("source", PAGE)[:LONGEST_SOURCE] or PAGE,
        note=sent.get("note", "")[:LONGEST_NOTE],
    )


def as_text(draft: Draft) -> Draft:
    """Return a draft of fields as one of text."""
    text = yaml.safe_dump(draft.definition, sort_keys=False, allow_unicode=True, width=100)
    return replace(draft, mode="text", text=text)


def as_form(draft: Draft, fields: Sequence[LinkageField]) -> Draft:
    """Return a draft of text as one of fields.

    Raises:
        ConfigurationError: if the text is no YAML, or is not made as a match configuration is.
    """
    definition = draft.plain()
    if not isinstance(definition, dict) or not _can_be_laid_out(definition, fields):
        fault = "It has to be made of strategies with blocking_rules and comparisons. Mend the text first."
        raise ConfigurationError("The text cannot be shown as a form.", [fault])
    return replace(draft, mode="form", definition=definition)


def draft_context(home: MatchHome, draft: Draft) -> dict[str, Any]:
    """Return what the editor shows of a draft: its parts, its faults, and what it would change."""
    checked = draft.check(home.fields)
    strategies: list[Part] = []
    if draft.mode == "form":
        strategies = Layout(home.fields, checked.faults).strategies(draft.definition)
    places = places_of(strategies)
    newest = home.read()
    return {
        "home": home,
        "draft": draft,
        "prior": draft.definition.get("prior", ""),
        "oversized": draft.definition.get("oversized_blocks", "split"),
        "strategies": strategies,
        "slots": list(places.values()),
        "whole_faults": faults_by_place(checked.faults, places).get("", []),
        "faults_count": len(checked.faults),
        "newest": newest.row.version if newest else None,
        **_changes(newest, checked),
    }


def _changes(newest: ReadVersion | None, checked: CheckedDraft) -> dict[str, Any]:
    if checked.configuration is None or newest is None or newest.configuration is None:
        return {"changes": [], "changes_count": None}
    found = configuration_differences(newest.configuration, checked.configuration)
    return {"changes": view_differences(found), "changes_count": len(found)}


def _default(fields: Sequence[LinkageField]) -> Definition:
    try:
        return first_match(fields).definition
    except IndistinctFieldsError:
        return empty_definition(fields)


def _can_be_laid_out(definition: Mapping[str, Any], fields: Sequence[LinkageField]) -> bool:
    try:
        Layout(fields).strategies(definition)
    except TypeError:
        return False
    return True
