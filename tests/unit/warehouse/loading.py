"""Loads small source files for the tests of loading, and reads back what was written."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from linkwright.engine.fields import FieldType, LinkageField
from linkwright.engine.import_format import parse_import_format
from linkwright.engine.progress import ReportProgress, silent
from linkwright.engine.standardisation import StandardisationMaps
from linkwright.engine.update_mode import UpdateMode
from linkwright.warehouse.limits import EngineLimits
from linkwright.warehouse.load import LoadRequest, LoadResult, load_data_file

FIELDS = (
    LinkageField("given_name", FieldType.NAME),
    LinkageField("surname", FieldType.NAME),
    LinkageField("date_of_birth", FieldType.DATE),
    LinkageField("sex", FieldType.SEX),
    LinkageField("suburb", FieldType.TEXT),
    LinkageField("weight", FieldType.NUMBER),
)
COLUMNS: Mapping[str, str | int] = {
    "source_unique_id": "id",
    "given_name": "given",
    "surname": "family",
    "date_of_birth": "dob",
    "sex": "sex",
}
HEADER = "id,given,family,dob,sex,ward"


@dataclass(frozen=True)
class Loading:
    """A folder in which files are loaded one after the other."""

    folder: Path

    def load(
        self,
        source: str | bytes | Path,
        *,
        name: str = "births.csv",
        stem: str = "b1",
        allowed: int = 0,
        keep_aux: bool = True,
        first_record_id: int = 1,
        held: Sequence[Path] = (),
        ended: Sequence[Path] = (),
        updates: UpdateMode = UpdateMode.REJECT,
        event_type: str = "births",
        parquet: bool = False,
        fields: tuple[LinkageField, ...] = FIELDS,
        maps: StandardisationMaps | None = None,
        report: ReportProgress = silent,
        shows_values: bool = True,
        **import_format: Any,
    ) -> LoadResult:
        """Load a text, some bytes or a file; keywords that are not named here belong to the Import Format."""
        if not isinstance(source, Path):
            content = source.encode() if isinstance(source, str) else source
            source = self.folder / "source"
            source.write_bytes(content)
        import_format.setdefault("columns", COLUMNS)
        (self.folder / "batches").mkdir(exist_ok=True)
        request = LoadRequest(
            source=source,
            source_name=name,
            parquet=parquet,
            import_format=parse_import_format(import_format, fields),
            fields=fields,
            event_type_code=event_type,
            first_record_id=first_record_id,
            held_records=tuple(held),
            keep_aux=keep_aux,
            target_folder=self.folder / "batches",
            stem=stem,
            max_rejected_rows=allowed,
            maps=maps or StandardisationMaps(),
            limits=EngineLimits(self.folder / "scratch", memory_mib=256, threads=2),
            ended=tuple(ended),
            updates=updates,
            shows_values=shows_values,
        )
        return load_data_file(request, report)

    def rows(self, source: str | bytes | Path, **options: Any) -> list[dict[str, Any]]:
        """Load, and return the records."""
        return rows_of(self.load(source, **options).records.path)

    def left_files(self) -> list[str]:
        """Return the names of all files in the folder of batches."""
        return sorted(path.name for path in (self.folder / "batches").iterdir())


def rows_of(path: Path | None) -> list[dict[str, Any]]:
    """Read a Parquet file."""
    assert path is not None
    rows: list[dict[str, Any]] = pq.read_table(path).to_pylist()
    return rows


def column_of(rows: Sequence[Mapping[str, Any]], name: str) -> list[Any]:
    """Return one column of rows."""
    return [row[name] for row in rows]
