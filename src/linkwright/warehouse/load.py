"""Owns the loading of one data file: from a source file to records, what is rejected, and what a person is told.

Changes nothing but its own new files; whether they count is decided by the catalog.

Source: SPEC section 5 (Load), section 3 (statistics of a Load job); ARCHITECTURE section 4.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb

from linkwright.engine.cleaning import CleaningRules
from linkwright.engine.fields import FieldType, LinkageField
from linkwright.engine.import_format import ImportFormat, SourceKind
from linkwright.engine.progress import Progress, ReportProgress
from linkwright.engine.standardisation import StandardisationMaps
from linkwright.engine.update_mode import UpdateMode
from linkwright.warehouse.connection import open_engine
from linkwright.warehouse.delimited_source import DelimitedSource
from linkwright.warehouse.fixed_width_source import FixedWidthSource
from linkwright.warehouse.limits import EngineLimits, WrittenFile
from linkwright.warehouse.load_summary import FieldStatistics, LoadWarnings, count_fields, find_invalid
from linkwright.warehouse.parquet_file import remove_if_there
from linkwright.warehouse.parquet_source import ParquetSource
from linkwright.warehouse.rejects import RejectReason, Rejects
from linkwright.warehouse.source import Source, UnreadableSourceError
from linkwright.warehouse.source_identifiers import HeldIdentifiers, settle_identifiers, write_replaced
from linkwright.warehouse.source_text import TextBlocks
from linkwright.warehouse.staging import ROW_LINES, Staging

_TYPED_DATE_FORMATS = ("%Y-%m-%d", "%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M:%S.%f")


@dataclass(frozen=True)
class LoadRequest:
    """What to load, and how.

    Args:
        source: plain, gzip or Parquet file on disk.
        source_name: its name in the Envelope, for messages.
        parquet: whether it is Parquet.
        import_format: checked against `fields`.
        fields: the project's linkage fields.
        event_type_code: the Event Type of all rows.
        first_record_id: the internal id of the first record; the others follow without a gap.
        held_records: records files of the project, without the Envelope's own; a Source Unique ID that these hold
            under the same Event Type is loaded already, unless it has ended.
        keep_aux: whether columns that no linkage field uses are kept.
        target_folder: where the files are written.
        stem: they are named {stem}-records.parquet, {stem}-aux.parquet, {stem}-ends.parquet, {stem}-rejects.csv.
        max_rejected_rows: more fail the load.
        maps: for sex and state.
        limits: of memory and threads.
        ended: ends files of the project, and of the Envelope's earlier data files.
        own_records: records files of the Envelope's earlier data files; what these hold is rejected in every mode.
        updates: what is done with a row whose Source Unique ID is loaded already.
        shows_values: whether messages may show a value of the source. Not if nothing of it shall be kept.
    """

    source: Path
    source_name: str
    parquet: bool
    import_format: ImportFormat
    fields: tuple[LinkageField, ...]
    event_type_code: str
    first_record_id: int
    held_records: tuple[Path, ...]
    keep_aux: bool
    target_folder: Path
    stem: str
    max_rejected_rows: int
    maps: StandardisationMaps
    limits: EngineLimits
    ended: tuple[Path, ...] = ()
    own_records: tuple[Path, ...] = ()
    updates: UpdateMode = UpdateMode.REJECT
    shows_values: bool = True


@dataclass(frozen=True)
class LoadResult:
    """What was loaded.

    Args:
        records: the records file (see `fields.record_columns`).
        aux: the file of unused columns, if there are any and they are kept.
        ends: the ends file of the held records that were replaced, if there are any.
        rejects: a CSV file of the rejected rows (line, reason, source_unique_id), if there are any.
        rows_read_count: rows in the source, without its header and empty lines.
        rows_loaded_count: rows in `records`.
        rows_replaced_count: those of them that took the place of a held record.
        rows_skipped_count: rows that were passed over, because a held record has their Source Unique ID.
        rows_rejected_count: the others.
        rejected_by_reason: reasons that occurred, and how often.
        bytes_read_count: of the source, unpacked.
        first_record_id: as requested.
        last_record_id: first_record_id - 1 if nothing was loaded.
        fields: statistics of every linkage field of the project, by its name.
        warnings: full sentences, each beginning with the source's name.
    """

    records: WrittenFile
    aux: WrittenFile | None
    ends: WrittenFile | None
    rejects: Path | None
    rows_read_count: int
    rows_loaded_count: int
    rows_replaced_count: int
    rows_skipped_count: int
    rows_rejected_count: int
    rejected_by_reason: Mapping[RejectReason, int]
    bytes_read_count: int
    first_record_id: int
    last_record_id: int
    fields: Mapping[str, FieldStatistics]
    warnings: Sequence[str]


def load_data_file(request: LoadRequest, report: ReportProgress) -> LoadResult:
    """Load one data file into new Parquet files; the same input gives the same files.

    Raises:
        UnreadableSourceError: if the file is not as its Import Format says.
        MissingColumnsError: if mapped columns are not in the file.
        TooManyRejectedRowsError: if more rows are rejected than `max_rejected_rows`.
        StorageError: if the disk is full, or the folder cannot be written.
        MemoryLimitError: if the limits are too tight.
        In each case, and whatever else is raised through `report`, no file is left.
    """
    with open_engine(request.limits) as con:
        source = open_source(request, report)
        rejects = Rejects(con, request.source_name, source.place, shows_values=request.shows_values)
        rules = cleaning_rules(request, source)
        staging = Staging(
            con,
            fields=request.fields,
            layout=source.layout,
            rules=rules,
            rejects=rejects,
            event_type_code=request.event_type_code,
            first_record_id=request.first_record_id,
            records_path=_target(request, "records.parquet"),
            aux_path=_target(request, "aux.parquet"),
        )
        try:
            for chunk in source.chunks():
                staging.add(chunk)
            return _finish(
                con, request, source=source, staging=staging, rejects=rejects, rules=rules, report=report
            )
        except BaseException:
            staging.discard()
            for ending in ("ends.parquet", "ends.partial"):
                remove_if_there(_target(request, ending))
            rejects.discard(_target(request, "rejects.csv"))
            raise


def _finish(
    con: duckdb.DuckDBPyConnection,
    request: LoadRequest,
    *,
    source: Source,
    staging: Staging,
    rejects: Rejects,
    rules: CleaningRules,
    report: ReportProgress,
) -> LoadResult:
    """Check the rows against each other and the held ones, let the files appear, and sum up."""
    report(Progress("Checking Source Unique IDs"))
    settled = settle_identifiers(con, staging.close(), ROW_LINES, _held(request), rejects)
    rejected = rejects.counts()
    rejected_count = sum(rejected.values())
    loaded_count = staging.rows_count - len(settled.taken_out)
    read_count = loaded_count + settled.skipped_count + rejected_count
    if rejected_count > request.max_rejected_rows:
        raise rejects.too_many(read_count, request.max_rejected_rows)
    report(Progress("Writing records"))
    records, aux = staging.finish(settled.taken_out)
    ends = write_replaced(con, records.path, _target(request, "ends.parquet")) if settled.replaced_count else None
    invalid = find_invalid(con, settled.taken_out)
    statistics = count_fields(
        con, records.path, fields=request.fields, layout=source.layout, invalid=invalid, report=report
    )
    warnings = _warnings(request, source, rules)
    return LoadResult(
        records=records,
        aux=aux,
        ends=ends,
        rejects=rejects.write(_target(request, "rejects.csv")) if rejected_count else None,
        rows_read_count=read_count,
        rows_loaded_count=loaded_count,
        rows_replaced_count=settled.replaced_count,
        rows_skipped_count=settled.skipped_count,
        rows_rejected_count=rejected_count,
        rejected_by_reason=rejected,
        bytes_read_count=source.bytes_read_count,
        first_record_id=request.first_record_id,
        last_record_id=request.first_record_id + loaded_count - 1,
        fields=statistics,
        warnings=warnings.tell(loaded_count, rejects.described() if rejected_count else None, invalid, statistics),
    )


def _held(request: LoadRequest) -> HeldIdentifiers:
    return HeldIdentifiers(
        event_type_code=request.event_type_code,
        held_records=request.held_records,
        own_records=request.own_records,
        ended=request.ended,
        updates=request.updates,
    )


def _warnings(request: LoadRequest, source: Source, rules: CleaningRules) -> LoadWarnings:
    return LoadWarnings(
        request.source_name, source.place, request.fields, source.layout, rules, shows_values=request.shows_values
    )


def _target(request: LoadRequest, ending: str) -> Path:
    return request.target_folder / f"{request.stem}-{ending}"


def open_source(request: LoadRequest, report: ReportProgress) -> Source:
    """Open a source file as its Import Format says, up to its column names.

    Raises:
        UnreadableSourceError: if it is not as its Import Format says.
        MissingColumnsError: if mapped columns are not in it.
    """
    import_format, name, kind = request.import_format, request.source_name, request.import_format.kind
    if request.parquet:
        if kind is SourceKind.FIXED_WIDTH:
            raise UnreadableSourceError(
                f"{name}: the manifest says Parquet, but the Import Format of {request.event_type_code} reads "
                "lines of fixed width. Declare the file as FlatFile, or map column names in the Import Format."
            )
        return ParquetSource(
            request.source, import_format, keep_unused=request.keep_aux, source_name=name, report=report
        )
    if kind is SourceKind.PARQUET:
        raise UnreadableSourceError(
            f"{name}: the manifest says FlatFile, but the Import Format of {request.event_type_code} reads "
            "Parquet. Declare the file as Parquet, or set the Import Format's kind to delimited."
        )
    text = TextBlocks(request.source, name, import_format.encoding, report)
    if kind is SourceKind.FIXED_WIDTH:
        return FixedWidthSource(text, import_format, keep_unused=request.keep_aux)
    return DelimitedSource(text, import_format, keep_unused=request.keep_aux, source_name=name)


def cleaning_rules(request: LoadRequest, source: Source) -> CleaningRules:
    """Return how the values of an opened source file are cleaned."""
    dates = [field.name for field in request.fields if field.type is FieldType.DATE]
    return CleaningRules(
        date_formats={
            name: _TYPED_DATE_FORMATS
            if name in source.typed_dates
            else request.import_format.date_formats_of(name)
            for name in dates
        },
        null_values=request.import_format.null_values,
        maps=request.maps,
    )
