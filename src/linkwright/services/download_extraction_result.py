"""Gives out the result of an extraction. Every download is counted, and stands in the audit log."""

from dataclasses import dataclass
from pathlib import Path

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from linkwright.config import load_config
from linkwright.errors import LinkwrightError
from linkwright.store.audit_log import Actor, record_action
from linkwright.store.models import ExtractionResult


class NoResultError(LinkwrightError):
    """The result is no longer kept, or its file is gone."""


@dataclass(frozen=True)
class ResultFile:
    """An Envelope on disk, and the name to save it under."""

    path: Path
    name: str


def take_result(result: ExtractionResult, actor: Actor) -> ResultFile:
    """Count a download, write it down, and return where the Envelope lies.

    Raises:
        NoResultError: saying why it is not there.
    """
    path = load_config().results_folder / result.file_name
    with transaction.atomic():
        kept = ExtractionResult.objects.filter(pk=result.pk, removed_at=None, expires_at__gt=timezone.now())
        if kept.update(downloads_count=F("downloads_count") + 1) != 1:
            raise NoResultError(f"{result_name(result)} is no longer kept. Extract again.")
        if not path.is_file() or path.stat().st_size != result.bytes_count:
            raise NoResultError(
                f"The file of {result_name(result)} is gone or damaged. Extract again, or restore {path} from a "
                "backup."
            )
        extraction_project = result.extraction_project
        record_action(
            actor,
            "download extraction result",
            result_name(result),
            project_code=extraction_project.project.code,
            detail={
                "extraction_project": extraction_project.code,
                "event_type": result.event_type.code,
                "result": result.pk,
                "sha256": result.sha256,
            },
        )
    return ResultFile(path, result_name(result))


def result_name(result: ExtractionResult) -> str:
    """Return the name to save a result under."""
    extraction_project = result.extraction_project
    return f"{extraction_project.project.code}-{extraction_project.code}-{result.event_type.code}-{result.pk}.zip"
