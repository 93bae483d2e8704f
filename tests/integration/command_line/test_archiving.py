"""A project is archived, taken out of the archive and deleted by command."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from linkwright.cli.application import app
from linkwright.errors import LinkwrightError
from linkwright.store.models import AuditLogEntry, Envelope, LinkageProject
from tests.integration.pipeline.conftest import System, system, without_drawing

__all__ = ["system", "without_drawing"]

pytestmark = pytest.mark.usefixtures("without_drawing")


def run(*arguments: str) -> str:
    """Run a command in this process; what it refuses is raised."""
    done = CliRunner().invoke(app, arguments, catch_exceptions=False, standalone_mode=False)
    return done.output


def test_a_project_goes_into_the_archive_and_out_again(system: System) -> None:
    assert run("archive-project", "P1", "--reason", "the study is over") == "P1 is archived.\n"
    assert LinkageProject.objects.get(code="P1").archived_at is not None
    assert AuditLogEntry.objects.get(action="archive project").reason == "the study is over"
    with pytest.raises(LinkwrightError, match="archived already"):
        run("archive-project", "P1", "--reason", "again")
    assert run("unarchive-project", "P1") == "P1 takes Envelopes again.\n"
    assert LinkageProject.objects.get(code="P1").archived_at is None


def test_a_project_is_deleted_only_from_the_archive_and_with_its_code_once_more(system: System) -> None:
    system.load("first", [("a1", "Anna", "Berg", "1980-01-02", "2000")])
    files = [path for path in Path(system.project_folder).rglob("*") if path.is_file()]
    told = run("delete-project", "P1", "--preview")
    assert "cannot be deleted now: Linkage Project P1 is not archived" in told
    assert "P1: 1 Envelopes" in told
    run("archive-project", "P1", "--reason", "over")
    for refused in (("--reason", "over"), ("--code", "P2", "--reason", "over"), ("--code", "P1")):
        with pytest.raises(LinkwrightError, match=r"to confirm|reason"):
            run("delete-project", "P1", *refused)
    assert LinkageProject.objects.filter(code="P1").exists()
    assert "cannot be" not in run("delete-project", "P1", "--preview")
    assert run("delete-project", "P1", "--code", "P1", "--reason", "over").startswith("P1 is deleted; ")
    assert not LinkageProject.objects.exists()
    assert not Envelope.objects.exists()
    assert files
    assert not [path for path in files if path.exists()]


@pytest.mark.parametrize(
    "command",
    [("archive-project", "NONE", "--reason", "x"), ("unarchive-project", "NONE"), ("delete-project", "NONE")],
)
def test_a_project_that_there_is_not_is_told_with_those_that_there_are(
    system: System, command: tuple[str, ...]
) -> None:
    with pytest.raises(LinkwrightError, match="There are: P1"):
        run(*command)
