"""Records of a project: found by Source Unique ID or by values, and one with its versions and groups.

What a record holds is in an answer only for whoever may see identifying values, and each such look stands in the
audit log, as with the pages. What is searched by values never stands in an address: such a search is a POST.
"""

from datetime import datetime
from typing import Annotated, Any

from django.http import Http404, HttpRequest
from ninja import Path, Query, Router, Schema
from pydantic import Field

from linkwright.api.answers import possible_errors
from linkwright.api.paging import MAX_KEY, NOT_BLANK, Text, refuse_unknown
from linkwright.api.projects import ProjectCode
from linkwright.api.rights import project_or_404, reader_of
from linkwright.config import load_config
from linkwright.services.live_project import UnknownRecordError
from linkwright.services.look_at_record import LookedAtRecord, look_at_record
from linkwright.services.search_records import (
    MOST_FOUND,
    search_by_identifier,
    search_by_values,
    searchable_fields,
)
from linkwright.store.models import Envelope
from linkwright.store.permissions import Permission
from linkwright.warehouse.live_files import RecordKey
from linkwright.warehouse.record_search import FoundRecord
from linkwright.warehouse.record_values import RecordValues

router = Router(tags=["records"])

RecordId = Annotated[int, Path(ge=1, le=MAX_KEY, description="The record's number in the project.")]
MOST_FIELDS = 100


class FromEnvelopeAnswer(Schema):
    """An Envelope that brought or did something."""

    id: int
    name: str


class RecordNameAnswer(Schema):
    """What a Data Provider calls a record."""

    event_type_code: str
    source_unique_id: str


class FoundRecordAnswer(Schema):
    """A record that was found."""

    record_id: int
    record: RecordNameAnswer | None = Field(description="Null once it has been purged.")
    group_id: int | None = Field(description="Its group today; null for a record that has ended.")
    has_ended: bool = Field(description="Whether it was deleted, or replaced by a newer version.")


class RecordValuesAnswer(Schema):
    """What a record holds. Personal data."""

    source_person_id: str | None
    fields: dict[str, str | None] = Field(description="The standardised value by linkage field; null: missing.")


class FoundRecordsAnswer(Schema):
    """What a search has found."""

    items: list[FoundRecordAnswer] = Field(description=f"By record id; at most {MOST_FOUND}.")
    has_more: bool = Field(description="Whether there are more: narrow the search.")


class FoundByValuesAnswer(FoundRecordsAnswer):
    """What a search by values has found."""

    values: dict[str, RecordValuesAnswer] = Field(description="Of the searchable fields alone, by record id.")


class RecordVersionAnswer(Schema):
    """One version of a record."""

    record_id: int
    ended_by: FromEnvelopeAnswer | None = Field(description="Null: it lives, or a job of no Envelope ended it.")
    ended_at: datetime | None
    replaced_by_id: int | None = Field(description="The record id of the version that took its place.")


class GroupStayAnswer(Schema):
    """From when on a record was in a group."""

    group_id: int | None = Field(description="Null: from then on in none.")
    by: str = Field(description="The Envelope's name, or the job that belongs to none.")
    at: datetime


class RecordAnswer(FoundRecordAnswer):
    """One record: where it came from, its versions, its groups, and, for whom may see it, what it holds."""

    envelope: FromEnvelopeAnswer = Field(description="That brought it.")
    file_name: str = Field(description="Of the data file; empty if it is not known.")
    place: int = Field(description="Among the records that were loaded from the file, from 1.")
    loaded_count: int = Field(description="Of these.")
    versions: list[RecordVersionAnswer] = Field(description="The oldest first.")
    stays: list[GroupStayAnswer] = Field(description="The groups that it was in, the oldest first.")
    values: RecordValuesAnswer | None = Field(
        description="Null without the permission 'see identifying values', and of a record that has ended."
    )


class SearchQuery(Schema):
    """Which records."""

    source_unique_id: str = Field(
        min_length=1,
        max_length=200,
        pattern=NOT_BLANK,
        description="As its Data Provider gave it, every sign alike.",
    )
    event_type_code: Text = Field("", description="Only of this Event Type.")


class SearchByValuesForm(Schema):
    """Which values; a record has to hold all of them."""

    values: dict[str, Text] = Field(
        max_length=MOST_FIELDS, description="By linkage field, as given_name; a name that ends in * may go on."
    )
    sounds_alike: bool = Field(False, description="Whether names that sound alike are found as well (Soundex).")


class SearchableFieldsAnswer(Schema):
    """What records can be searched by."""

    fields: list[str] = Field(description="Linkage fields that the match configuration looks at.")


@router.get(
    "/{code}/records",
    response={200: FoundRecordsAnswer, **possible_errors(409)},
    summary="Find records by Source Unique ID",
)
def search(request: HttpRequest, code: ProjectCode, query: Query[SearchQuery]) -> FoundRecordsAnswer:
    """Find the records of a Source Unique ID, those that have ended among them."""
    caller = reader_of(request)
    refuse_unknown(request, SearchQuery)
    project = project_or_404(caller, code)
    wanted, event_type = query.source_unique_id.strip(), query.event_type_code.strip()
    found = search_by_identifier(load_config(), caller.actor, project.code, wanted, event_type)
    return FoundRecordsAnswer(items=[found_record(one) for one in found.records], has_more=found.has_more)


@router.get(
    "/{code}/records/search",
    response={200: SearchableFieldsAnswer, **possible_errors()},
    summary="List what records can be searched by",
)
def list_fields(request: HttpRequest, code: ProjectCode) -> SearchableFieldsAnswer:
    """List the linkage fields that records can be searched by. Asks for 'see identifying values'."""
    caller = reader_of(request)
    project = project_or_404(caller, code)
    caller.demand(Permission.SEE_IDENTIFYING_VALUES, project)
    return SearchableFieldsAnswer(fields=[one.name for one in searchable_fields(project)])


@router.post(
    "/{code}/records/search",
    response={200: FoundByValuesAnswer, **possible_errors(409, 413, 415)},
    summary="Find records by values",
)
def search_values(request: HttpRequest, code: ProjectCode, form: SearchByValuesForm) -> FoundByValuesAnswer:
    """Find the live records that hold all of some values. Asks for 'see identifying values'.

    The audit log names whoever asked, the fields and the records that were found, never what was looked for.
    """
    caller = reader_of(request)
    project = project_or_404(caller, code)
    caller.demand(Permission.SEE_IDENTIFYING_VALUES, project)
    found = search_by_values(
        load_config(), caller.actor, project.code, form.values, sounds_alike=form.sounds_alike
    )
    return FoundByValuesAnswer(
        items=[found_record(one) for one in found.found.records],
        has_more=found.found.has_more,
        values={str(record_id): values_answer(held) for record_id, held in found.values.items()},
    )


@router.get(
    "/{code}/records/{record_id}",
    response={200: RecordAnswer, **possible_errors(409)},
    summary="Read a record",
)
def read_one(request: HttpRequest, code: ProjectCode, record_id: RecordId) -> RecordAnswer:
    """Read one record, one that is or one that was; that its values were seen stands in the audit log."""
    caller = reader_of(request)
    project = project_or_404(caller, code)
    try:
        looked = look_at_record(load_config(), caller.actor, project.code, record_id)
    except UnknownRecordError as error:
        raise Http404(str(error)) from error
    return _answer(looked)


def record_name(key: RecordKey) -> RecordNameAnswer:
    """Return what a record's provider calls it."""
    return RecordNameAnswer(event_type_code=key.event_type, source_unique_id=key.source_unique_id)


def from_envelope(envelope: Envelope) -> FromEnvelopeAnswer:
    """Return an Envelope, as far as it says who brought or did something."""
    return FromEnvelopeAnswer(id=envelope.pk, name=envelope.name)


def found_record(found: FoundRecord) -> FoundRecordAnswer:
    """Return a record without what it holds."""
    return FoundRecordAnswer(**_found(found))


def values_answer(held: RecordValues) -> RecordValuesAnswer:
    """Return what a record holds; who may see it was asked before."""
    return RecordValuesAnswer(source_person_id=held.source_person_id, fields=held.values)


def _found(found: FoundRecord) -> dict[str, Any]:
    return {
        "record_id": found.record_id,
        "record": None if found.key is None else record_name(found.key),
        "group_id": found.group_id,
        "has_ended": found.has_ended,
    }


def _answer(looked: LookedAtRecord) -> RecordAnswer:
    origin = looked.origin
    return RecordAnswer(
        **_found(looked.record),
        envelope=from_envelope(origin.envelope),
        file_name=origin.file_name,
        place=origin.place,
        loaded_count=origin.loaded_count,
        versions=[
            RecordVersionAnswer(
                record_id=one.record_id,
                ended_by=None if one.ended_by is None else from_envelope(one.ended_by),
                ended_at=one.ended_at,
                replaced_by_id=one.replaced_by,
            )
            for one in looked.versions
        ],
        stays=[GroupStayAnswer(group_id=one.group_id, by=one.by, at=one.at) for one in looked.stays],
        values=None if looked.values is None else values_answer(looked.values),
    )
